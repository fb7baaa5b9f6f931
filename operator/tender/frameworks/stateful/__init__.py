"""The planner of `spec.stateful`: pods with names, volumes and places of their own, rolled out by plans.

**What is recorded.** Nothing is kept in memory, and every decision is about one pod at a time:

- a *target* (`targets`, `history`, `validation`): a configuration of all pods, in a ControllerRevision. The newest is
  what plans bring pods to. A spec that cannot be, or cannot be reached, does not become one.
- a *record* per pod (`records`): a ConfigMap named like the pod, with its rendered files (`rendering`), the revision it
  is to run, the one it was last ready at, what was done beside it, what was ordered, what failed.
- a *place* per pod (`places`): a Reservation, made by the SDK's turn from the claim that was won for it; and its
  volumes (`volumes`).
- what people asked of plans, and what became of it (`overrides`, `requests`, `orders`), in the framework's status.

**The way through a turn** (`plan`):

1. `history` says which target is followed, `instances` gathers what there is of each pod.
2. `steps` makes plans of it: each step in the state that the record of its pod tells. `following` says which steps may
   go on; `requests` and `orders` answer what people ask.
3. `assignments` says for each pod what that means: its step is active, it is ordered to restart, it is to go.
4. `recording` says how its record has to change: facts that were seen, orders, what an active step begins. A pod whose
   record changes has nothing else done in this turn.
5. Otherwise `acting` brings the pod to what is recorded: volumes, place, pod (`pods`), side task, or all of it removed.
6. Pods without a place become shapes of demand, unless others come first (`discipline`); `told` says what all waits
   for.

So there are two levels. Plans only move records: they say *when* a pod changes. What keeps a pod as its record says
does not know of plans: whatever befalls it, it comes back as recorded, in its place. That is why a pod that is lost
during a rollout comes back as it was, why a rollout can be paused at any time, and why a crash between any two writes
neither loses nor doubles anything: the next turn sees the same record and does the rest.

**How a pod goes through its life**, each arrow being recorded before anything is done:

    (no record) -> revision: target -> place -> volumes -> pod -> ready-revision: target        deploy
    revision: newer (its place was enlarged before) -> the old pod ends -> the new one -> ready          update
    replacing -> pod, volumes and place are removed -> arriving -> place ... -> ready, hook -> (arriving is over)
    removing -> pod, volumes and place are removed -> (no record)                               decommission

`recovery` has pods replaced whose nodes are lost for too long, `scheduling` those that kube-scheduler cannot bind.
"""

from tender.frameworks.stateful.plan import plan_stateful

__all__ = ["plan_stateful"]

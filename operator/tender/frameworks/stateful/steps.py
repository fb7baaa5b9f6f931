"""From what is seen of the pods to the plans as they stand: each step in the state that its pod's record tells.

The rollout (deploy, or update for changes) is complete for a pod that was ready once at the target's revision; recovery
is about pods that were ready at what they run and are not now; decommission about pods beyond the target. Plans that
requests start either do side tasks or start pods again.
"""

from collections.abc import Iterable, Mapping

from tender.api.core import Pod
from tender.api.names import LABEL_PLAN, LABEL_REVISION
from tender.api.stateful import DECOMMISSION, DEPLOY, RECOVERY, UPDATE, PhaseSpec, PlanSpec, PodSet, StepState
from tender.frameworks.stateful.course import Course, Phase, Run, Step
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.records import POD, Failures, Record
from tender.frameworks.stateful.targets import Target, task_token

Instances = Mapping[str, Instance]
_ROLLOUTS = (DEPLOY, UPDATE)


def rollout_spec(target: Target, name: str) -> PlanSpec:
    """The plan of that name; where there is none, one that brings up one pod after the other."""
    known = target.plan(name)
    if known is not None:
        return known
    return PlanSpec(name=name, phases=tuple(PhaseSpec(name=one.name, pods=one.name) for one in target.pods))


def courses(target: Target, instances: Instances, runs: Mapping[str, Run], *, first: bool) -> tuple[Course, ...]:
    """All plans, in the order of their precedence.

    `first` says that the service was not yet deployed to its end. Plans that changes do not follow now are there, too.
    """
    rollout = target.rollout(first=first)
    current = _rollout(target, rollout_spec(target, rollout), instances)
    others = []
    if rollout == UPDATE:
        others.append(_done(_rollout(target, rollout_spec(target, DEPLOY), instances)))
    elif target.plan(UPDATE) is not None:
        others.append(_not_started(_rollout(target, rollout_spec(target, UPDATE), instances)))
    custom = [
        _custom(target, plan, instances, runs.get(plan.name)) for plan in target.plans if plan.name not in _ROLLOUTS
    ]
    return (current, decommission(target, instances), recovery(instances), *custom, *others)


def recovery(instances: Instances) -> Course:
    """The plan that brings back pods which are not what they were: each set is a phase, all at once."""
    phases = []
    for set_name in dict.fromkeys(one.set_name for one in instances.values()):
        steps = [_recovery_step(one) for one in instances.values() if one.set_name == set_name and _is_lost(one)]
        if steps:
            phases.append(Phase(set_name, "Parallel", tuple(steps)))
    return Course(RECOVERY, "Parallel", tuple(phases), RECOVERY)


def decommission(target: Target, instances: Instances) -> Course:
    """The plan that removes pods beyond the target: the last set first, of each the highest number first."""
    surplus = [one for one in instances.values() if is_surplus(target, one)]
    order = {one.name: place for place, one in enumerate(target.pods)}
    sets = sorted(dict.fromkeys(one.set_name for one in surplus), key=lambda name: (-order.get(name, 10**6), name))
    phases = []
    for set_name in sets:
        own = sorted((one for one in surplus if one.set_name == set_name), key=lambda one: -one.index)
        steps = tuple(
            Step(one.name, "Starting" if one.record is not None and one.record.removing else "Pending") for one in own
        )
        phases.append(Phase(set_name, "Serial", steps))
    return Course(DECOMMISSION, "Serial", tuple(phases), DECOMMISSION)


def is_surplus(target: Target, one: Instance) -> bool:
    """Whether the target does not ask for this pod."""
    pod_set = target.sets.get(one.set_name)
    return pod_set is None or one.index >= pod_set.count


def done_key(plan: str, task: str) -> str:
    """By what a record tells that a side task was done; `task` is empty for the pod itself."""
    return task if plan in _ROLLOUTS else f"{plan}/{task}"


def indexes(phase: PhaseSpec, pod_set: PodSet) -> Iterable[int]:
    """The pods that a phase is about, in its order."""
    return phase.indexes or range(pod_set.count)


def is_run_of(pod: Pod, plan: str, token: str) -> bool:
    """Whether the pod of a side task was made for this plan and token."""
    labels = pod.metadata.labels
    own = "" if plan in _ROLLOUTS else plan
    return labels.get(LABEL_REVISION) == token and labels.get(LABEL_PLAN, "") == own


def token_of(target: Target, plan: str, pod_set: PodSet, task: str, run: Run | None) -> str:
    """What a side task is done for."""
    side = target.task(pod_set.name, task)
    if plan in _ROLLOUTS and side is not None:
        return task_token(target.revision_of(pod_set.name), side)
    return run.id if run is not None else ""


def is_done(target: Target, record: Record, set_name: str, task: str, key: str, token: str) -> bool:
    """Whether a side task is done: for the token, or for good if it is done once."""
    side = target.task(set_name, task)
    if side is not None and side.goal == "Once":
        return any(known == task or known.endswith(f"/{task}") for known in record.done)
    return record.done.get(key) == token


def _rollout(target: Target, plan: PlanSpec, instances: Instances) -> Course:
    phases = []
    for phase in plan.phases:
        pod_set = target.sets[phase.pods]
        steps = []
        for index in indexes(phase, pod_set):
            one = instances[f"{pod_set.name}-{index}"]
            if phase.task is None:
                steps.append(_pod_step(one, target.revision_of(pod_set.name)))
            else:
                steps.append(_task_step(target, one, plan.name, pod_set, phase.task, None))
        phases.append(_phase(phase, steps))
    return Course(plan.name, plan.strategy, tuple(phases), target.revision)


def _custom(target: Target, plan: PlanSpec, instances: Instances, run: Run | None) -> Course:
    phases = []
    for phase in plan.phases:
        pod_set = target.sets[phase.pods]
        steps = []
        for index in indexes(phase, pod_set):
            one = instances[f"{pod_set.name}-{index}"]
            if run is None or run.ended:
                steps.append(Step(one.name, "Complete" if run is not None else "Pending"))
            elif phase.task is None:
                steps.append(_cycle_step(one, plan.name, run))
            else:
                steps.append(_task_step(target, one, plan.name, pod_set, phase.task, run))
        phases.append(_phase(phase, steps))
    return Course(plan.name, plan.strategy, tuple(phases), run.id if run is not None else None, run)


def _phase(phase: PhaseSpec, steps: Iterable[Step]) -> Phase:
    return Phase(phase.name, phase.strategy, tuple(steps), phase.depends_on, phase.task)


def _done(course: Course) -> Course:
    """A plan that was followed to its end once, and is not followed for changes."""
    phases = (
        Phase(phase.name, "Serial", tuple(Step(step.name, "Complete") for step in phase.steps), (), phase.task)
        for phase in course.phases
    )
    return Course(course.name, "Serial", tuple(phases), course.token)


def _not_started(course: Course) -> Course:
    phases = (
        Phase(phase.name, phase.strategy, tuple(Step(step.name, "Pending") for step in phase.steps), (), phase.task)
        for phase in course.phases
    )
    return Course(course.name, "Serial", tuple(phases), None)


def _pod_step(one: Instance, revision: str) -> Step:
    record = one.record
    if record is not None and record.removing:
        return Step(one.name, "Pending", "what there is of it is removed first")
    if record is None or record.again or record.revision != revision:
        return Step(one.name, "Pending")
    if record.settled:
        return Step(one.name, "Complete")
    return Step(one.name, _under_way(one, record, POD), why_not_ready(one))


def _cycle_step(one: Instance, plan: str, run: Run) -> Step:
    record = one.record
    if record is None:
        return Step(one.name, "Pending", "the pod was not deployed yet")
    if record.done.get(done_key(plan, "")) == run.id:
        return Step(one.name, "Complete")
    if record.cycle == f"{plan} {run.id}":
        return Step(one.name, _under_way(one, record, POD), why_not_ready(one))
    return Step(one.name, "Pending")


def _task_step(target: Target, one: Instance, plan: str, pod_set: PodSet, task: str, run: Run | None) -> Step:
    record = one.record
    token = token_of(target, plan, pod_set, task, run)
    if record is not None and is_done(target, record, pod_set.name, task, done_key(plan, task), token):
        return Step(one.name, "Complete")
    pod = one.tasks.get(task)
    if pod is not None and is_run_of(pod, plan, token):
        return Step(
            one.name, "Starting", f"task {task} runs" if pod.status.phase == "Running" else f"task {task} starts"
        )
    if record is not None and _failures(record, task).count:
        return Step(one.name, "Delayed", f"task {task} has failed {times(_failures(record, task).count)}")
    return Step(one.name, "Pending")


def _recovery_step(one: Instance) -> Step:
    record = one.record
    assert record is not None  # noqa: S101 - only pods with a record are lost
    begun = one.pod is not None or record.replacing or record.arriving or record.restart or record.cycle
    return Step(one.name, _under_way(one, record, POD) if begun else "Pending", why_not_ready(one))


def _under_way(one: Instance, record: Record, key: str) -> StepState:
    """Delayed while nothing runs after a failure, and otherwise Starting."""
    return "Delayed" if one.pod is None and _failures(record, key).count else "Starting"


def _is_lost(one: Instance) -> bool:
    """Whether the pod was ready at what it runs, and is not now, or is being moved."""
    record = one.record
    if record is None or record.removing or not record.settled:
        return False
    return bool(record.replacing or record.arriving) or one.pod is None or one.pod.leaving or not one.pod.ready


def why_not_ready(one: Instance) -> str:
    """What a pod that is not ready waits for, as far as it and its record tell."""
    record, pod = one.record, one.pod
    if record is not None and record.replacing:
        return "what it has on its former node is given up"
    if pod is None:
        if record is not None and _failures(record, POD).count:
            return f"its pod has failed {times(_failures(record, POD).count)}; it is started again after a wait"
        if one.place is None:
            return "waiting for an offer to reserve its place from"
        return f"its pod is about to start on {one.place.spec.node}"
    if pod.leaving:
        return "its former pod is ending"
    for status in pod.status.container_statuses:
        waiting = status.state.waiting
        if waiting is not None and waiting.reason not in ("", "ContainerCreating", "PodInitializing"):
            return f"container {status.name}: {waiting.reason}: {waiting.message}"[:300].rstrip(": ")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"kube-scheduler cannot bind its pod: {condition.message}"[:300]
    return "its pod is not ready yet"


def times(count: int) -> str:
    """So many times, for people."""
    return "once" if count == 1 else f"{count} times in a row"


def _failures(record: Record, key: str) -> Failures:
    return record.failures.get(key, Failures())

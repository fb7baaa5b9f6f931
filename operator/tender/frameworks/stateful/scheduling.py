"""Pods that kube-scheduler has to bind, because their volumes do not exist yet, and cannot."""

from datetime import datetime

from tender.frameworks.stateful.instances import Instance

STUCK_SECONDS = 60.0
"""How long kube-scheduler may say that the pod cannot be bound, until the place is given up: longer than the claim that
it was made from may be kept by a Reservation, so that the same place is not taken again.
"""


def stuck_since(one: Instance) -> float | None:
    """Since when (epoch seconds) the pod cannot be bound at its place, where it may still go elsewhere; None: it can,
    or there may be data in its volumes already.
    """
    pod = one.pod
    if pod is None or pod.leaving or pod.spec.node_name or one.place is None or one.bound_volumes:
        return None
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False" and condition.reason == "Unschedulable":
            return datetime.fromisoformat(condition.last_transition_time or "1970-01-01T00:00:00Z").timestamp()
    return None


def given_up(one: Instance, now: float) -> bool:
    """Whether the place is given up."""
    since = stuck_since(one)
    return since is not None and now >= since + STUCK_SECONDS

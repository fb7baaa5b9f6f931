"""Which pods move without being asked to: those whose nodes have been lost for as long as the spec says."""

import math
from collections.abc import Mapping

from tender.api.stateful import RecoverySpec
from tender.frameworks.sdk.silence import node_silent_since
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.records import AUTOMATIC, Record


def lost_since(one: Instance) -> float | None:
    """Since when (epoch seconds) the node of the pod's place has not answered; None while it does, or nobody knows."""
    place, node = one.place, one.node
    if place is None:
        return None
    if node is not None:
        return node_silent_since(node)
    lost_at = place.status.node_lost_at
    return lost_at.timestamp() if lost_at is not None else None


def last_replacement(instances: Mapping[str, Instance]) -> float:
    """When (epoch seconds) a pod was last moved without request, by what is recorded of the pods; 0: never."""
    return max((one.record.replaced_at for one in instances.values() if one.record is not None), default=0.0)


def to_replace(
    instances: Mapping[str, Instance], spec: RecoverySpec, replaced_at: float, now: float
) -> tuple[dict[str, str], float | None]:
    """The pod that is moved now, with the token for it, and when (epoch seconds) the next may be due.

    One at a time, with at least `minimumDelay` between two: when many nodes are lost at once, it is rather the network.
    """
    after = spec.replace_seconds
    if after is None:
        return {}, None
    due: dict[str, float] = {}
    for name, one in instances.items():
        since = lost_since(one)
        if since is not None and one.record is not None and one.record.revision and not _leaves(one.record):
            due[name] = max(since + after, replaced_at + spec.delay_seconds if replaced_at else -math.inf)
    moving = (
        name
        for name, one in instances.items()
        if one.record is not None and (one.record.replacing or one.record.arriving) and name not in due
    )
    if not due or any(moving):
        return {}, None
    name = min(due, key=lambda name: (due[name], name))
    if due[name] > now:
        return {}, due[name]
    return {name: f"{AUTOMATIC}-{int(now)}"}, None


def _leaves(record: Record) -> bool:
    return bool(record.replacing or record.removing)

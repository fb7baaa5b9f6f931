"""Frameworks as rows: state, role, tasks, share of the cluster, and for how long they have waited."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tender.api.conditions import READY, RECONCILING, STALLED, find_condition
from tender.api.framework import Framework
from tender.cli.views.ages import age
from tender.cli.views.amounts import quantities
from tender.cli.views.table import UNSEEN, Column

DELETING, PENDING, EXTERNAL = "Deleting", "Pending", "External"
_COLOURS = {"Ready": "green", "Stalled": "red", DELETING: "yellow"}


def columns(now: datetime, *, namespaces: bool) -> list[Column[Framework]]:
    """The columns of a list; `namespaces` adds that of the namespace."""
    first = [Column[Framework]("NAMESPACE", lambda one: one.metadata.namespace or "")] if namespaces else []
    return [
        *first,
        Column("NAME", lambda one: one.metadata.name),
        Column("KIND", kind, wide=True),
        Column("ROLE", lambda one: ",".join(one.spec.all_roles)),
        Column("STATE", state, colours=_COLOURS),
        Column("READY", tasks),
        Column("SHARE", lambda one: one.status.allocation.dominant_share if one.status.allocation else ""),
        Column("WAITING", lambda one: age(one.status.waiting.since, now) if one.status.waiting else ""),
        Column("AGE", lambda one: age(one.metadata.creation_timestamp, now)),
        Column("HOLDS", lambda one: quantities(one.status.allocation.allocated if one.status.allocation else {}), True),
        Column("OFFERED", lambda one: quantities(one.status.allocation.offered if one.status.allocation else {}), True),
        Column("MESSAGE", message, wide=True),
    ]


def kind(one: Framework) -> str:
    """The kind of workload, as the field of the spec is named."""
    kinds = {"service": one.spec.service, "stateful": one.spec.stateful, "external": one.spec.external}
    return next((name for name, spec in kinds.items() if spec is not None), "")


def state(one: Framework) -> str:
    """Where it stands: Ready, Stalled with the reason, or the reason why it is on its way."""
    if one.metadata.deletion_timestamp is not None:
        return DELETING
    holding = _holding(one)
    if holding is None:
        return EXTERNAL if one.spec.external is not None else PENDING
    kind_of_state, reason, _ = holding
    if kind_of_state == STALLED:
        return f"{STALLED} ({reason})"
    return READY if kind_of_state == READY else reason


def message(one: Framework) -> str:
    """The sentence that explains the state."""
    holding = _holding(one)
    return holding[2] if holding is not None else ""


def wanted(one: Framework) -> int | None:
    """How many tasks it wants to run; None if nobody knows."""
    if one.spec.service is not None:
        return one.spec.service.replicas
    if one.spec.stateful is not None:
        return sum(each.count for each in one.spec.stateful.pods)
    return None if one.status.demand is None else sum(each.count for each in one.status.demand)


def tasks(one: Framework) -> str:
    """Tasks that are ready, of those that it wants."""
    ready, number = one.status.ready_replicas, wanted(one)
    if ready is None and number is None:
        return ""
    return f"{UNSEEN if ready is None else ready}/{UNSEEN if number is None else number}"


def longest_waiting(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of these manifests whose tasks wait for a place, the longest waiting first."""
    waiting = [(since, one) for one in objects if (since := one.get("status", {}).get("waiting", {}).get("since"))]
    return [one for _, one in sorted(waiting, key=lambda pair: pair[0])]


def _holding(one: Framework) -> tuple[str, str, str] | None:
    """The condition that holds of the three that say where an object stands: its type, reason and message."""
    for kind_of_state in (STALLED, RECONCILING, READY):
        condition = find_condition(one.status.conditions, kind_of_state)
        if condition is not None and condition.status == "True":
            return kind_of_state, condition.reason, condition.message
    return None

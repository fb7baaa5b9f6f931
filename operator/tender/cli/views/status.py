"""The cluster at a glance: what there is of each resource and who has it, and where frameworks stand."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tender.allocation.shares import add_into
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION
from tender.api.quantities import Resources, parse_resources
from tender.api.requests import pod_requests
from tender.api.reservation import Reservation
from tender.cli.views.amounts import amount, ordered
from tender.cli.views.frameworks import state
from tender.cli.views.table import UNSEEN, Column


@dataclass(frozen=True, slots=True)
class Row:
    """One resource, in milli-CPU, bytes or counts; None: the user may not see it."""

    resource: str
    capacity: int | None
    allocated: int | None
    offered: int | None
    reserved: int | None
    others: int | None

    @property
    def used(self) -> float | None:
        """The fraction of the capacity that pods and claims hold, of frameworks and others."""
        if not self.capacity or self.allocated is None or self.others is None:
            return None
        return (self.allocated + self.others) / self.capacity


def columns() -> list[Column[Row]]:
    """The columns of resources."""

    def of(row: Row, number: int | None) -> str:
        return UNSEEN if number is None else amount(row.resource, number)

    return [
        Column("RESOURCE", lambda row: row.resource),
        Column("CAPACITY", lambda row: of(row, row.capacity)),
        Column("ALLOCATED", lambda row: of(row, row.allocated)),
        Column("OFFERED", lambda row: of(row, row.offered)),
        Column("RESERVED", lambda row: of(row, row.reserved)),
        Column("OTHERS", lambda row: of(row, row.others)),
        Column("USED", lambda row: UNSEEN if row.used is None else f"{row.used:.0%}"),
    ]


def rows(
    capacity: Resources | None,
    frameworks: Sequence[Framework] | None,
    reservations: Sequence[Reservation] | None,
    pods: Iterable[Pod] | None,
) -> list[Row]:
    """What there is in all, what frameworks hold in pods and claims, what is on offer, what is reserved and unused, and
    what pods outside of frameworks hold. None stands for what the user may not see.
    """
    allocations = [one.status.allocation for one in frameworks or () if one.status.allocation is not None]
    allocated = _sum(parse_resources(one.allocated) for one in allocations)
    offered = _sum(parse_resources(one.offered) for one in allocations)
    reserved = _sum(parse_resources(one.status.unused) for one in reservations or ())
    others = _sum({"pods": 1, **pod_requests(pod.spec)} for pod in pods or () if _is_outside(pod))
    names = (capacity or {}).keys() | allocated.keys() | offered.keys() | reserved.keys()
    return [
        Row(
            name,
            None if capacity is None else capacity.get(name, 0),
            None if frameworks is None else allocated.get(name, 0),
            None if frameworks is None else offered.get(name, 0),
            None if reservations is None else reserved.get(name, 0),
            None if pods is None else others.get(name, 0),
        )
        for name in ordered(names)
    ]


def summary(frameworks: Iterable[Framework]) -> str:
    """How many frameworks there are, and how many are in which state, the most frequent first."""
    counts = Counter(state(one) for one in frameworks)
    told = [f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return f"{counts.total()}" + (f" ({', '.join(told)})" if told else "")


def _is_outside(pod: Pod) -> bool:
    owner = pod.controller
    is_framework = owner is not None and (owner.api_version, owner.kind) == (API_VERSION, "Framework")
    return bool(pod.spec.node_name) and not is_framework


def _sum(several: Iterable[Resources]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in several:
        add_into(total, one)
    return total

"""Reservations: resources of a node that are kept for a role and those below it, also while nothing runs on them.

What an entitled framework holds on a node uses up the reservations there before anything else: those that name it,
then those of its own role, then those of the roles above. What is left of a reservation is unused, and counts as held
by its role (and by the framework that it names) all the same.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from tender.allocation.model import Charge, Reservation
from tender.allocation.shares import add_into
from tender.api.quantities import Resources

Group = tuple[str, str | None]
"""Reservations on one node are summed by role and by the framework they name (None: any of the role)."""


class Reservations:
    """All reservations, by node."""

    def __init__(self) -> None:
        self._all: dict[Hashable, Reservation] = {}
        self._by_node: dict[str, set[Hashable]] = {}

    def put(self, key: Hashable, reservation: Reservation) -> None:
        """Set the reservation of this key."""
        self.remove(key)
        self._all[key] = reservation
        self._by_node.setdefault(reservation.node, set()).add(key)

    def remove(self, key: Hashable) -> None:
        """End the reservation of this key."""
        reservation = self._all.pop(key, None)
        if reservation is None:
            return
        keys = self._by_node[reservation.node]
        keys.discard(key)
        if not keys:
            del self._by_node[reservation.node]

    def nodes(self) -> Iterable[str]:
        """The nodes that something is reserved on."""
        return self._by_node.keys()

    def any_on(self, node: str) -> bool:
        """Whether anything is reserved on a node."""
        return node in self._by_node

    def on(self, node: str) -> dict[Group, dict[str, int]]:
        """What is reserved on a node, used or not."""
        sums: dict[Group, dict[str, int]] = {}
        for key in self._by_node.get(node, ()):
            reservation = self._all[key]
            add_into(sums.setdefault((reservation.role, reservation.framework), {}), reservation.resources)
        return sums


def sources(groups: Iterable[Group], framework: str, lineage: Sequence[str]) -> list[Group]:
    """The groups that a framework may use, in the order in which it uses them up. `lineage`: its role and upwards."""
    present = set(groups)
    ordered: list[Group] = [(role, framework) for role in lineage] + [(role, None) for role in lineage]
    return [group for group in ordered if group in present]


def left_unused(
    reserved: Mapping[Group, Resources], charges: Iterable[Charge], line: Callable[[str], Sequence[str]]
) -> dict[Group, dict[str, int]]:
    """What is left of the reservations of a node, given what frameworks hold there. `line`: of a framework's role."""
    held: dict[str, dict[str, int]] = {}
    for charge in charges:
        add_into(held.setdefault(charge.framework or "", {}), charge.resources)
    unused = {group: dict(amounts) for group, amounts in reserved.items()}
    for framework, amounts in held.items():
        for group in sources(unused, framework, line(framework)):
            used = overlap(amounts, unused[group])
            add_into(unused[group], used, -1)
            add_into(amounts, used, -1)
    return unused


def overlap(some: Resources, others: Resources) -> dict[str, int]:
    """The smaller amount of each resource, of those where both are above zero."""
    return {name: min(amount, others[name]) for name, amount in some.items() if amount > 0 and others.get(name, 0) > 0}

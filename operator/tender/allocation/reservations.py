"""Reservations: resources of a node that are kept for a role and those below it, also while nothing runs on them.

What an entitled framework holds on a node uses up the reservations there before anything else: those that name it,
then those of its own role, then those of the roles above. What is left of a reservation is unused, and counts as held
by its role (and by the framework that it names) all the same.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set

from tender.allocation.model import Member, Reservation
from tender.allocation.shares import add_into
from tender.api.quantities import Resources

Group = tuple[str, str | None]
"""Reservations on one node are summed by role and by the framework they name (None: any of the role)."""


class Reservations:
    """All reservations, by node."""

    def __init__(self) -> None:
        self._all: dict[Hashable, Reservation] = {}
        self._by_node: dict[str, set[Hashable]] = {}
        self._places: dict[Group, frozenset[str]] | None = None

    def put(self, key: Hashable, reservation: Reservation) -> None:
        """Set the reservation of this key."""
        self.remove(key)
        self._all[key] = reservation
        self._by_node.setdefault(reservation.node, set()).add(key)
        self._places = None

    def remove(self, key: Hashable) -> None:
        """End the reservation of this key."""
        reservation = self._all.pop(key, None)
        if reservation is None:
            return
        keys = self._by_node[reservation.node]
        keys.discard(key)
        if not keys:
            del self._by_node[reservation.node]
        self._places = None

    def get(self, key: Hashable) -> Reservation | None:
        """The reservation of this key."""
        return self._all.get(key)

    def nodes(self) -> Set[str]:
        """The nodes that something is reserved on."""
        return self._by_node.keys()

    def any_on(self, node: str) -> bool:
        """Whether anything is reserved on a node."""
        return node in self._by_node

    def places(self) -> Mapping[Group, frozenset[str]]:
        """The nodes that something is reserved on, by whom it is for."""
        if self._places is None:
            nodes: dict[Group, set[str]] = {}
            for one in self._all.values():
                nodes.setdefault((one.role, one.framework), set()).add(one.node)
            self._places = {group: frozenset(names) for group, names in nodes.items()}
        return self._places

    def on(self, node: str, lineage: Callable[[str], Sequence[str]]) -> dict[Group, dict[str, int]]:
        """What is reserved on a node, used or not. `lineage`: a role and those above it, by name.

        What one reservation keeps as a part of another, for a role below that one's, the other keeps no longer.
        """
        sums: dict[Group, dict[str, int]] = {}
        keys = self._by_node.get(node, set())
        refined: dict[Hashable, dict[str, int]] = {}
        for key in keys:
            one = self._all[key]
            whole = self._all[one.refines] if one.refines in keys else None
            if whole is not None and one.refines != key and whole.role in lineage(one.role)[1:]:
                add_into(refined.setdefault(one.refines, {}), one.resources)
        for key in keys:
            one = self._all[key]
            amounts = dict(one.resources)
            add_into(amounts, overlap(amounts, refined.get(key, {})), -1)
            add_into(sums.setdefault((one.role, one.framework), {}), amounts)
        return sums


def sources(groups: Iterable[Group], framework: str, lineage: Sequence[str]) -> list[Group]:
    """The groups that a framework may use, in the order in which it uses them up. `lineage`: its role and upwards."""
    present = set(groups)
    ordered: list[Group] = [(role, framework) for role in lineage] + [(role, None) for role in lineage]
    return [group for group in ordered if group in present]


def left_unused(
    reserved: Mapping[Group, Resources], held: Mapping[Member, Resources], lineage: Callable[[str], Sequence[str]]
) -> dict[Group, dict[str, int]]:
    """What is left of the reservations of a node, given what frameworks hold there in which roles."""
    unused = {group: dict(amounts) for group, amounts in reserved.items()}
    for (framework, role), resources in held.items():
        amounts = dict(resources)
        for group in sources(unused, framework, lineage(role)):
            used = overlap(amounts, unused[group])
            add_into(unused[group], used, -1)
            add_into(amounts, used, -1)
    return unused


def overlap(some: Resources, others: Resources) -> dict[str, int]:
    """The smaller amount of each resource, of those where both are above zero."""
    return {name: min(amount, others[name]) for name, amount in some.items() if amount > 0 and others.get(name, 0) > 0}

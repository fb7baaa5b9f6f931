"""Running sums over charges: what is free by node, what is held by framework and role, and how many tasks are where."""

from collections.abc import Mapping

from tender.allocation.model import Charge
from tender.allocation.shares import add_into
from tender.api.quantities import Resources

_NOTHING: dict[str, int] = {}
_NOWHERE: dict[str | None, dict[str, int]] = {}


class Holdings:
    """What is held, summed up as charges come and go."""

    def __init__(self) -> None:
        self._used: dict[str, dict[str, int]] = {}
        self._free: dict[str, dict[str, int]] = {}
        self._held: dict[str, dict[str | None, dict[str, int]]] = {}
        self._offered: dict[str, dict[str | None, dict[str, int]]] = {}
        self._tasks: dict[str, dict[str, dict[str, int]]] = {}

    def size(self, node: str, allocatable: Resources | None) -> None:
        """A node has so much in all; None: it is gone."""
        if allocatable is None:
            self._free.pop(node, None)
            return
        used = self._used.get(node, _NOTHING)
        self._free[node] = {name: amount - used.get(name, 0) for name, amount in allocatable.items()}

    def count(self, charge: Charge, sign: int) -> None:
        """Add a charge, or with `sign` -1 take it off."""
        add_into(self._used.setdefault(charge.node, {}), charge.resources, sign)
        free = self._free[charge.node]
        for name, amount in charge.resources.items():
            if name in free:
                free[name] -= sign * amount
        if charge.framework is None:
            return
        held = self._held.setdefault(charge.framework, {})
        add_into(held.setdefault(charge.role, {}), charge.resources, sign)
        if charge.offered:
            offered = self._offered.setdefault(charge.framework, {})
            add_into(offered.setdefault(charge.role, {}), charge.resources, sign)
        for name, count in charge.tasks.items():
            places = self._tasks.setdefault(charge.framework, {}).setdefault(name, {})
            add_into(places, {charge.node: count}, sign)

    def free(self, node: str) -> dict[str, int]:
        """What nobody holds on a node that is there; negative where more is held than the node has."""
        return self._free[node]

    def held(self, framework: str) -> Mapping[str | None, dict[str, int]]:
        """What a framework holds, offers included, by the role that it is charged to (None: its first)."""
        return self._held.get(framework, _NOWHERE)

    def offered(self, framework: str) -> Mapping[str | None, dict[str, int]]:
        """What is on offer to a framework, by the role that it is charged to (None: its first)."""
        return self._offered.get(framework, _NOWHERE)

    def tasks(self, framework: str, task: str) -> Mapping[str, int]:
        """How many tasks of one name a framework has, by node."""
        return self._tasks.get(framework, {}).get(task, _NOTHING)

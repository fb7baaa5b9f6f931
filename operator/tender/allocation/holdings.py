"""Running sums over charges: by node, by framework, and how many tasks of each name a framework has where."""

from collections.abc import Mapping

from tender.allocation.model import Charge
from tender.allocation.shares import add_into
from tender.api.quantities import Resources

_NOTHING: Resources = {}


class Holdings:
    """What is held, summed up as charges come and go."""

    def __init__(self) -> None:
        self._used: dict[str, dict[str, int]] = {}
        self._held: dict[str, dict[str, int]] = {}
        self._offered: dict[str, dict[str, int]] = {}
        self._tasks: dict[str, dict[str, dict[str, int]]] = {}

    def count(self, charge: Charge, sign: int) -> None:
        """Add a charge, or with `sign` -1 take it off."""
        add_into(self._used.setdefault(charge.node, {}), charge.resources, sign)
        if charge.framework is None:
            return
        add_into(self._held.setdefault(charge.framework, {}), charge.resources, sign)
        if charge.offered:
            add_into(self._offered.setdefault(charge.framework, {}), charge.resources, sign)
        for name, count in charge.tasks.items():
            places = self._tasks.setdefault(charge.framework, {}).setdefault(name, {})
            add_into(places, {charge.node: count}, sign)

    def used(self, node: str) -> Resources:
        """What is held on a node by anybody."""
        return self._used.get(node, _NOTHING)

    def held(self, framework: str) -> Resources:
        """What a framework holds, offers included."""
        return self._held.get(framework, _NOTHING)

    def offered(self, framework: str) -> Resources:
        """What is on offer to a framework."""
        return self._offered.get(framework, _NOTHING)

    def tasks(self, framework: str, task: str) -> Mapping[str, int]:
        """How many tasks of one name a framework has, by node."""
        return self._tasks.get(framework, {}).get(task, _NOTHING)

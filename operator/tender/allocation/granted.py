"""The portions that one framework has been granted in a cycle, in one role, summed by node."""

from collections.abc import Iterator, Mapping

from tender.allocation.account import Portion
from tender.allocation.model import Grant, Member
from tender.allocation.shares import add_into
from tender.allocation.slots import joined
from tender.api.quantities import Resources

_NO_TASKS: Mapping[str, int] = {}


class Granted:
    """Portions by the slots of their nodes."""

    def __init__(self) -> None:
        self._amounts: dict[int, Resources] = {}
        self._tasks: dict[int, dict[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def add(self, portion: Portion) -> bool:
        """Add a portion; whether it is the first on its node."""
        slot = portion.slot
        before = self._amounts.get(slot)
        if before is None:
            self._amounts[slot] = portion.resources
        else:
            amounts = dict(before)
            add_into(amounts, portion.resources)
            self._amounts[slot] = amounts
        if portion.task is not None:
            counts = self._tasks.get(slot)
            if counts is None:
                self._tasks[slot] = {portion.task: portion.number}
            else:
                counts[portion.task] = counts.get(portion.task, 0) + portion.number
        return before is None

    def nodes(self) -> int:
        """The nodes that portions are on."""
        return joined(self._amounts)

    def finished(self, member: Member, names: list[str]) -> Iterator[Grant]:
        """One grant for each node, by its name."""
        framework, role = member
        tasks = self._tasks
        for slot in sorted(self._amounts, key=names.__getitem__):
            if tasks:
                yield Grant(framework, role, names[slot], self._amounts[slot], tasks.get(slot, _NO_TASKS))
            else:
                yield Grant(framework, role, names[slot], self._amounts[slot])

"""The portions that one framework has been granted in a cycle, in one role, summed by node."""

from tender.allocation.account import Portion
from tender.allocation.model import Grant, Member
from tender.allocation.shares import add_into
from tender.allocation.slots import joined
from tender.api.quantities import Resources


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

    def finished(self, member: Member, names: list[str]) -> list[Grant]:
        """One grant for each node, in the order in which they were granted."""
        framework, role = member
        tasks = self._tasks
        if tasks:
            return [
                Grant(framework, role, names[slot], amounts, tasks[slot]) for slot, amounts in self._amounts.items()
            ]
        return [Grant(framework, role, names[slot], amounts) for slot, amounts in self._amounts.items()]

"""The portions that one framework has been granted in a cycle, in one role, summed by node."""

from tender.allocation.model import Grant, Member
from tender.allocation.shares import add_into
from tender.allocation.slots import joined
from tender.api.quantities import Resources


class Granted:
    """Portions by the slots of their nodes."""

    def __init__(self) -> None:
        self._amounts: dict[int, Resources] = {}
        self._tasks: dict[int, dict[str, int]] = {}

    def __len__(self) -> int:
        """On how many nodes."""
        return len(self._amounts)

    def put(self, slot: int, resources: Resources) -> None:
        """Add the first portion on a node, which leaves nothing for another."""
        self._amounts[slot] = resources

    def add(self, slot: int, resources: Resources, task: str | None = None, count: int = 0) -> bool:
        """Add a portion, for so many tasks if it is for tasks; whether it is the first on its node."""
        before = self._amounts.get(slot)
        if before is None:
            self._amounts[slot] = resources
            if task is not None:
                self._tasks[slot] = {task: count}
            return True
        amounts = dict(before)
        add_into(amounts, resources)
        self._amounts[slot] = amounts
        if task is not None:
            counts = self._tasks[slot]
            counts[task] = counts.get(task, 0) + count
        return False

    def nodes(self) -> int:
        """The nodes that portions are on."""
        return joined(self._amounts)

    def tasks(self, name: str) -> dict[int, int]:
        """How many tasks of one name are where."""
        return {slot: counts[name] for slot, counts in self._tasks.items() if name in counts}

    def finished(self, member: Member, names: list[str]) -> list[Grant]:
        """One grant for each node, in the order in which they were granted."""
        framework, role = member
        tasks, amounts = self._tasks, self._amounts
        if tasks:
            return [Grant(framework, role, names[slot], amounts[slot], tasks[slot]) for slot in amounts]
        return [Grant(framework, role, names[slot], amounts[slot]) for slot in amounts]

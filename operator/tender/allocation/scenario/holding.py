"""What a framework has of one node, on offer or in use: whole tasks, and amounts that belong to no task."""

from collections import Counter
from dataclasses import dataclass, field

from tender.allocation.shares import add_into, fits
from tender.api.quantities import Resources

Task = tuple[str, Resources]
"""The name of a demand and what one of its tasks takes."""


@dataclass(slots=True)
class Holding:
    """Tasks, and what is held besides."""

    plain: dict[str, int] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    def resources(self) -> dict[str, int]:
        """All of it."""
        sums = dict(self.plain)
        for _, requests in self.tasks:
            add_into(sums, requests)
        return sums

    def counts(self) -> dict[str, int]:
        """How many tasks there are, by name."""
        return dict(Counter(name for name, _ in self.tasks))

    def add(self, other: "Holding") -> None:
        """Take another holding in."""
        add_into(self.plain, other.plain)
        self.tasks += other.tasks

    def part(self, amounts: Resources) -> "Holding":
        """A part of these amounts: as many of the tasks as it has room for, and the rest plain."""
        left = {resource: amount for resource, amount in amounts.items() if amount > 0}
        tasks = []
        for name, requests in self.tasks:
            if any(requests.values()) and fits(requests, left):
                add_into(left, requests, -1)
                tasks.append((name, requests))
        return Holding(left, tasks)

    def free(self, amounts: Resources) -> None:
        """Give amounts back: plain ones first, then whole tasks, and of one more task what is needed."""
        missing = {}
        for resource, amount in amounts.items():
            from_plain = min(amount, self.plain.get(resource, 0))
            add_into(self.plain, {resource: from_plain}, -1)
            if amount > from_plain:
                missing[resource] = amount - from_plain
        for ended in self.part(missing).tasks:
            self.tasks.remove(ended)
            add_into(missing, ended[1], -1)
        while any(amount > 0 for amount in missing.values()):
            broken = next(
                task for task in self.tasks if any(task[1].get(name, 0) > 0 and missing[name] > 0 for name in missing)
            )
            self.tasks.remove(broken)
            add_into(self.plain, broken[1])
            for resource in list(missing):
                from_plain = min(missing[resource], self.plain.get(resource, 0))
                add_into(self.plain, {resource: from_plain}, -1)
                add_into(missing, {resource: from_plain}, -1)

"""Nodes: how many are of use, and what they have in all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tender.allocation import Node
from tender.allocation.shares import add_into


@dataclass(frozen=True)
class Nodes:
    """The nodes of the cluster, whether or not the master may offer them."""

    all: Sequence[Node]

    @cached_property
    def totals(self) -> dict[str, int]:
        """What all nodes have, by resource."""
        totals: dict[str, int] = {}
        for node in self.all:
            add_into(totals, node.allocatable)
        return totals

    def summary(self) -> str:
        """How many there are, and how many of them nothing new may start on, by cause."""
        causes = Counter(node.unavailable.removeprefix("the node is ") for node in self.all if node.unavailable)
        told = [f"{count} {cause}" for cause, count in sorted(causes.items())]
        return f"{len(self.all)}" + (f" ({', '.join(told)})" if told else "")

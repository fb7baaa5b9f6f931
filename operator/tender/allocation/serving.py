"""The order in which a cycle serves frameworks: the role tree, walked level by level to whoever comes first.

Each level is a heap. By dominant share its keys are (share ÷ weight, past allocations, name): a grant raises the key
of the served framework and of every role above it, which are exactly the tops of the heaps on the way down, so the
order costs O(depth · log width). By lot the key is the time at which a clock of rate `weight` rings next: the first to
ring is drawn with a chance in proportion to its weight (the largest of u^(1/weight), as Mesos' random sorter has it),
and since such clocks have no memory, setting the winner's anew makes every turn a fresh draw.

A role that has both frameworks and child roles competes with its children as one more child of weight 1.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tender.allocation.ledger import Ledger
from tender.allocation.model import Settings
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

_Rank = tuple[float, int, str]


class _Branch:
    """A role, the frameworks of a role that has children too, or (a leaf, whose heap stays empty) one framework.

    `scale` gives the cluster's total times the weight for every shared resource, so that equal shares compare equal.
    """

    __slots__ = ("allocations", "due", "heap", "held", "name", "role", "scale", "share", "weight")

    def __init__(
        self, name: str, role: str, weight: float, held: Resources, allocations: int, scale: Mapping[str, float]
    ) -> None:
        self.name = name
        self.role = role
        self.weight = weight
        self.held = dict(held)
        self.allocations = allocations
        self.scale = scale
        self.share = 0.0
        self.due: float | None = None
        self.heap: list[tuple[_Rank, _Branch]] = []
        for resource, amount in self.held.items():
            if resource in scale:
                self.share = max(self.share, amount / scale[resource])

    def add(self, amounts: Resources) -> None:
        """Count a grant."""
        held, scale = self.held, self.scale
        for resource, amount in amounts.items():
            held[resource] = now = held.get(resource, 0) + amount
            total = scale.get(resource)
            if total is not None and now > self.share * total:
                self.share = now / total

    def rank(self) -> _Rank:
        """The key that this branch is ordered by among its siblings; the lowest comes first."""
        return (self.share if self.due is None else self.due), self.allocations, self.name


class ServingOrder:
    """Who is served next, and what a grant to it changes. `start` says who takes part."""

    def __init__(self, ledger: Ledger, settings: Settings, holdings: Mapping[str, Resources], rng: "Random") -> None:
        self._ledger = ledger
        self._holdings = holdings
        self._own_holdings = ledger.framework_holdings()
        self._rng = rng if settings.sorter == "random" else None
        self._shared = {
            name: total
            for name, total in ledger.totals.items()
            if total > 0 and name not in settings.unshared_resources
        }
        self._scales: dict[float, Mapping[str, float]] = {1.0: self._shared}
        self._members: dict[str, list[str]] = {}
        self._allocations: dict[str, int] = {}
        for framework in ledger.frameworks.values():
            self._members.setdefault(framework.role, []).append(framework.name)
            for role in ledger.lineage(framework.role):
                past = self._allocations.get(role.name, 0)
                self._allocations[role.name] = past + ledger.allocations(framework.name)
        self._parents = {ledger.lineage(name)[1].name for name in ledger.roles if len(ledger.lineage(name)) > 1}
        self._root = _Branch("", "", 1.0, {}, 0, {})
        self._leaves: dict[str, _Branch] = {}
        self._ways: dict[str, list[_Branch]] = {}
        self._roles: dict[str, _Branch] = {}
        self._path: list[_Branch] = []

    def start(self, frameworks: Iterable[str]) -> None:
        """These frameworks take part from now on; what was granted before stays counted."""
        children: dict[_Branch, list[_Branch]] = {self._root: []}
        for name in frameworks:
            below = self._leaf(name)
            for above in self._way(self._ledger.frameworks[name].role):
                if above in children:
                    children[above].append(below)
                    break
                children[above] = [below]
                below = above
        for branch, members in children.items():
            if self._rng is not None:
                for member in members:
                    self._set_clock(member, self._rng)
            branch.heap = [(member.rank(), member) for member in members]
            heapq.heapify(branch.heap)
        self._find()

    def next(self) -> str | None:
        """The framework to serve next; None when all are done."""
        return self._path[-1].name if self._path else None

    def granted(
        self, resources: Resources, counted: Mapping[str, Resources] | None = None, allocations: int = 1
    ) -> None:
        """The framework named by `next` was granted these resources.

        `counted` says how much of them is new for each role, and under "" for the framework; by default all of them.
        """
        parent = self._root
        for branch in self._path:
            branch.add(resources if counted is None else counted[branch.role])
            branch.allocations += allocations
            if len(parent.heap) > 1:
                if self._rng is not None:
                    self._set_clock(branch, self._rng)
                heapq.heapreplace(parent.heap, (branch.rank(), branch))
            parent = branch
        self._find()

    def done(self) -> None:
        """The framework named by `next` takes no more."""
        path = [self._root, *self._path]
        for parent, child in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
            if child.heap:
                break
            heapq.heappop(parent.heap)
        self._find()

    def drain(self) -> Iterator[str]:
        """All who take part, in the order in which they would be served if nothing were granted."""
        while (name := self.next()) is not None:
            yield name
            self.done()

    def _find(self) -> None:
        """Follow the tops of the heaps down to the next framework."""
        self._path = path = []
        step = self._root
        while step.heap:
            step = step.heap[0][1]
            path.append(step)

    def _set_clock(self, branch: _Branch, rng: "Random") -> None:
        branch.due = (branch.due or 0.0) - math.log(1.0 - rng.random()) / branch.weight

    def _leaf(self, name: str) -> _Branch:
        leaf = self._leaves.get(name)
        if leaf is None:
            held = self._own_holdings[name]
            leaf = self._leaves[name] = _Branch(name, "", 1.0, held, self._ledger.allocations(name), self._shared)
        return leaf

    def _way(self, role: str) -> list[_Branch]:
        """The branches from the frameworks of a role up to the root."""
        way = self._ways.get(role)
        if way is None:
            way = self._ways[role] = [*self._own(role), *self._role_branches(role), self._root]
        return way

    def _own(self, role: str) -> Iterator[_Branch]:
        """The branch that gathers the own frameworks of a role with child roles."""
        if role in self._parents:
            names = self._members[role]
            held: dict[str, int] = {}
            for name in names:
                for resource, amount in self._own_holdings[name].items():
                    held[resource] = held.get(resource, 0) + amount
            past = sum(self._ledger.allocations(name) for name in names)
            yield _Branch(role, "", 1.0, held, past, self._shared)

    def _role_branches(self, role: str) -> Iterator[_Branch]:
        for one in self._ledger.lineage(role):
            branch = self._roles.get(one.name)
            if branch is None:
                held = self._holdings.get(one.name, {})
                past = self._allocations.get(one.name, 0)
                branch = _Branch(one.name, one.name, one.weight, held, past, self._scale(one.weight))
                self._roles[one.name] = branch
            yield branch

    def _scale(self, weight: float) -> Mapping[str, float]:
        if weight not in self._scales:
            self._scales[weight] = {name: total * weight for name, total in self._shared.items()}
        return self._scales[weight]

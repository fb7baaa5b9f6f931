"""The order in which a cycle serves frameworks: the role tree, walked level by level to whoever comes first.

Each level is a heap. By dominant share its keys are (share ÷ weight, past allocations, name): a grant raises the key
of the served framework and of every role above it, which are exactly the tops of the heaps on the way down, so the
order costs O(depth · log width). By lot the key is the time at which a clock of rate `weight` rings next: the first to
ring is drawn with a chance in proportion to its weight (the largest of u^(1/weight), as Mesos' random sorter has it),
and since such clocks have no memory, setting the winner's anew makes every turn a fresh draw.

A role that has both frameworks and child roles competes with its children as one more child of weight 1. A framework
in several roles takes part once in each.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tender.allocation.ledger import Ledger
from tender.allocation.model import Member, Settings
from tender.allocation.shares import Scale
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

_Entry = tuple[float, int, str, "_Branch | Member"]


class _Branch:
    """A role, the frameworks of a role that has children too, or (a leaf, whose heap stays empty) one member.

    `scale` gives the cluster's total times the weight for every shared resource, so that equal shares compare equal.
    """

    __slots__ = ("allocations", "due", "heap", "held", "member", "name", "role", "scale", "share", "weight")

    def __init__(
        self,
        name: str,
        role: str,
        weight: float,
        held: Resources,
        allocations: int,
        scale: Scale,
        member: Member | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.member = member
        self.weight = weight
        self.allocations = allocations
        self.scale = scale
        self.share = 0.0
        self.due: float | None = None
        self.heap: list[_Entry] = []
        self.held = [held.get(resource, 0) for resource, _ in scale]
        for amount, (_, total) in zip(self.held, scale, strict=True):
            if amount > self.share * total:
                self.share = amount / total

    def add(self, amounts: Resources) -> None:
        """Count a grant."""
        held, share = self.held, self.share
        for position, (resource, total) in enumerate(self.scale):
            amount = amounts.get(resource)
            if amount:
                held[position] = now = held[position] + amount
                if now > share * total:
                    share = now / total
        self.share = share

    def entry(self) -> "_Entry":
        """The key that this branch is ordered by among its siblings, the lowest first, and the branch."""
        return (self.share if self.due is None else self.due), self.allocations, self.name, self


class ServingOrder:
    """Who is served next, and what a grant to it changes. `start` says who takes part."""

    def __init__(self, ledger: Ledger, settings: Settings, holdings: Mapping[str, Resources], rng: "Random") -> None:
        self._ledger = ledger
        self._holdings = holdings
        self._rng = rng if settings.sorter == "random" else None
        self._shared: Scale = tuple(
            (name, total)
            for name, total in sorted(ledger.totals.items())
            if total > 0 and name not in settings.unshared_resources
        )
        self._scales: dict[float, Scale] = {1.0: self._shared}
        self._allocations = ledger.allocations_of_roles()
        self._parents = {ledger.line(name)[1] for name in ledger.roles if len(ledger.line(name)) > 1}
        self._root = _Branch("", "", 1.0, {}, 0, ())
        self._leaves: dict[Member, _Branch] = {}
        self._ways: dict[str, list[_Branch]] = {}
        self._roles: dict[str, _Branch] = {}
        self._path: list[_Branch] = []

    def start(self, members: Iterable[Member]) -> None:
        """These frameworks take part from now on, in these roles; what was granted before stays counted."""
        children: dict[_Branch, list[_Branch | Member]] = {self._root: []}
        for member in members:
            below: _Branch | Member = self._leaves.get(member, member)
            for above in self._way(member.role):
                if above in children:
                    children[above].append(below)
                    break
                children[above] = [below]
                below = above
        for branch, below_it in children.items():
            branch.heap = [self._entry(one) for one in below_it]
            heapq.heapify(branch.heap)
        self._find()

    def next(self) -> Member | None:
        """The framework to serve next, and in which role; None when all are done."""
        return self._path[-1].member if self._path else None

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
                heapq.heapreplace(parent.heap, branch.entry())
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

    def drain(self) -> Iterator[Member]:
        """All who take part, in the order in which they would be served if nothing were granted."""
        while (member := self.next()) is not None:
            yield member
            self.done()

    def _find(self) -> None:
        """Follow the tops of the heaps down to the next framework."""
        self._path = path = []
        step = self._root
        while step.heap:
            top = step.heap[0][3]
            step = top if isinstance(top, _Branch) else self._grow(step.heap)
            path.append(step)

    def _entry(self, one: "_Branch | Member") -> _Entry:
        """Where somebody who takes part from now on stands among its siblings."""
        if isinstance(one, _Branch):
            if self._rng is not None:
                self._set_clock(one, self._rng)
            return one.entry()
        if self._rng is not None:
            return -math.log(1.0 - self._rng.random()), self._ledger.allocations(one), one.framework, one
        return self._share(one), self._ledger.allocations(one), one.framework, one

    def _share(self, member: Member) -> float:
        return self._ledger.share_of(member, self._shared)

    def _set_clock(self, branch: _Branch, rng: "Random") -> None:
        branch.due = (branch.due or 0.0) - math.log(1.0 - rng.random()) / branch.weight

    def _grow(self, heap: list[_Entry]) -> _Branch:
        """Make the branch of a member that has come to the top of its heap: most never do."""
        first, _, name, member = heap[0]
        if isinstance(member, _Branch):
            return member
        held, past = self._ledger.member_holdings(member), self._ledger.allocations(member)
        leaf = self._leaves[member] = _Branch(name, "", 1.0, held, past, self._shared, member)
        if self._rng is not None:
            leaf.due = first
        heap[0] = leaf.entry()
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
            held: dict[str, int] = {}
            past = 0
            for framework in self._ledger.frameworks.values():
                if role in framework.roles:
                    member = Member(framework.name, role)
                    past += self._ledger.allocations(member)
                    for resource, amount in self._ledger.member_holdings(member).items():
                        held[resource] = held.get(resource, 0) + amount
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

    def _scale(self, weight: float) -> Scale:
        if weight not in self._scales:
            self._scales[weight] = tuple((name, total * weight) for name, total in self._shared)
        return self._scales[weight]

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from tender.allocation.ledger import Ledger
from tender.allocation.model import Member, Settings
from tender.allocation.shares import Scale, shared_scale
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")
_FINE = 2.0**80
"""Shares are told apart to this part of the whole cluster."""
_ALLOCATIONS = 40
"""So many bits of a key are for the number of past allocations."""


class _Branch(Generic[T]):
    """A role, the frameworks of a role that has children too, or (a leaf, whose heap stays empty) one member.

    `scale` gives the cluster's total times the weight for every shared resource, so that equal shares compare equal.
    `width` is how many siblings there are, `rank` the place among them by name, `claimant` what a leaf stands for.
    """

    __slots__ = (
        "allocations",
        "children",
        "claimant",
        "due",
        "heap",
        "held",
        "name",
        "rank",
        "role",
        "scale",
        "share",
        "weight",
        "width",
    )

    def __init__(
        self,
        name: str,
        role: str,
        weight: float,
        held: Resources,
        allocations: int,
        scale: Scale,
        claimant: T | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.claimant = claimant
        self.weight = weight
        self.allocations = allocations
        self.scale = scale
        self.due: float | None = None
        self.heap: list[int] = []
        self.children: list[_Branch[T] | Member] = []
        self.held = [held.get(resource, 0) for resource, _ in scale]
        self.share = max((amount / total for amount, (_, total) in zip(self.held, scale, strict=True)), default=0.0)
        self.rank = 0
        self.width = 1

    def add(self, amounts: Resources) -> None:
        """Count a grant."""
        held, share = self.held, self.share
        for position, (resource, total) in enumerate(self.scale):
            amount = amounts.get(resource)
            if amount:
                held[position] = now = held[position] + amount
                if now / total > share:
                    share = now / total
        self.share = share

    def key(self) -> int:
        """What this branch is ordered by among its siblings, the lowest first."""
        first = self.share if self.due is None else self.due
        return (int(first * _FINE) << _ALLOCATIONS | self.allocations) * self.width + self.rank


class ServingOrder(Generic[T]):
    """Who is served next, and what a grant to it changes. `start` says who takes part.

    `claimant` makes of a framework in a role what `next` gives; it is asked when the framework comes first.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        holdings: Mapping[str, Resources],
        rng: "Random",
        claimant: Callable[[Member], T],
    ) -> None:
        self._ledger = ledger
        self._holdings = holdings
        self._rng = rng if settings.sorter == "random" else None
        self._claimant = claimant
        self._shared = shared_scale(ledger.totals, settings.unshared_resources)
        self._scales: dict[float, Scale] = {1.0: self._shared}
        self._allocations = ledger.allocations_of_roles()
        self._parents = {ledger.line(name)[1] for name in ledger.roles if len(ledger.line(name)) > 1}
        self._root: _Branch[T] = _Branch("", "", 1.0, {}, 0, ())
        self._leaves: dict[Member, _Branch[T]] = {}
        self._ways: dict[str, list[_Branch[T]]] = {}
        self._roles: dict[str, _Branch[T]] = {}
        self._path: list[_Branch[T]] = []
        self._last = False

    def start(self, members: Iterable[Member], *, last: bool = True) -> None:
        """These frameworks take part from now on, in these roles, by name; what was granted before stays counted.

        `last` says that nobody else will take part later: then who has no siblings left need not be counted up.
        """
        self._last = last
        children: dict[_Branch[T], list[_Branch[T] | Member]] = {self._root: []}
        for member in members:
            below: _Branch[T] | Member = self._leaves.get(member, member)
            for above in self._way(member.role):
                if above in children:
                    children[above].append(below)
                    break
                children[above] = [below]
                below = above
        for branch, siblings in children.items():
            if siblings and isinstance(siblings[0], _Branch) and not siblings[0].claimant:
                siblings.sort(key=lambda one: one.name if isinstance(one, _Branch) else one.framework)
            branch.children = siblings
            branch.heap = [self._key(one, rank, len(siblings)) for rank, one in enumerate(siblings)]
            heapq.heapify(branch.heap)
        self._find()

    def next(self) -> T | None:
        """Who is to be served next; None when all are done."""
        return self._path[-1].claimant if self._path else None

    def granted(
        self, resources: Resources, counted: Mapping[str, Resources] | None = None, allocations: int = 1
    ) -> None:
        """Whom `next` gave was granted these resources.

        `counted` says how much of them is new for each role, and under "" for the framework; by default all of them.
        """
        path, heap, rng = self._path, self._root.heap, self._rng
        overtaken = len(path)
        for depth, branch in enumerate(path):
            alone = len(heap) == 1
            if not (alone and self._last):
                branch.add(resources if counted is None else counted[branch.role])
                branch.allocations += allocations
            if not alone:
                if rng is not None:
                    self._set_clock(branch, rng)
                key = branch.key()
                heapq.heapreplace(heap, key)
                if depth < overtaken and heap[0] != key:
                    overtaken = depth
            heap = branch.heap
        if overtaken < len(path):
            del path[overtaken:]
            self._descend(path[-1] if path else self._root)

    def done(self) -> None:
        """Whom `next` gave takes no more."""
        path = [self._root, *self._path]
        for parent, child in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
            if child.heap:
                break
            heapq.heappop(parent.heap)
        self._find()

    def drain(self) -> Iterator[T]:
        """All who take part, in the order in which they would be served if nothing were granted."""
        while (one := self.next()) is not None:
            yield one
            self.done()

    def _find(self) -> None:
        """Find from the root on who is next."""
        self._path.clear()
        self._descend(self._root)

    def _descend(self, step: _Branch[T]) -> None:
        """Follow the tops of the heaps from here down to who is next."""
        while step.heap:
            top = step.children[step.heap[0] % len(step.children)]
            step = top if type(top) is _Branch else self._grow(step)
            self._path.append(step)

    def _key(self, one: "_Branch[T] | Member", rank: int, width: int) -> int:
        """Where somebody who takes part from now on stands among its siblings."""
        if isinstance(one, _Branch):
            one.rank, one.width = rank, width
            if self._rng is not None:
                self._set_clock(one, self._rng)
            return one.key()
        past = self._ledger.allocations(one)
        if self._rng is not None:
            return _key(-math.log(1.0 - self._rng.random()), past, width, rank)
        return _key(self._ledger.share_of(one, self._shared), past, width, rank)

    def _set_clock(self, branch: _Branch[T], rng: "Random") -> None:
        branch.due = (branch.due or 0.0) - math.log(1.0 - rng.random()) / branch.weight

    def _grow(self, parent: _Branch[T]) -> _Branch[T]:
        """Make the branch of a member that has come to the top of its heap: most never do."""
        width = len(parent.children)
        keys, rank = divmod(parent.heap[0], width)
        member = parent.children[rank]
        if isinstance(member, _Branch):
            return member
        held, past = self._ledger.member_holdings(member), self._ledger.allocations(member)
        claimant = self._claimant(member)
        leaf = _Branch(member.framework, "", 1.0, held, past, self._shared, claimant)
        leaf.rank, leaf.width = rank, width
        if self._rng is not None:
            leaf.due = (keys >> _ALLOCATIONS) / _FINE
        parent.children[rank] = self._leaves[member] = leaf
        return leaf

    def _way(self, role: str) -> list[_Branch[T]]:
        """The branches from the frameworks of a role up to the root."""
        way = self._ways.get(role)
        if way is None:
            way = self._ways[role] = [*self._own(role), *self._role_branches(role), self._root]
        return way

    def _own(self, role: str) -> Iterator[_Branch[T]]:
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

    def _role_branches(self, role: str) -> Iterator[_Branch[T]]:
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


def _key(first: float, allocations: int, width: int, rank: int) -> int:
    """Share or time, past allocations and rank as one number: it compares several times faster than a tuple would."""
    return (int(first * _FINE) << _ALLOCATIONS | allocations) * width + rank

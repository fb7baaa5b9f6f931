"""Instances of the laws of fairness: an empty cluster, roles with weights, and frameworks that want tasks.

Each framework wants tasks of one shape. Everything is exact: amounts are small integers, shares and weights fractions.
Only `allocate` knows the allocator; the oracles beside this module solve the same instances without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from hypothesis import strategies as st
from tests.unit.allocation.builders import Fact, cycle, framework, ledger, role

from tender.allocation import Demand, Node

Amounts = tuple[int, ...]

UNITS = {"cpu": 1000, "memory": 1024**3, "example.com/fpga": 1}


@dataclass(frozen=True)
class Wish:
    """A framework of a role, and what it wants: so many tasks of this shape."""

    name: str
    role: str
    task: Amounts
    count: int


@dataclass(frozen=True)
class Case:
    """An empty cluster, and who wants what of it. A role's weight is 1 and it has no parent unless given."""

    nodes: tuple[Amounts, ...]
    wishes: tuple[Wish, ...]
    weights: Mapping[str, Fraction] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Amounts:
        return tuple(map(sum, zip(*self.nodes, strict=True)))

    def share(self, amounts: Iterable[int]) -> Fraction:
        """The largest fraction of the cluster that these amounts are of any resource."""
        return max(Fraction(amount, whole) for amount, whole in zip(amounts, self.totals, strict=True))

    def weight(self, role: str) -> Fraction:
        return self.weights.get(role, Fraction(1))

    def lineage(self, role: str) -> list[str]:
        """A role and those above it, the root last."""
        line = [role]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return line

    def roles(self) -> list[str]:
        return sorted({one for wish in self.wishes for one in self.lineage(wish.role)})

    def reweighted(self, role: str, weight: Fraction) -> "Case":
        return replace(self, weights={**self.weights, role: weight})


def held(wishes: Iterable[Wish], tasks: Mapping[str, int], width: int) -> Amounts:
    """What so many tasks of these frameworks take together."""
    sums = [0] * width
    for wish in wishes:
        for one, amount in enumerate(wish.task):
            sums[one] += amount * tasks[wish.name]
    return tuple(sums)


@dataclass(frozen=True)
class Outcome:
    """How many tasks each framework has on each node."""

    case: Case
    placed: Mapping[str, Sequence[int]]

    @cached_property
    def tasks(self) -> dict[str, int]:
        return {name: sum(counts) for name, counts in self.placed.items()}

    @cached_property
    def left(self) -> list[Amounts]:
        """What is free on each node."""
        wishes, width = self.case.wishes, len(self.case.totals)
        used = [
            held(wishes, {name: counts[at] for name, counts in self.placed.items()}, width)
            for at in range(len(self.case.nodes))
        ]
        return [tuple(a - b for a, b in zip(*pair, strict=True)) for pair in zip(self.case.nodes, used, strict=True)]

    def unmet(self) -> list[Wish]:
        return [wish for wish in self.case.wishes if self.tasks[wish.name] < wish.count]

    def share(self, wish: Wish) -> Fraction:
        return self.tasks[wish.name] * self.case.share(wish.task)

    def blocking(self, wish: Wish) -> list[list[int]]:
        """For each node the resources of which less is left than one task of this framework takes."""
        return [[one for one, amount in enumerate(wish.task) if amount > free[one]] for free in self.left]


def allocate(case: Case, seed: int = 1) -> Outcome:
    """What one cycle of the allocator gives."""
    facts: list[Fact] = [
        *(Node(f"n{at}", _named(size)) for at, size in enumerate(case.nodes)),
        *(role(name, case.parents.get(name), float(case.weight(name))) for name in case.roles()),
        *(
            framework(wish.name, wish.role, demand=(Demand("task", _named(wish.task), wish.count),))
            for wish in case.wishes
        ),
    ]
    placed = {wish.name: [0] * len(case.nodes) for wish in case.wishes}
    for grant in cycle(ledger(*facts), seed=seed).grants:
        placed[grant.framework][int(grant.node[1:])] = grant.tasks["task"]
    return Outcome(case, placed)


def _named(amounts: Amounts) -> dict[str, int]:
    sized = zip(UNITS.items(), amounts, strict=False)
    return {resource: amount * unit for (resource, unit), amount in sized if amount}


MANY = 10**6
"""More tasks than any node here has room for."""

_COUNTS = st.integers(1, 12) | st.just(MANY)
WEIGHTS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3, 2), Fraction(2), Fraction(3), Fraction(5)])


@st.composite
def flat(
    draw: st.DrawFn,
    *,
    frameworks: int = 5,
    nodes: int = 1,
    largest_node: int = 24,
    largest_task: int = 6,
    zeros: bool = True,
) -> Case:
    """Frameworks with a role of their own each, on one node or several, with two or three resources."""
    width = draw(st.integers(1, 3))
    sizes = draw(st.lists(_amounts(width, 1, largest_node), min_size=1, max_size=nodes))
    shapes = draw(st.lists(_task(width, largest_task, zeros=zeros), min_size=1, max_size=frameworks))
    wishes = tuple(Wish(f"f{at}", f"r{at}", shape, draw(_COUNTS)) for at, shape in enumerate(shapes))
    return Case(tuple(sizes), wishes, {wish.role: draw(WEIGHTS) for wish in wishes})


@st.composite
def tree(draw: st.DrawFn, *, nodes: int = 1, largest_node: int = 24, largest_task: int = 6) -> Case:
    """Frameworks in roles that have children too, are leaves, or have several frameworks; up to three levels."""
    width = draw(st.integers(1, 3))
    sizes = draw(st.lists(_amounts(width, 1, largest_node), min_size=1, max_size=nodes))
    homes = draw(st.lists(st.sampled_from(sorted(_TREE)), min_size=1, max_size=6))
    wishes = tuple(
        Wish(f"f{at}", home, draw(_task(width, largest_task)), draw(_COUNTS)) for at, home in enumerate(homes)
    )
    parents = {name: parent for name, parent in _TREE.items() if parent is not None}
    return Case(tuple(sizes), wishes, {name: draw(WEIGHTS) for name in sorted(_TREE)}, parents)


_TREE = {"a": None, "a-b": "a", "a-b-c": "a-b", "a-d": "a", "e": None, "e-f": "e", "g": None}


def _amounts(width: int, least: int, most: int) -> st.SearchStrategy[Amounts]:
    return st.tuples(*[st.integers(least, most)] * width)


def _task(width: int, most: int, *, zeros: bool = True) -> st.SearchStrategy[Amounts]:
    return _amounts(width, 0 if zeros else 1, most).filter(any)

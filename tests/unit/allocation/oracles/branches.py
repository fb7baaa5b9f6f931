"""The tree in which shares are compared: roles, the own frameworks of a role with children, and frameworks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from tests.unit.allocation.oracles.cases import Case, Wish, held


@dataclass(frozen=True)
class Branch:
    """A role, the frameworks of a role that has child roles too (weight 1), or one framework (weight 1)."""

    name: str
    weight: Fraction
    children: tuple["Branch", ...] = ()
    wish: Wish | None = None

    def wishes(self) -> Iterator[Wish]:
        """The frameworks in this branch."""
        if self.wish is not None:
            yield self.wish
        for child in self.children:
            yield from child.wishes()

    def share(self, case: Case, tasks: Mapping[str, int]) -> Fraction:
        """The dominant share of all that the branch holds, as one."""
        return case.share(held(self.wishes(), tasks, len(case.totals)))

    def largest_task(self, case: Case) -> Fraction:
        """The dominant share of the largest task in the branch."""
        return max(case.share(wish.task) for wish in self.wishes())

    def way(self, wish: Wish) -> list[tuple["Branch", list["Branch"]]]:
        """The branches on the way down to a framework, each with its siblings."""
        for child in self.children:
            if wish in child.wishes():
                return [(child, [one for one in self.children if one is not child]), *child.way(wish)]
        return []


def root(case: Case) -> Branch:
    """The whole tree: its children are the roles without a parent."""
    tops = sorted({case.lineage(wish.role)[-1] for wish in case.wishes})
    return Branch("", Fraction(1), tuple(_role(case, name) for name in tops))


def _role(case: Case, name: str) -> Branch:
    below = [one for one in case.roles() if case.parents.get(one) == name]
    own = tuple(Branch(wish.name, Fraction(1), wish=wish) for wish in case.wishes if wish.role == name)
    if not below:
        return Branch(name, case.weight(name), own)
    gathered = (Branch(name, Fraction(1), own),) if own else ()
    return Branch(name, case.weight(name), (*(_role(case, one) for one in below), *gathered))

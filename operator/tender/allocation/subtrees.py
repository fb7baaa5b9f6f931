"""What each role holds with everything below it, kept up as charges and reservations change.

A cycle for one changed node must not add up the whole cluster, so a charge is counted on its way up the tree, and the
unused reservations of a node are counted anew when something on that node has changed.
"""

from collections.abc import Callable, Iterable, Mapping

from tender.allocation.reservations import Group
from tender.allocation.shares import add_into
from tender.allocation.tree import RoleTree
from tender.api.quantities import Resources

_NOTHING: Mapping[str, Resources] = {}


class Subtrees:
    """Sums by role; `known` is False until they were added up, and again after who is in which role has changed."""

    def __init__(self, tree: RoleTree) -> None:
        self.known = False
        self.held: dict[str, dict[str, int]] = {}
        self._tree = tree
        self._reserved: dict[str, Mapping[Group, Resources]] = {}
        self._named: dict[str, dict[str, dict[str, int]]] = {}
        self._doubted: set[str] = set()

    def forget(self) -> None:
        """The sums have to be added up anew."""
        self.known = False

    def begin(self, homes: Iterable[str]) -> None:
        """Add up from nothing; `homes` are the roles that frameworks are in."""
        self.known = True
        self.held = {name: {} for name in self._tree.roles}
        for home in homes:
            self._line_sums(home)
        self._reserved.clear()
        self._named.clear()
        self._doubted.clear()

    def count(self, role: str, amounts: Resources, sign: int) -> None:
        """A framework in this role holds so much more, or with `sign` -1 less."""
        for sums in self._line_sums(role):
            add_into(sums, amounts, sign)

    def concerns(self, node: str) -> bool:
        """Whether unused reservations of a node are counted in."""
        return node in self._reserved

    def doubt(self, node: str) -> None:
        """What is reserved on a node and unused may have changed."""
        self._doubted.add(node)

    def settle(self, unused: Callable[[str], Mapping[Group, Resources]]) -> None:
        """Count the unused reservations of the nodes in doubt anew."""
        for node in self._doubted:
            self._count_reserved(self._reserved.pop(node, {}), -1)
            left = unused(node)
            if left:
                self._reserved[node] = left
                self._count_reserved(left, 1)
        self._doubted.clear()

    def named(self, framework: str) -> Mapping[str, Resources]:
        """The unused reservations that name a framework, by role."""
        return self._named.get(framework, _NOTHING)

    def _count_reserved(self, groups: Mapping[Group, Resources], sign: int) -> None:
        for (role, framework), amounts in groups.items():
            self.count(role, amounts, sign)
            if framework is not None:
                roles = self._named.setdefault(framework, {})
                add_into(roles.setdefault(role, {}), amounts, sign)
                if not roles[role]:
                    del roles[role]
                if not roles:
                    del self._named[framework]

    def _line_sums(self, role: str) -> list[dict[str, int]]:
        return [self.held.setdefault(name, {}) for name in self._tree.line(role)]

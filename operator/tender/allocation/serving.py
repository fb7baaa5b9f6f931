"""The order in which a cycle serves frameworks: the role tree, walked level by level to the lowest share.

Each level is a heap of (share ÷ weight, past allocations, name). A grant raises the key of the served framework and of
every role above it, which are exactly the tops of the heaps on the way down, so the order costs O(depth · log width).
A role that has both frameworks and child roles competes with its children as one more child of weight 1.
"""

import heapq
from collections.abc import Iterable, Iterator

from tender.allocation.ledger import Ledger
from tender.allocation.model import Settings
from tender.allocation.shares import add_into, dominant_share
from tender.api.quantities import Resources

_Rank = tuple[float, int, str]


class _Branch:
    """A role, the frameworks of a role that has children too, or (a leaf, with no heap) one framework."""

    def __init__(self, name: str, weight: float) -> None:
        self.name = name
        self.weight = weight
        self.held: dict[str, int] = {}
        self.allocations = 0
        self.heap: list[tuple[_Rank, _Branch]] = []

    def rank(self, totals: Resources, unshared: frozenset[str]) -> _Rank:
        return dominant_share(self.held, totals, unshared) / self.weight, self.allocations, self.name


class ServingOrder:
    """Who is served next among these frameworks, and what a grant to it changes."""

    def __init__(self, ledger: Ledger, settings: Settings, frameworks: Iterable[str]) -> None:
        self._totals = dict(ledger.totals)
        self._unshared = settings.unshared_resources
        self._root = _Branch("", 1.0)
        self._build(ledger, list(frameworks))

    def next(self) -> str | None:
        """The framework to serve next; None when all are done."""
        path = list(self._path())
        return path[-1].name if path else None

    def granted(self, resources: Resources, allocations: int = 1) -> None:
        """The framework named by `next` was granted these resources."""
        path = list(self._path())
        for branch in path:
            add_into(branch.held, resources)
            branch.allocations += allocations
        for parent, child in zip([self._root, *path], path, strict=False):
            heapq.heapreplace(parent.heap, (child.rank(self._totals, self._unshared), child))

    def done(self) -> None:
        """The framework named by `next` takes no more in this cycle."""
        path = [self._root, *self._path()]
        for parent, child in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
            if child.heap:
                break
            heapq.heappop(parent.heap)

    def drain(self) -> Iterator[str]:
        """All frameworks in the order in which they would be served if nothing were granted."""
        while (name := self.next()) is not None:
            yield name
            self.done()

    def _path(self) -> Iterator[_Branch]:
        step = self._root
        while step.heap:
            step = step.heap[0][1]
            yield step

    def _build(self, ledger: Ledger, frameworks: list[str]) -> None:
        holdings = ledger.role_holdings()
        members: dict[str, list[str]] = {}
        for name in frameworks:
            members.setdefault(ledger.frameworks[name].role, []).append(name)
        roles: dict[str, _Branch] = {}
        children: dict[str, list[_Branch]] = {"": []}
        for name in members:
            self._plant(ledger, name, holdings, roles, children)
        with_children = {role.parent for role in ledger.roles.values()}
        for name, names in members.items():
            leaves = [self._leaf(ledger, framework) for framework in names]
            if name in with_children:
                own = _Branch(name, 1.0)
                own.allocations = sum(leaf.allocations for leaf in leaves)
                for framework in ledger.frameworks.values():
                    if framework.role == name:
                        add_into(own.held, ledger.held(framework.name))
                own.heap = self._heap(leaves)
                children[name].append(own)
            else:
                children[name].extend(leaves)
        self._fill(self._root, "", roles, children)

    def _plant(
        self,
        ledger: Ledger,
        name: str,
        holdings: dict[str, dict[str, int]],
        roles: dict[str, _Branch],
        children: dict[str, list[_Branch]],
    ) -> None:
        below: _Branch | None = None
        for role in ledger.lineage(name):
            branch = roles.get(role.name)
            if branch is not None:
                if below is not None:
                    children[role.name].append(below)
                return
            branch = roles[role.name] = _Branch(role.name, role.weight)
            branch.held = dict(holdings.get(role.name, {}))
            children[role.name] = [] if below is None else [below]
            below = branch
        if below is not None:
            children[""].append(below)

    def _leaf(self, ledger: Ledger, framework: str) -> _Branch:
        leaf = _Branch(framework, 1.0)
        leaf.held = dict(ledger.held(framework))
        leaf.allocations = ledger.allocations(framework)
        return leaf

    def _fill(self, branch: _Branch, name: str, roles: dict[str, _Branch], children: dict[str, list[_Branch]]) -> None:
        for child in children[name]:
            if roles.get(child.name) is child:
                self._fill(child, child.name, roles, children)
        branch.allocations += sum(child.allocations for child in children[name])
        branch.heap = self._heap(children[name])

    def _heap(self, branches: list[_Branch]) -> list[tuple[_Rank, _Branch]]:
        heap = [(branch.rank(self._totals, self._unshared), branch) for branch in branches]
        heapq.heapify(heap)
        return heap

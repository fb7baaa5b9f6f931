"""The cluster's nodes, and which frameworks have something on each.

Kubelets report again and again that nothing has changed, and amounts are the master's concern: only what a planner
looks at is news.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tender.api.core import Node


class Nodes:
    """Nodes by name, with the uids of the frameworks that have pods or reservations there."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._holders: dict[str, Counter[str]] = {}

    @property
    def by_name(self) -> Mapping[str, Node]:
        """All nodes."""
        return MappingProxyType(self._nodes)

    def changed(self, old: Node | None, new: Node | None) -> bool:
        """The cache tells of a node; whether that is news to anybody."""
        if new is not None:
            self._nodes[new.metadata.name] = new
        elif old is not None:
            self._nodes.pop(old.metadata.name, None)
        return _what_matters(old) != _what_matters(new)

    def moved(self, owner: str, old: str, new: str) -> None:
        """Something of a framework is on another node than before; an empty name is none."""
        if old == new:
            return
        if old and old in self._holders:
            holders = self._holders[old]
            holders[owner] -= 1
            if holders[owner] <= 0:
                del holders[owner]
            if not holders:
                del self._holders[old]
        if new:
            self._holders.setdefault(new, Counter())[owner] += 1

    def holders(self, node: str) -> Iterable[str]:
        """The uids of the frameworks that have something on the node."""
        return tuple(self._holders.get(node, ()))


def _what_matters(node: Node | None) -> object:
    if node is None:
        return None
    return (
        node.metadata.uid,
        node.metadata.labels,
        node.leaving,
        node.ready,
        node.silent_since,
        node.spec.unschedulable,
        node.spec.taints,
    )

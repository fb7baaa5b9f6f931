"""Filters: what frameworks have refused, on which node, and until when.

A refusal blocks only offers that are contained in what was refused, on that node; a larger one passes.
"""

from collections.abc import Hashable, Iterable

from tender.allocation.model import Refusal
from tender.api.quantities import Resources


class Filters:
    """All refusals, by framework and node."""

    def __init__(self) -> None:
        self._all: dict[Hashable, Refusal] = {}
        self._by_framework: dict[str, dict[str, set[Hashable]]] = {}

    def put(self, key: Hashable, refusal: Refusal) -> None:
        """Set the refusal of this key."""
        self.remove(key)
        self._all[key] = refusal
        self._by_framework.setdefault(refusal.framework, {}).setdefault(refusal.node, set()).add(key)

    def remove(self, key: Hashable) -> None:
        """End the refusal of this key."""
        refusal = self._all.pop(key, None)
        if refusal is None:
            return
        by_node = self._by_framework[refusal.framework]
        by_node[refusal.node].discard(key)
        if not by_node[refusal.node]:
            del by_node[refusal.node]
        if not by_node:
            del self._by_framework[refusal.framework]

    def clear_framework(self, framework: str) -> None:
        """End all refusals of a framework."""
        for keys in list(self._by_framework.get(framework, {}).values()):
            for key in list(keys):
                self.remove(key)

    def clear_node(self, node: str) -> None:
        """End all refusals on a node."""
        for by_node in list(self._by_framework.values()):
            for key in list(by_node.get(node, ())):
                self.remove(key)

    def standing(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at this time, by node."""
        standing: dict[str, list[Resources]] = {}
        for node, keys in self._by_framework.get(framework, {}).items():
            refused = [self._all[key].resources for key in keys if self._all[key].until > now]
            if refused:
                standing[node] = refused
        return standing


def is_refused(offer: Resources, refusals: Iterable[Resources]) -> bool:
    """Whether an offer is contained in something refused. The number of pods is left out: nobody refuses that."""
    for refused in refusals:
        for resource, amount in offer.items():
            if amount > refused.get(resource, 0) and resource != "pods":
                break
        else:
            return True
    return False

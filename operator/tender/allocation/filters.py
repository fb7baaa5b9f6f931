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
        self._by_framework: dict[str, dict[str, tuple[Refusal, ...]]] = {}

    def put(self, key: Hashable, refusal: Refusal) -> None:
        """Set the refusal of this key."""
        self.remove(key)
        self._all[key] = refusal
        places = self._by_framework.setdefault(refusal.framework, {})
        for node in refusal.nodes:
            places[node] = (*places.get(node, ()), refusal)

    def remove(self, key: Hashable) -> None:
        """End the refusal of this key."""
        refusal = self._all.pop(key, None)
        if refusal is None:
            return
        places = self._by_framework.get(refusal.framework, {})
        for node in refusal.nodes:
            left = tuple(one for one in places.pop(node, ()) if one is not refusal)
            if left:
                places[node] = left

    def clear_framework(self, framework: str) -> None:
        """End all refusals of a framework."""
        self._by_framework.pop(framework, None)

    def clear_node(self, node: str) -> None:
        """End all refusals on a node."""
        for places in self._by_framework.values():
            places.pop(node, None)

    def standing(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at this time, by node."""
        standing: dict[str, list[Resources]] = {}
        for node, refusals in self._by_framework.get(framework, {}).items():
            refused = [one.nodes[node] for one in refusals if one.until > now]
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

"""Headroom: what is kept free all over the cluster for guarantees that are not met.

It is kept whether or not a framework is there to use it, out of what is unreserved on the nodes that could serve such
a guarantee. A grant may take from it what is owed to its own role, and beyond that only the surplus.
"""

from collections.abc import Callable, Iterable

from tender.allocation.ledger import Ledger
from tender.allocation.model import Node, Settings
from tender.allocation.pool import Stock
from tender.allocation.quotas import Quotas
from tender.allocation.shares import add_into
from tender.allocation.suitability import Wants, scarce_on, untolerated_taint, wants_of_tasks
from tender.api.quantities import Resources


class Headroom:
    """Watches over what is kept free; `quotas.required` says how much that is."""

    def __init__(self, ledger: Ledger, settings: Settings, quotas: Quotas) -> None:
        self._required = quotas.required
        self._nodes: set[str] = set()
        self.available: dict[str, int] = {}
        if not self._required:
            return
        serves = _who_serves(ledger, settings, quotas)
        for node in ledger.nodes.values():
            if not node.unavailable and serves(node):
                self._nodes.add(node.name)
                add_into(self.available, Stock(ledger.free(node.name), ledger.unused(node.name)).unreserved())

    def is_on(self, node: str) -> bool:
        """Whether what is free on this node is kept back at all."""
        return bool(self._required) and node in self._nodes

    def cut(self, node: str, owed: Resources, amounts: Resources) -> Resources:
        """The part of these unreserved amounts that may be granted to a role which is owed so much."""
        if not self.is_on(node):
            return amounts
        allowed = {}
        for resource, amount in amounts.items():
            required = self._required.get(resource, 0)
            if required > 0:
                surplus = max(0, self.available.get(resource, 0) - required)
                allowed[resource] = min(amount, owed.get(resource, 0) + surplus)
            else:
                allowed[resource] = amount
        return {resource: amount for resource, amount in allowed.items() if amount > 0}

    def take(self, node: str, amounts: Resources, sign: int = 1) -> None:
        """Unreserved amounts of this node are no longer free; `sign` -1: they are free again."""
        if node in self._nodes:
            add_into(self.available, amounts, -sign)

    def shortfall(self, resources: Iterable[str]) -> dict[str, int]:
        """How much less than required is available of these resources."""
        short = {name: self._required.get(name, 0) - self.available.get(name, 0) for name in resources}
        return {name: amount for name, amount in short.items() if amount > 0}


def _who_serves(ledger: Ledger, settings: Settings, quotas: Quotas) -> Callable[[Node], bool]:
    """A test whether a node could serve an unmet guarantee.

    It does if a framework below such a role could be offered it. For a role without any framework it does if it is
    open to everybody: without taints, and without scarce resources unless the guarantee is about those.
    """
    owed = set(quotas.unmet_roles())
    served: set[str] = set()
    wants: list[Wants] = []
    for framework in ledger.frameworks.values():
        roles = owed.intersection(ledger.line(framework.name))
        if roles:
            served |= roles
            wants += wants_of_tasks(framework, settings.scarce_resources)
    absent = bool(owed - served)
    scarce = settings.scarce_resources - quotas.required.keys()

    def serves(node: Node) -> bool:
        if absent and untolerated_taint(node.taints, ()) is None and not scarce_on(node, scarce):
            return True
        return any(one.obstacle(node) is None for one in wants)

    return serves

"""Headroom: what is kept free all over the cluster for guarantees that are not met.

It is kept whether or not a framework is there to use it, out of what is unreserved on the nodes that could serve such
a guarantee. A grant may take from it what is owed to its own role, and beyond that only the surplus.
"""

from collections.abc import Iterable

from tender.allocation.ledger import Ledger
from tender.allocation.model import Settings
from tender.allocation.quotas import Quotas
from tender.allocation.shares import add_into
from tender.allocation.suitability import Wants, wants_of_tasks
from tender.api.quantities import Resources


class Headroom:
    """Watches over what is kept free on `nodes`; `quotas.required` says how much that is."""

    def __init__(self, ledger: Ledger, settings: Settings, quotas: Quotas) -> None:
        self._required = quotas.required
        self.nodes = 0
        self.available: dict[str, int] = {}
        if not self._required:
            return
        table = ledger.table()
        self.nodes = _serving(ledger, settings, quotas) & table.available()
        self.available = table.open.total(self.nodes)

    def is_on(self, slot: int) -> bool:
        """Whether what is free on this node is kept back at all."""
        return bool(self._required) and bool(self.nodes >> slot & 1)

    def cut(self, slot: int, owed: Resources, amounts: Resources) -> Resources:
        """The part of these unreserved amounts that may be granted to a role which is owed so much."""
        if not self.is_on(slot):
            return amounts
        allowed = self.most(owed)
        cut = {resource: min(amount, allowed.get(resource, amount)) for resource, amount in amounts.items()}
        return {resource: amount for resource, amount in cut.items() if amount > 0}

    def most(self, owed: Resources) -> dict[str, int]:
        """The most that who is owed so much may be granted where headroom is kept, of the resources it is kept of."""
        return {
            resource: owed.get(resource, 0) + max(0, self.available.get(resource, 0) - required)
            for resource, required in self._required.items()
            if required > 0
        }

    def take(self, slot: int, amounts: Resources, sign: int = 1) -> None:
        """Unreserved amounts of this node are no longer free; `sign` -1: they are free again."""
        if self.nodes >> slot & 1:
            add_into(self.available, amounts, -sign)

    def shortfall(self, resources: Iterable[str]) -> dict[str, int]:
        """How much less than required is available of these resources."""
        short = {name: self._required.get(name, 0) - self.available.get(name, 0) for name in resources}
        return {name: amount for name, amount in short.items() if amount > 0}


def _serving(ledger: Ledger, settings: Settings, quotas: Quotas) -> int:
    """The nodes that could serve an unmet guarantee.

    A node does if a framework below such a role could be offered it. For a role without any framework it does if it is
    open to everybody: without taints, and without scarce resources unless the guarantee is about those.
    """
    table = ledger.table()
    owed = set(quotas.unmet_roles())
    served: set[str] = set()
    nodes = 0
    for framework in ledger.frameworks.values():
        roles = {name for role in framework.roles for name in ledger.line(role)} & owed
        if roles:
            served |= roles
            for wants in wants_of_tasks(framework, settings.scarce_resources):
                nodes |= table.suit(wants).nodes
    if owed - served:
        scarce = settings.scarce_resources.difference(quotas.required)
        nodes |= table.suit(Wants({}, (), frozenset(), scarce)).nodes
    return nodes

"""Whether the nodes have room still for what is on offer there.

Nodes are shared with kube-scheduler, and are cordoned, reserved and lost at any time. Only nodes with open offers on
which something has changed since the last look are looked at, for there may be many thousands; where an offer was found
to be too much, it is looked at again until the offer has been taken back.
"""

from collections.abc import Iterable

from tender.allocation import Ledger, Settings, take_back
from tender.allocation.ledger import Key


class Room:
    """The open offers by node, and the nodes that may not have room for them any more."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._open_on: dict[str, dict[str, str]] = {}
        self._changed_nodes: set[str] = set()
        self._changed_frameworks: set[str] = set()
        self._roles_changed = False

    def offered(self, offer: str, framework: str, node: str) -> None:
        """A slice of an offer to this framework is open on a node."""
        self._open_on.setdefault(node, {})[offer] = framework
        self._changed_nodes.add(node)

    def ended(self, offer: str, node: str) -> None:
        """An offer is open on a node no longer."""
        offers = self._open_on.get(node)
        if offers is not None and offers.pop(offer, None) is not None and not offers:
            del self._open_on[node]
            self._changed_nodes.discard(node)

    def node_changed(self, node: str) -> None:
        """A node, or what is held or reserved there, is another than before."""
        if node in self._open_on:
            self._changed_nodes.add(node)

    def framework_changed(self, framework: str) -> None:
        """A framework tolerates or wants something else than before, or has come or gone."""
        self._changed_frameworks.add(framework)

    def roles_changed(self) -> None:
        """The role tree, or who takes part in which role, is another than before: others may use what is reserved."""
        self._roles_changed = True

    def lacking(self) -> dict[str, str]:
        """The offers to take back because one of their nodes has not the room for them, by key, and why."""
        found: dict[str, str] = {}
        for node in self._nodes_to_look_at():
            offers, why = self._look(node)
            for offer in offers:
                found.setdefault(offer, why)
            if not offers:
                self._changed_nodes.discard(node)
        return found

    def _nodes_to_look_at(self) -> list[str]:
        if self._changed_frameworks:
            for node, offers in self._open_on.items():
                if not self._changed_frameworks.isdisjoint(offers.values()):
                    self._changed_nodes.add(node)
            self._changed_frameworks.clear()
        if self._roles_changed:
            for nodes in self._ledger.reserved_places().values():
                self._changed_nodes |= nodes & self._open_on.keys()
            self._roles_changed = False
        return sorted(self._changed_nodes)

    def _look(self, name: str) -> tuple[Iterable[str], str]:
        """The offers to take back on a node, and why."""
        node = self._ledger.nodes.get(name)
        if node is None:
            return self._open_on[name].keys(), f"node {name} is gone"
        why = f"node {name}: {node.unavailable}" if node.unavailable else f"node {name} has less to give"
        return [holder_of(charge) for charge in take_back.on_node(self._ledger, self._settings, name)], why


def holder_of(charge: Key) -> str:
    """The key of the offer that a charge in the ledger belongs to, going by the charge's key."""
    if isinstance(charge, tuple):
        return str(charge[0])
    raise ValueError(f"{charge!r} is no key of an offer's charge")

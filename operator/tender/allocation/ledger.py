"""Who holds what on which node: the state that an allocation cycle reads.

Everything held is a *charge* under a key of its own (a pod, a claim's slice, an offer's slice), so the same fact told
twice counts once, facts may come in any order, and a ledger rebuilt from the objects equals the one kept up by events.
Charges count only while their node is there. The ledger takes facts as they are; it never refuses one.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping

from tender.allocation.filters import Filters
from tender.allocation.holdings import Holdings
from tender.allocation.model import Charge, Framework, Node, Refusal, Reservation, Role, Settings, Shares
from tender.allocation.reservations import Group, Reservations, left_unused
from tender.allocation.shares import add_into, dominant_share
from tender.allocation.tree import RoleTree
from tender.api.quantities import Resources

Key = Hashable


class Ledger:
    """The first level's state, in integers."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._tree = RoleTree()
        self.roles = self._tree.roles
        self.frameworks: dict[str, Framework] = {}
        self.totals: dict[str, int] = {}
        self._charges: dict[Key, Charge] = {}
        self._keys_by_node: dict[str, dict[Key, None]] = {}
        self._holdings = Holdings()
        self._filters = Filters()
        self._reservations = Reservations()
        self._unused: dict[str, dict[Group, dict[str, int]]] = {}
        self._allocations: dict[str, int] = {}

    def put_node(self, node: Node) -> None:
        """Add a node, or replace what is known of it. Changed labels end the filters on it."""
        before = self.nodes.get(node.name)
        if before is not None:
            add_into(self.totals, before.allocatable, -1)
            if before.labels != node.labels:
                self._filters.clear_node(node.name)
        add_into(self.totals, node.allocatable)
        self.nodes[node.name] = node
        if before is None:
            for key in self._keys_by_node.get(node.name, ()):
                self._count(self._charges[key], 1)

    def remove_node(self, name: str) -> None:
        """Forget a node: what is held there counts no longer, though it is remembered should the node return."""
        node = self.nodes.pop(name, None)
        if node is None:
            return
        add_into(self.totals, node.allocatable, -1)
        self._filters.clear_node(name)
        for key in self._keys_by_node.get(name, ()):
            self._count(self._charges[key], -1)

    def put_role(self, role: Role) -> None:
        """Add or replace a role."""
        self._tree.put(role)
        self._unused.clear()

    def remove_role(self, name: str) -> None:
        """Forget what was set for a role; it exists on for as long as a framework names it."""
        self._tree.remove(name)
        self._unused.clear()

    def put_framework(self, framework: Framework) -> None:
        """Add or replace a framework. A changed demand ends its filters."""
        before = self.frameworks.get(framework.name)
        self.frameworks[framework.name] = framework
        if before is None or before.role != framework.role:
            self._unused.clear()
        if before is not None and before.demand != framework.demand:
            self.revive(framework.name)

    def remove_framework(self, name: str) -> None:
        """Forget a framework; what it still holds counts as use outside every framework."""
        self.frameworks.pop(name, None)
        self._allocations.pop(name, None)
        self._unused.clear()
        self.revive(name)

    def put_charge(self, key: Key, charge: Charge) -> None:
        """Set what is held under this key, in place of what was held under it before."""
        if self._charges.get(key) == charge:
            return
        self.remove_charge(key)
        self._charges[key] = charge
        self._keys_by_node.setdefault(charge.node, {})[key] = None
        if charge.node in self.nodes:
            self._count(charge, 1)

    def remove_charge(self, key: Key) -> None:
        """Nothing is held under this key any more."""
        charge = self._charges.pop(key, None)
        if charge is None:
            return
        keys = self._keys_by_node[charge.node]
        del keys[key]
        if not keys:
            del self._keys_by_node[charge.node]
        if charge.node in self.nodes:
            self._count(charge, -1)

    def put_reservation(self, key: Key, reservation: Reservation) -> None:
        """Set a reservation under this key."""
        self._reservations.put(key, reservation)
        self._unused.clear()

    def remove_reservation(self, key: Key) -> None:
        """End the reservation under this key."""
        self._reservations.remove(key)
        self._unused.clear()

    def put_refusal(self, key: Key, refusal: Refusal) -> None:
        """Set a filter under this key."""
        self._filters.put(key, refusal)

    def remove_refusal(self, key: Key) -> None:
        """End the filter under this key."""
        self._filters.remove(key)

    def revive(self, framework: str) -> None:
        """End all filters of a framework."""
        self._filters.clear_framework(framework)

    def note_allocation(self, framework: str) -> None:
        """Count one more allocation of a framework: it breaks ties between equal shares."""
        self._allocations[framework] = self._allocations.get(framework, 0) + 1

    def allocations(self, framework: str) -> int:
        """How many allocations a framework has had."""
        return self._allocations.get(framework, 0)

    def charges_on(self, node: str) -> Iterator[tuple[Key, Charge]]:
        """Everything held on a node, with its keys."""
        for key in self._keys_by_node.get(node, ()):
            yield key, self._charges[key]

    def charge(self, key: Key) -> Charge | None:
        """What is held under a key."""
        return self._charges.get(key)

    def offers(self) -> Iterator[tuple[Key, Charge]]:
        """Everything that is on offer on the nodes that are there, with its keys."""
        for key, charge in self._charges.items():
            if charge.offered and charge.node in self.nodes:
                yield key, charge

    def free(self, node: str) -> dict[str, int]:
        """What nobody holds on a node; negative where more is held than the node has."""
        used = self._holdings.used(node)
        return {name: total - used.get(name, 0) for name, total in self.nodes[node].allocatable.items()}

    def held(self, framework: str) -> Resources:
        """All that a framework holds: pods, claims and outstanding offers."""
        return self._holdings.held(framework)

    def offered(self, framework: str) -> Resources:
        """The part of what a framework holds that is on offer to it and not answered yet."""
        return self._holdings.offered(framework)

    def tasks(self, framework: str, task: str) -> Mapping[str, int]:
        """How many tasks of one name a framework has, by node: running, claimed or on offer."""
        return self._holdings.tasks(framework, task)

    def refusals(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at the moment, by node."""
        return self._filters.standing(framework, now)

    def unused(self, node: str, without: Collection[Key] = ()) -> Mapping[Group, Resources]:
        """What is reserved on a node and not used, by role and named framework.

        `without` leaves charges out, to see what would be unused if they ended. Nodes without reservations: empty.
        """
        if node not in self.nodes or not self._reservations.any_on(node):
            return {}
        if node in self._unused and not without:
            return self._unused[node]
        charges = [one for key, one in self.charges_on(node) if one.framework in self.frameworks and key not in without]
        unused = left_unused(self._reservations.on(node), charges, self.line)
        return unused if without else self._unused.setdefault(node, unused)

    def reserving(self) -> set[Group]:
        """The roles, and the frameworks named, that anything is reserved for anywhere."""
        return {group for node in self._reservations.nodes() for group in self._reservations.on(node)}

    def role_of(self, name: str) -> Role:
        """A role as set, or the implicit one: weight 1, no quota, no parent."""
        return self._tree.get(name)

    def lineage(self, name: str) -> list[Role]:
        """A role and the roles above it. A parent that is not there, or a circle of parents, ends the line."""
        return self._tree.lineage(name)

    def line(self, framework: str) -> list[str]:
        """The names of a framework's role and of the roles above it."""
        return [role.name for role in self.lineage(self.frameworks[framework].role)]

    def role_holdings(self) -> dict[str, dict[str, int]]:
        """What each role holds with everything below it, of roles that are set, have frameworks or have reservations.

        Unused reservations count as held by their role.
        """
        sums: dict[str, dict[str, int]] = {name: {} for name in self.roles}
        for framework in self.frameworks.values():
            held = self.held(framework.name)
            for role in self.lineage(framework.role):
                add_into(sums.setdefault(role.name, {}), held)
        for node in self._reservations.nodes():
            for (name, _), amounts in self.unused(node).items():
                for role in self.lineage(name):
                    add_into(sums.setdefault(role.name, {}), amounts)
        return sums

    def framework_holdings(self) -> dict[str, dict[str, int]]:
        """What each framework holds, with the unused reservations that name it."""
        sums = {name: dict(self.held(name)) for name in self.frameworks}
        for node in self._reservations.nodes():
            for (_, framework), amounts in self.unused(node).items():
                if framework in sums:
                    add_into(sums[framework], amounts)
        return sums

    def shares(self, settings: Settings) -> Shares:
        """The dominant share ÷ weight of every role, and of every framework (weight 1)."""
        unshared = settings.unshared_resources
        return Shares(
            roles={
                name: dominant_share(held, self.totals, unshared) / self.role_of(name).weight
                for name, held in self.role_holdings().items()
            },
            frameworks={
                name: dominant_share(held, self.totals, unshared) for name, held in self.framework_holdings().items()
            },
        )

    def _count(self, charge: Charge, sign: int) -> None:
        self._holdings.count(charge, sign)
        self._unused.pop(charge.node, None)

"""Who holds what on which node: the state that an allocation cycle reads.

Everything held is a *charge* under a key of its own (a pod, a claim's slice, an offer's slice), so the same fact told
twice counts once, facts may come in any order, and a ledger rebuilt from the objects equals the one kept up by events.
Charges count only while their node is there. The ledger takes facts as they are; it never refuses one.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping

from tender.allocation.filters import Filters
from tender.allocation.holdings import Holdings
from tender.allocation.model import Charge, Framework, Member, Node, Refusal, Reservation, Role, Settings, Shares
from tender.allocation.node_table import NodeTable
from tender.allocation.reservations import Group, Reservations, left_unused
from tender.allocation.shares import Scale, add_into, dominant_share
from tender.allocation.subtrees import Subtrees
from tender.allocation.tree import RoleTree
from tender.api.quantities import Resources

Key = Hashable
_NOTHING: Mapping[Group, Resources] = {}


class Ledger:
    """The first level's state, in integers. Without `fast` it is slow and simple, for tests to compare with."""

    def __init__(self, *, fast: bool = True) -> None:
        self.nodes: dict[str, Node] = {}
        self._tree = RoleTree()
        self.roles = self._tree.roles
        self.frameworks: dict[str, Framework] = {}
        self.totals: dict[str, int] = {}
        self._charges: dict[Key, Charge] = {}
        self._keys_by_node: dict[str, dict[Key, None]] = {}
        self._offers: dict[Key, Charge] = {}
        self._holdings = Holdings()
        self._filters = Filters(fast=fast)
        self._reservations = Reservations()
        self._unused: dict[str, Mapping[Group, Resources]] = {}
        self._subtrees = Subtrees(self._tree)
        self._allocations: dict[Member, int] = {}
        self._shares: dict[Member, float] = {}
        self._shared: Scale = ()
        self._table = NodeTable(
            fast=fast,
            unreserved=self.unreserved,
            on_amounts=self._filters.amounts_changed,
            on_slots=self._filters.slots_changed,
        )

    def put_node(self, node: Node) -> None:
        """Add a node, or replace what is known of it. Changed labels end the filters on it."""
        before = self.nodes.get(node.name)
        if before == node:
            return
        if before is not None:
            add_into(self.totals, before.allocatable, -1)
            if before.labels != node.labels:
                self._filters.clear_node(node.name)
            self._table.altered(node.name)
        else:
            self._table.came_or_went(node.name)
        add_into(self.totals, node.allocatable)
        self.nodes[node.name] = node
        self._holdings.size(node.name, node.allocatable)
        if before is None:
            for key in self._keys_by_node.get(node.name, ()):
                self._count(self._charges[key], 1)
            self._stale(node.name)

    def remove_node(self, name: str) -> None:
        """Forget a node: what is held there counts no longer, though it is remembered should the node return."""
        node = self.nodes.get(name)
        if node is None:
            return
        for key in self._keys_by_node.get(name, ()):
            self._count(self._charges[key], -1)
        del self.nodes[name]
        self._stale(name)
        self._holdings.size(name, None)
        self._table.came_or_went(name)
        add_into(self.totals, node.allocatable, -1)
        self._filters.clear_node(name)

    def put_role(self, role: Role) -> None:
        """Add or replace a role."""
        before = self.roles.get(role.name)
        if before == role:
            return
        self._tree.put(role)
        if before is None or before.parent != role.parent:
            self._forget_sums()

    def remove_role(self, name: str) -> None:
        """Forget what was set for a role; it exists on for as long as a framework names it."""
        self._tree.remove(name)
        self._forget_sums()

    def put_framework(self, framework: Framework) -> None:
        """Add or replace a framework. A changed demand ends its filters."""
        before = self.frameworks.get(framework.name)
        self.frameworks[framework.name] = framework
        if before is None or before.roles != framework.roles:
            self._forget_sums()
        if before is not None and before.demand != framework.demand:
            self.revive(framework.name)

    def remove_framework(self, name: str) -> None:
        """Forget a framework; what it still holds counts as use outside every framework."""
        framework = self.frameworks.pop(name, None)
        if framework is None:
            return
        for member in [member for member in self._allocations if member.framework == name]:
            del self._allocations[member]
        self._table.forget(name)
        self._forget_sums()
        self.revive(name)

    def put_charge(self, key: Key, charge: Charge) -> None:
        """Set what is held under this key, in place of what was held under it before."""
        if self._charges.get(key) == charge:
            return
        self.remove_charge(key)
        self._charges[key] = charge
        if charge.offered:
            self._offers[key] = charge
        self._keys_by_node.setdefault(charge.node, {})[key] = None
        if charge.node in self.nodes:
            self._count(charge, 1)

    def remove_charge(self, key: Key) -> None:
        """Nothing is held under this key any more."""
        charge = self._charges.pop(key, None)
        if charge is None:
            return
        self._offers.pop(key, None)
        keys = self._keys_by_node[charge.node]
        del keys[key]
        if not keys:
            del self._keys_by_node[charge.node]
        if charge.node in self.nodes:
            self._count(charge, -1)

    def put_reservation(self, key: Key, reservation: Reservation) -> None:
        """Set a reservation under this key."""
        self.remove_reservation(key)
        self._reservations.put(key, reservation)
        self._stale(reservation.node)

    def remove_reservation(self, key: Key) -> None:
        """End the reservation under this key."""
        before = self._reservations.get(key)
        if before is not None:
            self._reservations.remove(key)
            self._stale(before.node)

    def put_refusal(self, key: Key, refusal: Refusal) -> None:
        """Set a filter under this key."""
        self._filters.put(key, refusal, self._table.last_left)

    def remove_refusal(self, key: Key) -> None:
        """End the filter under this key."""
        self._filters.remove(key, self._table.last_left)

    def revive(self, framework: str) -> None:
        """End all filters of a framework."""
        self._filters.clear_framework(framework)

    def note_allocation(self, framework: str, role: str | None = None) -> None:
        """Count one more allocation of a framework in a role (None: its first): it breaks ties between equal shares."""
        known = self.frameworks.get(framework)
        home = role if role is not None or known is None else known.role
        if home is None:
            return
        member = Member(framework, home)
        self._allocations[member] = self._allocations.get(member, 0) + 1

    def share_of(self, member: Member, shared: Scale) -> float:
        """The dominant share of a framework in a role, over these resources, each with all that there is of it."""
        if shared != self._shared:
            self._shared = shared
            self._shares.clear()
        share = self._shares.get(member)
        if share is None:
            held = self.member_holdings(member)
            share = self._shares[member] = max((held.get(name, 0) / total for name, total in shared), default=0.0)
        return share

    def allocations(self, member: Member) -> int:
        """How many allocations a framework has had in a role."""
        return self._allocations.get(member, 0)

    def allocations_of_roles(self) -> dict[str, int]:
        """How many allocations each role and those below it have had."""
        sums: dict[str, int] = {}
        for member, count in self._allocations.items():
            for role in self.line(member.role):
                sums[role] = sums.get(role, 0) + count
        return sums

    def table(self) -> NodeTable:
        """The nodes in slots, as they are now."""
        self._table.refresh(self.nodes, self._holdings.free, self._kept)
        return self._table

    def filters(self, framework: str, now: float) -> tuple[int, int]:
        """The nodes where a framework refuses anything, and those where it refuses all that is unreserved there."""
        table = self._table
        return self._filters.sets(framework, now, table.slots, table.names, table.left)

    def charges_on(self, node: str) -> Iterator[tuple[Key, Charge]]:
        """Everything held on a node, with its keys."""
        for key in self._keys_by_node.get(node, ()):
            yield key, self._charges[key]

    def charge(self, key: Key) -> Charge | None:
        """What is held under a key."""
        return self._charges.get(key)

    def offers(self) -> Iterator[tuple[Key, Charge]]:
        """Everything that is on offer on the nodes that are there, with its keys."""
        for key, charge in self._offers.items():
            if charge.node in self.nodes:
                yield key, charge

    def free(self, node: str) -> dict[str, int]:
        """What nobody holds on a node; negative where more is held than the node has."""
        return dict(self._holdings.free(node))

    def unreserved(self, node: str) -> Resources:
        """What nobody holds on a node and nothing is reserved of; not to be changed."""
        free = self._holdings.free(node)
        if not self._reservations.any_on(node):
            return free
        left = dict(free)
        add_into(left, self._kept(node), -1)
        return left

    def held(self, framework: str) -> Resources:
        """All that a framework holds: pods, claims and outstanding offers."""
        return _sum(self._holdings.held(framework))

    def offered(self, framework: str) -> Resources:
        """The part of what a framework holds that is on offer to it and not answered yet."""
        return _sum(self._holdings.offered(framework))

    def held_by_role(self, framework: str) -> dict[str, Resources]:
        """All that a framework holds, by the role that it is charged to."""
        return _by_role(self.frameworks[framework], self._holdings.held(framework))

    def offered_by_role(self, framework: str) -> dict[str, Resources]:
        """What is on offer to a framework, by the role that it is charged to."""
        return _by_role(self.frameworks[framework], self._holdings.offered(framework))

    def tasks(self, framework: str, task: str) -> Mapping[str, int]:
        """How many tasks of one name a framework has, by node: running, claimed or on offer."""
        return self._holdings.tasks(framework, task)

    def refusals(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at the moment, by node."""
        return self._filters.standing(framework, now)

    def refused_on(self, framework: str, node: str, now: float) -> list[Resources]:
        """What a framework refuses at the moment on one node."""
        return self._filters.on(framework, node, now)

    def refusals_end(self, framework: str, node: str, now: float) -> list[float]:
        """When what a framework refuses at the moment on one node ends."""
        return self._filters.ends(framework, node, now)

    def unused(self, node: str, without: Collection[Key] = ()) -> Mapping[Group, Resources]:
        """What is reserved on a node and not used, by role and named framework.

        `without` leaves charges out, to see what would be unused if they ended. Nodes without reservations: empty.
        """
        if node not in self.nodes or not self._reservations.any_on(node):
            return _NOTHING
        known = self._unused.get(node)
        if known is not None and not without:
            return known
        held: dict[Member, dict[str, int]] = {}
        for key, charge in self.charges_on(node):
            if key not in without and (member := self.member_of(charge)) is not None:
                add_into(held.setdefault(member, {}), charge.resources)
        unused = left_unused(self._reservations.on(node, self.line), held, self.line)
        if not without:
            self._unused[node] = unused
        return unused

    def reserved_places(self) -> Mapping[Group, frozenset[str]]:
        """The nodes that anything is reserved on, by role and named framework."""
        return self._reservations.places()

    def member_of(self, charge: Charge) -> Member | None:
        """Whom a charge counts for; None outside every framework that is known."""
        framework = self.frameworks.get(charge.framework or "")
        return None if framework is None else Member(framework.name, charge.role or framework.role)

    def role_of(self, name: str) -> Role:
        """A role as set, or the implicit one: weight 1, no quota, no parent."""
        return self._tree.get(name)

    def lineage(self, name: str) -> list[Role]:
        """A role and the roles above it. A parent that is not there, or a circle of parents, ends the line."""
        return self._tree.lineage(name)

    def line(self, role: str) -> list[str]:
        """The names of a role and of the roles above it."""
        return self._tree.line(role)

    def role_holdings(self) -> Mapping[str, Resources]:
        """What each role holds with everything below it, of roles that are set, have frameworks or have reservations.

        Unused reservations count as held by their role. Not to be changed, and true until the ledger changes.
        """
        if not self._subtrees.known:
            self._subtrees.begin(framework.role for framework in self.frameworks.values())
            for framework in self.frameworks.values():
                for role, amounts in self.held_by_role(framework.name).items():
                    self._subtrees.count(role, amounts, 1)
            for node in self._reservations.nodes():
                self._subtrees.doubt(node)
        self._subtrees.settle(self.unused)
        return self._subtrees.held

    def reserved_for(self, framework: str) -> Mapping[str, Resources]:
        """The unused reservations that name a framework, by their role."""
        self.role_holdings()
        return self._subtrees.named(framework)

    def member_holdings(self, member: Member) -> Resources:
        """What a framework holds in a role, with the unused reservations that name it; not to be changed."""
        framework = self.frameworks[member.framework]
        by_role = self._holdings.held(member.framework)
        held: Resources
        if len(by_role) == 1 and (None in by_role or member.role in by_role) and not framework.further_roles:
            held = next(iter(by_role.values()))
        else:
            held = _by_role(framework, by_role).get(member.role, {})
        reserved = self._subtrees.named(member.framework)
        if reserved:
            held = dict(held)
            for role, amounts in reserved.items():
                if next((one for one in framework.roles if role in self.line(one)), framework.role) == member.role:
                    add_into(held, amounts)
        return held

    def shares(self, settings: Settings) -> Shares:
        """The dominant share ÷ weight of every role, and of every framework (weight 1)."""
        unshared = settings.unshared_resources
        roles = {
            name: dominant_share(held, self.totals, unshared) / self.role_of(name).weight
            for name, held in self.role_holdings().items()
        }
        frameworks = {}
        for name in self.frameworks:
            held = dict(self.held(name))
            for amounts in self.reserved_for(name).values():
                add_into(held, amounts)
            frameworks[name] = dominant_share(held, self.totals, unshared)
        return Shares(roles, frameworks)

    def _kept(self, node: str) -> Resources:
        """What is reserved on a node and not used, for anybody."""
        kept: dict[str, int] = {}
        for amounts in self.unused(node).values():
            add_into(kept, amounts)
        return kept

    def _count(self, charge: Charge, sign: int) -> None:
        self._holdings.count(charge, sign)
        member = self.member_of(charge)
        if member is not None:
            self._shares.pop(member, None)
            if self._subtrees.known:
                self._subtrees.count(member.role, charge.resources, sign)
        self._table.count(charge.node, charge.resources, -sign)
        self._stale(charge.node)

    def _stale(self, node: str) -> None:
        """What is reserved on a node and unused may be another amount now."""
        self._unused.pop(node, None)
        if self._subtrees.concerns(node) or self._reservations.any_on(node):
            self._table.keep(node)
            self._subtrees.doubt(node)
            self._shares.clear()

    def _forget_sums(self) -> None:
        """Who is in which role has changed."""
        self._subtrees.forget()
        self._shares.clear()
        for node in self._reservations.nodes():
            self._stale(node)


def _sum(by_role: Mapping[str | None, Resources]) -> Resources:
    if len(by_role) == 1:
        return next(iter(by_role.values()))
    sums: dict[str, int] = {}
    for amounts in by_role.values():
        add_into(sums, amounts)
    return sums


def _by_role(framework: Framework, by_role: Mapping[str | None, Resources]) -> dict[str, Resources]:
    sums: dict[str, dict[str, int]] = {}
    for role, amounts in by_role.items():
        add_into(sums.setdefault(role or framework.role, {}), amounts)
    return dict(sums)

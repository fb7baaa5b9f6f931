"""Who holds what on which node: the state that an allocation cycle reads.

Everything held is a *charge* under a key of its own (a pod, a claim's slice, an offer's slice), so the same fact told
twice counts once, facts may come in any order, and a ledger rebuilt from the objects equals the one kept up by events.
Charges count only while their node is there. The ledger takes facts as they are; it never refuses one.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping

from tender.allocation.model import Charge, Framework, Node, Refusal, Role, Settings, Shares
from tender.allocation.shares import add_into, dominant_share
from tender.api.quantities import Resources

Key = Hashable


class Ledger:
    """The first level's state, in integers."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.roles: dict[str, Role] = {}
        self.frameworks: dict[str, Framework] = {}
        self.totals: dict[str, int] = {}
        self._charges: dict[Key, Charge] = {}
        self._keys_by_node: dict[str, set[Key]] = {}
        self._used: dict[str, dict[str, int]] = {}
        self._held: dict[str, dict[str, int]] = {}
        self._offered: dict[str, dict[str, int]] = {}
        self._tasks: dict[str, dict[tuple[str, str], int]] = {}
        self._refusals: dict[Key, Refusal] = {}
        self._refusals_by_framework: dict[str, dict[str, set[Key]]] = {}
        self._allocations: dict[str, int] = {}

    def put_node(self, node: Node) -> None:
        """Add a node, or replace what is known of it. Changed labels end the filters on it."""
        before = self.nodes.get(node.name)
        if before is not None:
            add_into(self.totals, before.allocatable, -1)
            if before.labels != node.labels:
                self._drop_refusals_on(node.name)
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
        self._drop_refusals_on(name)
        for key in self._keys_by_node.get(name, ()):
            self._count(self._charges[key], -1)

    def put_role(self, role: Role) -> None:
        """Add or replace a role."""
        self.roles[role.name] = role

    def remove_role(self, name: str) -> None:
        """Forget what was set for a role; it exists on for as long as a framework names it."""
        self.roles.pop(name, None)

    def put_framework(self, framework: Framework) -> None:
        """Add or replace a framework. A changed demand ends its filters."""
        before = self.frameworks.get(framework.name)
        self.frameworks[framework.name] = framework
        if before is not None and before.demand != framework.demand:
            self.revive(framework.name)

    def remove_framework(self, name: str) -> None:
        """Forget a framework; what it still holds counts as use outside every framework."""
        self.frameworks.pop(name, None)
        self._allocations.pop(name, None)
        self.revive(name)

    def put_charge(self, key: Key, charge: Charge) -> None:
        """Set what is held under this key, in place of what was held under it before."""
        if self._charges.get(key) == charge:
            return
        self.remove_charge(key)
        self._charges[key] = charge
        self._keys_by_node.setdefault(charge.node, set()).add(key)
        if charge.node in self.nodes:
            self._count(charge, 1)

    def remove_charge(self, key: Key) -> None:
        """Nothing is held under this key any more."""
        charge = self._charges.pop(key, None)
        if charge is None:
            return
        keys = self._keys_by_node[charge.node]
        keys.discard(key)
        if not keys:
            del self._keys_by_node[charge.node]
        if charge.node in self.nodes:
            self._count(charge, -1)

    def put_refusal(self, key: Key, refusal: Refusal) -> None:
        """Set a filter under this key."""
        self.remove_refusal(key)
        self._refusals[key] = refusal
        by_node = self._refusals_by_framework.setdefault(refusal.framework, {})
        by_node.setdefault(refusal.node, set()).add(key)

    def remove_refusal(self, key: Key) -> None:
        """End the filter under this key."""
        refusal = self._refusals.pop(key, None)
        if refusal is None:
            return
        by_node = self._refusals_by_framework[refusal.framework]
        by_node[refusal.node].discard(key)
        if not by_node[refusal.node]:
            del by_node[refusal.node]
        if not by_node:
            del self._refusals_by_framework[refusal.framework]

    def revive(self, framework: str) -> None:
        """End all filters of a framework."""
        for keys in list(self._refusals_by_framework.get(framework, {}).values()):
            for key in list(keys):
                self.remove_refusal(key)

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

    def free(self, node: str) -> dict[str, int]:
        """What nobody holds on a node; negative where more is held than the node has."""
        used = self._used.get(node, {})
        return {name: total - used.get(name, 0) for name, total in self.nodes[node].allocatable.items()}

    def overcommitted(self, node: str, resources: Iterable[str]) -> bool:
        """Whether more is held on a node than it has, of any of these resources."""
        allocatable = self.nodes[node].allocatable
        used = self._used.get(node, {})
        return any(used.get(name, 0) > allocatable.get(name, 0) for name in resources)

    def held(self, framework: str) -> Resources:
        """All that a framework holds: pods, claims and outstanding offers."""
        return self._held.get(framework, {})

    def offered(self, framework: str) -> Resources:
        """The part of what a framework holds that is on offer to it and not answered yet."""
        return self._offered.get(framework, {})

    def tasks(self, framework: str, task: str) -> Mapping[str, int]:
        """How many tasks of one name a framework has, by node: running, claimed or on offer."""
        return {node: count for (name, node), count in self._tasks.get(framework, {}).items() if name == task}

    def refusals(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at the moment, by node."""
        standing: dict[str, list[Resources]] = {}
        for node, keys in self._refusals_by_framework.get(framework, {}).items():
            refused = [self._refusals[key].resources for key in keys if self._refusals[key].until > now]
            if refused:
                standing[node] = refused
        return standing

    def role_of(self, name: str) -> Role:
        """A role as set, or the implicit one: weight 1, no quota, no parent."""
        return self.roles.get(name) or Role(name)

    def lineage(self, name: str) -> list[Role]:
        """A role and the roles above it. A parent that is not there, or that would close a circle, ends the line."""
        line: list[Role] = []
        seen: set[str] = set()
        step: str | None = name
        while step is not None and step not in seen:
            seen.add(step)
            role = self.role_of(step)
            line.append(role)
            step = role.parent if role.parent in self.roles else None
        return line

    def role_holdings(self) -> dict[str, dict[str, int]]:
        """What each role holds with everything below it, of roles that are set or have frameworks."""
        sums: dict[str, dict[str, int]] = {name: {} for name in self.roles}
        for framework in self.frameworks.values():
            held = self.held(framework.name)
            for role in self.lineage(framework.role):
                add_into(sums.setdefault(role.name, {}), held)
        return sums

    def shares(self, settings: Settings) -> Shares:
        """The dominant share ÷ weight of every role, and of every framework (weight 1)."""
        unshared = settings.unshared_resources
        return Shares(
            roles={
                name: dominant_share(held, self.totals, unshared) / self.role_of(name).weight
                for name, held in self.role_holdings().items()
            },
            frameworks={name: dominant_share(self.held(name), self.totals, unshared) for name in self.frameworks},
        )

    def _count(self, charge: Charge, sign: int) -> None:
        add_into(self._used.setdefault(charge.node, {}), charge.resources, sign)
        if charge.framework is None:
            return
        add_into(self._held.setdefault(charge.framework, {}), charge.resources, sign)
        if charge.offered:
            add_into(self._offered.setdefault(charge.framework, {}), charge.resources, sign)
        tasks = self._tasks.setdefault(charge.framework, {})
        for name, count in charge.tasks.items():
            place = (name, charge.node)
            tasks[place] = tasks.get(place, 0) + sign * count
            if not tasks[place]:
                del tasks[place]

    def _drop_refusals_on(self, node: str) -> None:
        for by_node in list(self._refusals_by_framework.values()):
            for key in list(by_node.get(node, ())):
                self.remove_refusal(key)

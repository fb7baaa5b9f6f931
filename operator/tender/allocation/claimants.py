"""What one framework can take in a cycle: the whole rest of a node, or one task at a time.

A framework without demand takes all that is left of its next node, cut to the limits of its role (Mesos' way). One
with demand takes one task, on the next node with room, round robin over the nodes, so that fairness holds per task
and tasks spread. During a cycle free resources only shrink, so a node that was passed over is never looked at again.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from tender.allocation.ledger import Ledger
from tender.allocation.limits import Limits
from tender.allocation.model import Demand, Framework, NotOffered, Reason, Settings
from tender.allocation.shares import add_into, contains_one, fits
from tender.allocation.suitability import obstacle
from tender.api.quantities import Resources, format_resources


@dataclass(slots=True)
class Pool:
    """What is free on each node that takes part in the cycle: when it began, and now."""

    ledger: Ledger
    order: list[str]
    at_start: dict[str, dict[str, int]] = field(default_factory=dict)
    now: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the stock of every node."""
        for name in self.order:
            self.at_start[name] = self.ledger.free(name)
            self.now[name] = dict(self.at_start[name])

    def take(self, node: str, resources: Resources) -> None:
        """Take what was granted off what is free."""
        add_into(self.now[node], resources, -1)


@dataclass(frozen=True, slots=True)
class Portion:
    """What a claimant takes in one turn: of this node, these resources, for a task of this name if it has demand."""

    node: str
    resources: Resources
    task: str | None = None


class Tally:
    """Counts the nodes that were passed over, by reason, with one telling message for each."""

    def __init__(self) -> None:
        self._nodes: Counter[Reason] = Counter()
        self._messages: dict[Reason, str] = {}

    def count(self, reason: Reason, message: str, nodes: int = 1) -> None:
        """Count nodes under a reason; the first message given for it is kept."""
        self._nodes[reason] += nodes
        self._messages.setdefault(reason, message)

    def summary(self) -> tuple[NotOffered, ...]:
        """The reasons, the most frequent first."""
        return tuple(
            NotOffered(reason, count, self._messages[reason])
            for reason, count in sorted(self._nodes.items(), key=lambda item: (-item[1], item[0]))
        )


class WholeNodes:
    """Takes all that is left of one node after the other."""

    def __init__(
        self, framework: Framework, ledger: Ledger, pool: Pool, limits: Limits, settings: Settings, now: float
    ) -> None:
        self._framework = framework
        self._ledger = ledger
        self._pool = pool
        self._limits = limits
        self._minimum = settings.minimum_offer if framework.minimum is None else framework.minimum
        self._refusals = ledger.refusals(framework.name, now)
        self._nodes = deque(pool.order)
        self._tally = Tally()

    def take(self) -> Portion | None:
        """The next portion, or None when nothing more can be had."""
        while self._nodes:
            name = self._nodes.popleft()
            portion = self._portion(name)
            if portion is not None:
                return Portion(name, portion)
        return None

    def reasons(self) -> tuple[NotOffered, ...]:
        """Why the nodes that were passed over were not offered."""
        return self._tally.summary()

    def _portion(self, name: str) -> dict[str, int] | None:
        framework = self._framework
        node = self._ledger.nodes[name]
        hindered = obstacle(node, framework.node_selector, framework.tolerations)
        if hindered is not None:
            self._tally.count(*hindered)
            return None
        left = _positive(self._pool.now[name])
        if not self._enough(left):
            if self._enough(_positive(self._pool.at_start[name])):
                self._tally.count(Reason.SHARE_ORDER, "frameworks that hold less were served first")
            elif any(resource != "pods" for resource in left):
                self._tally.count(Reason.TOO_SMALL, f"{format_resources(left)} is less than the minimum offer")
            else:
                self._tally.count(Reason.EXHAUSTED, "nothing is free")
            return None
        portion = self._limits.allowed(framework.role, left)
        if not self._enough(portion):
            self._tally.count(Reason.QUOTA, self._limits.breach(framework.role, left) or "the limit is used up")
            return None
        if _refused(portion, self._refusals.get(name)):
            self._tally.count(Reason.FILTERED, "as much was refused a short time ago")
            return None
        return portion

    def _enough(self, resources: Resources) -> bool:
        return any(resource != "pods" for resource in resources) and (
            not self._minimum or contains_one(resources, self._minimum)
        )


class Tasks:
    """Takes one task at a time, of each demand in turn until it is met or no node has room."""

    def __init__(
        self, framework: Framework, ledger: Ledger, pool: Pool, limits: Limits, settings: Settings, now: float
    ) -> None:
        self._framework = framework
        self._pool = pool
        self._limits = limits
        self._settings = settings
        refusals = ledger.refusals(framework.name, now)
        self._wants = deque(_Want(framework, demand, ledger, pool, refusals) for demand in framework.demand or ())
        self._unmet: _Want | None = None

    def take(self) -> Portion | None:
        """The next task's portion, or None when every demand is met or cannot be."""
        while self._wants:
            want = self._wants[0]
            node = want.place(self._limits) if want.missing > 0 else None
            if node is not None:
                want.missing -= 1
                return Portion(node, want.requests, want.demand.name)
            if want.missing > 0 and self._unmet is None:
                self._unmet = want
            self._wants.popleft()
        return None

    def reasons(self) -> tuple[NotOffered, ...]:
        """Why the first demand that is not met found no room, over the nodes it was not offered."""
        if self._framework.demand == ():
            return (NotOffered(Reason.SUPPRESSED, 0, "the framework has declared that it needs nothing"),)
        return self._unmet.tally.summary() if self._unmet is not None else ()


class _Want:
    """One demand during a cycle: how many tasks are missing and which nodes may still have room."""

    def __init__(
        self,
        framework: Framework,
        demand: Demand,
        ledger: Ledger,
        pool: Pool,
        refusals: dict[str, list[Resources]],
    ) -> None:
        self.demand = demand
        self.requests = {name: amount for name, amount in demand.requests.items() if amount > 0}
        self.tally = Tally()
        self._role = framework.role
        self._selector = {**framework.node_selector, **demand.node_selector}
        self._tolerations = framework.tolerations + demand.tolerations
        self._ledger = ledger
        self._pool = pool
        self._refusals = refusals
        self._placed = dict(ledger.tasks(framework.name, demand.name))
        self.missing = demand.count - sum(count for node, count in self._placed.items() if node in ledger.nodes)
        self._fresh = deque(pool.order)
        self._open: deque[str] = deque()

    def place(self, limits: Limits) -> str | None:
        """The next node with room for one task; None when there is none, or a limit forbids it."""
        breach = limits.breach(self._role, self.requests)
        if breach is not None:
            self.tally.count(Reason.QUOTA, breach, len(self._fresh) + len(self._open))
            return None
        while self._fresh or self._open:
            fresh = bool(self._fresh)
            name = (self._fresh if fresh else self._open).popleft()
            if (fresh and self._never(name)) or not self._room(name):
                continue
            self._placed[name] = self._placed.get(name, 0) + 1
            self._open.append(name)
            return name
        return None

    def _never(self, name: str) -> bool:
        hindered = obstacle(self._ledger.nodes[name], self._selector, self._tolerations)
        if hindered is not None:
            self.tally.count(*hindered)
            return True
        if name in self._refusals and _refused(self._most(name), self._refusals[name]):
            self.tally.count(Reason.FILTERED, "as much was refused a short time ago")
            return True
        return False

    def _most(self, name: str) -> dict[str, int]:
        """All that could be offered on this node: as many tasks as are missing and have room."""
        free = self._pool.now[name]
        count = self.missing
        for resource, amount in self.requests.items():
            count = min(count, max(0, free.get(resource, 0)) // amount)
        if self.demand.max_per_node is not None:
            count = min(count, self.demand.max_per_node - self._placed.get(name, 0))
        return {resource: amount * max(1, count) for resource, amount in self.requests.items()}

    def _room(self, name: str) -> bool:
        most = self.demand.max_per_node
        if most is not None and self._placed.get(name, 0) >= most:
            self.tally.count(Reason.UNSUITABLE, f"a node may hold {most} of {self.demand.name} at most")
            return False
        if fits(self.requests, self._pool.now[name]):
            return True
        if fits(self.requests, self._pool.at_start[name]):
            self.tally.count(Reason.SHARE_ORDER, "frameworks that hold less were served first")
        else:
            self.tally.count(Reason.EXHAUSTED, f"a task needs {format_resources(self.requests)}, and less is free")
        return False


def _positive(amounts: Resources) -> dict[str, int]:
    return {resource: amount for resource, amount in amounts.items() if amount > 0}


def _refused(offer: Resources, refusals: list[Resources] | None) -> bool:
    """Whether the offer is contained in something refused. Pods' count is left out: it is not what was refused."""
    if not refusals:
        return False
    asked = {resource: amount for resource, amount in offer.items() if resource != "pods"}
    return any(fits(asked, refused) for refused in refusals)

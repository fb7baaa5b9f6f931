"""What a framework with demand can take in a cycle: one task at a time, so that fairness holds per task.

Tasks spread: each goes to the next node with room, round robin. Nodes with a scarce resource come last for tasks that
do not use it, and nodes where the framework has refused something come last of all, and then for so many tasks at once
that the offer holds more than was refused.
"""

from collections import deque

from tender.allocation.account import Account, Portion
from tender.allocation.filters import is_refused
from tender.allocation.ledger import Ledger
from tender.allocation.model import Demand, Framework, NotOffered, Reason
from tender.allocation.pool import describe
from tender.allocation.shares import add_into, fits
from tender.allocation.suitability import Wants, asks_for, scarce_on
from tender.allocation.tally import Tally
from tender.api.quantities import Resources


class Tasks:
    """A framework that wants tasks. Each demand is served in turn until it is met or no node has room."""

    def __init__(self, framework: Framework, account: Account, now: float) -> None:
        self._account = account
        self._framework = framework
        self._given: dict[str, dict[str, int]] = {}
        refusals = account.ledger.refusals(framework.name, now)
        self._wants = deque(
            _Want(framework, entry, account, refusals, self._given)
            for entry in framework.demand or ()
            if missing(account.ledger, framework, entry) > 0
        )
        self._unmet: _Want | None = None

    def take(self, *, owed: bool) -> Portion | None:
        """The next portion, or None when every demand is met or cannot be.

        With `owed`, only tasks that bring the role nearer to its guarantee count.
        """
        skipped: list[_Want] = []
        portion = None
        while self._wants and portion is None:
            want = self._wants[0]
            if owed and not self._is_owed(want.requests):
                skipped.append(self._wants.popleft())
                continue
            if want.missing > 0:
                portion = want.place()
            if portion is None:
                if want.missing > 0 and self._unmet is None:
                    self._unmet = want
                self._wants.popleft()
        self._wants.extendleft(reversed(skipped))
        return portion

    def waits(self) -> bool:
        """Whether a demand is left that could not be met."""
        return self._unmet is not None

    def reasons(self) -> tuple[NotOffered, ...]:
        """Why the first demand that is not met found no room, over the nodes it was not offered."""
        return self._unmet.tally.summary() if self._unmet is not None else ()

    def _is_owed(self, requests: Resources) -> bool:
        return not self._account.quotas.guaranteed(self._framework.role).keys().isdisjoint(requests)


def is_met(ledger: Ledger, framework: Framework) -> bool:
    """Whether a framework with demand has, in tasks running, claimed or on offer, all that it wants."""
    return framework.demand is not None and all(missing(ledger, framework, entry) <= 0 for entry in framework.demand)


def missing(ledger: Ledger, framework: Framework, entry: Demand) -> int:
    """How many tasks of a demand are neither running nor claimed nor on offer."""
    return entry.count - sum(ledger.tasks(framework.name, entry.name).values())


class _Want:
    """One demand during a cycle: how many tasks are missing and which nodes may still have room."""

    def __init__(
        self,
        framework: Framework,
        demand: Demand,
        account: Account,
        refusals: dict[str, list[Resources]],
        given: dict[str, dict[str, int]],
    ) -> None:
        self.requests = {name: amount for name, amount in demand.requests.items() if amount > 0}
        self.missing = missing(account.ledger, framework, demand)
        self.tally = Tally()
        self._framework = framework
        self._demand = demand
        self._account = account
        self._refusals = refusals
        self._given = given
        self._bound = account.bound(framework.role)
        self._placed = (
            dict(account.ledger.tasks(framework.name, demand.name)) if demand.max_per_node is not None else {}
        )
        scarce = account.settings.scarce_resources
        asked = asks_for(framework, scarce)
        selector = {**framework.node_selector, **demand.node_selector}
        self._wants = Wants(selector, framework.tolerations + demand.tolerations, asked, scarce)
        survey = account.pool.with_room(self.requests)
        account.pool.count_full(survey, self._wants, self.tally)
        roomy = survey.roomy
        if spared := asked - self.requests.keys():
            roomy = sorted(roomy, key=lambda name: bool(scarce_on(account.ledger.nodes[name], spared)))
        self._fresh = iter(roomy)
        self._unseen = len(roomy)
        self._open: deque[str] = deque()
        self._mine: dict[str, int] = {}
        self._refused: deque[str] = deque()

    def place(self) -> Portion | None:
        """The next portion, or None when no node has room or a limit forbids it."""
        if self._bound and self._at_limit():
            return None
        for name in self._fresh:
            self._unseen -= 1
            hindered = self._wants.obstacle(self._account.ledger.nodes[name])
            if hindered is not None:
                self.tally.count(*hindered)
            elif name in self._refusals:
                self._refused.append(name)
            elif (portion := self._portion(name)) is not None:
                return portion
        while self._open:
            portion = self._portion(self._open.popleft())
            if portion is not None:
                return portion
        while self._refused:
            name = self._refused.popleft()
            count = self._least_past_refusal(name)
            portion = self._portion(name, count) if count <= self.missing else None
            if portion is not None:
                add_into(self._given.setdefault(name, {}), portion.resources)
                return portion
            if count > 1:
                self.tally.count(Reason.FILTERED, "as much was refused a short time ago")
        return None

    def _at_limit(self) -> bool:
        """Whether a limit forbids one more task wherever it runs: then all nodes that are left count as such."""
        role = self._framework.role
        breach = self._account.quotas.breach(role, self.requests)
        if breach is None or self._account.may_use_reservations(self._framework):
            return False
        left = self._unseen + len(self._refused)
        if left or not self._open:
            self.tally.count(Reason.QUOTA, breach, left)
        self._fresh = iter(())
        self._open.clear()
        self._refused.clear()
        return True

    def _portion(self, name: str, count: int = 1) -> Portion | None:
        """So many tasks on this node, or None: then the node is done with, and why is counted if it was for one."""
        most = self._demand.max_per_node
        if most is not None and self._placed.get(name, 0) + count > most:
            if count == 1:
                self.tally.count(Reason.UNSUITABLE, f"a node may hold {most} of {self._demand.name} at most")
            return None
        wanted = self.requests if count == 1 else {one: amount * count for one, amount in self.requests.items()}
        stock = self._account.pool.stock(name)
        draws = None
        if self._bound or stock.kept is not None:
            takings = self._account.takings(self._framework, name, wanted)
            if takings.allowed != wanted:
                if count == 1:
                    self._count_shortage(name, wanted, takings.there, takings.within_quota)
                return None
            draws = takings.draws
        elif not fits(wanted, stock.free):
            if count == 1:
                self._count_shortage(name, wanted, {}, {})
            return None
        self.missing -= count
        if most is not None:
            self._placed[name] = self._placed.get(name, 0) + count
        self._mine[name] = self._mine.get(name, 0) + count
        self._open.append(name)
        return Portion(name, wanted, self._demand.name, count, draws)

    def _count_shortage(self, name: str, wanted: Resources, there: Resources, within_quota: Resources) -> None:
        account, framework = self._account, self._framework
        if there == wanted:
            if within_quota == wanted:
                self.tally.count(Reason.HEADROOM, "what is free is kept for guarantees that are not met")
            else:
                breach = account.quotas.breach(framework.role, wanted)
                self.tally.count(Reason.QUOTA, breach or f"quota of role {framework.role} is used up")
        elif account.at_start(framework, name, wanted) != wanted:
            groups = ", ".join(sorted({role for role, _ in account.pool.at_start(name).kept or ()}))
            self.tally.count(Reason.RESERVED, f"a task needs {describe(wanted)}; what is free is reserved for {groups}")
        elif self._filled_by_itself(name):
            self.tally.count(Reason.EXHAUSTED, "filled by the tasks that it is offered for now")
        else:
            self.tally.count(Reason.SHARE_ORDER, "frameworks that hold less were served first")

    def _filled_by_itself(self, name: str) -> bool:
        """Whether one task more would not have fitted even if nobody else had been served."""
        count = self._mine.get(name, 0) + 1
        wanted = {resource: amount * count for resource, amount in self.requests.items()}
        return self._account.at_start(self._framework, name, wanted) != wanted

    def _least_past_refusal(self, name: str) -> int:
        """The least number of tasks that makes the offer of this node hold more than was refused there."""
        given = self._given.get(name, {})
        offer = dict(given)
        add_into(offer, self.requests)
        if not is_refused(offer, self._refusals[name]):
            return 1
        never = self.missing + 1
        return max(
            min(
                (
                    (refused.get(resource, 0) - given.get(resource, 0)) // amount + 1
                    for resource, amount in self.requests.items()
                    if resource != "pods"
                ),
                default=never,
            )
            for refused in self._refusals[name]
        )

"""What a framework without demand can take in a cycle: all that is left of one node after the other.

This is Mesos' way. What is taken is cut to the quota of the role and to what is not kept for guarantees.
"""

from collections import deque

from tender.allocation.account import Account, Portion, Takings
from tender.allocation.filters import is_refused
from tender.allocation.model import Framework, NotOffered, Reason
from tender.allocation.pool import Draw, describe, enough
from tender.allocation.suitability import wants_of
from tender.allocation.tally import Tally
from tender.api.quantities import Resources


class WholeNodes:
    """A framework that takes what it can get. Each node is looked at once: what is free only shrinks in a cycle."""

    def __init__(self, framework: Framework, account: Account, now: float) -> None:
        self._framework = framework
        self._account = account
        self._minimum = account.settings.minimum_offer if framework.minimum is None else framework.minimum
        self._refusals = account.ledger.refusals(framework.name, now)
        self._wants = wants_of(framework, account.settings.scarce_resources)
        self._bound = account.bound(framework.role)
        self._tally = Tally()
        self._granted = False
        self._later: list[str] = []
        survey = account.pool.with_minimum(self._minimum)
        self._nodes = deque(survey.roomy)
        account.pool.count_full(survey, self._wants, self._tally)

    def take(self, *, owed: bool) -> Portion | None:
        """The next portion, or None when nothing more can be had.

        With `owed`, only portions that bring the role nearer to its guarantee count; other nodes are left for later.
        """
        portion = None
        if not owed and self._later:
            self._nodes.extendleft(reversed(self._later))
            self._later.clear()
        while self._nodes and portion is None:
            guaranteed = self._account.quotas.guaranteed(self._framework.role) if owed else None
            if owed and not guaranteed:
                break
            name = self._nodes.popleft()
            portion = self._portion(name)
            if portion is not None and guaranteed is not None and not (portion.resources.keys() & guaranteed.keys()):
                self._later.append(name)
                portion = None
        self._granted = self._granted or portion is not None
        return portion

    def waits(self) -> bool:
        """Whether it would take more, so that there are reasons why it has not got it."""
        return not self._granted or bool(self.reasons())

    def reasons(self) -> tuple[NotOffered, ...]:
        """Why the nodes that were passed over were not offered."""
        return self._tally.summary()

    def _portion(self, name: str) -> Portion | None:
        hindered = self._wants.obstacle(self._account.ledger.nodes[name])
        if hindered is None:
            stock = self._account.pool.stock(name)
            if stock.kept is None and not self._bound:
                left = stock.left()
                if not stock.touched or enough(left, self._minimum):
                    return self._unless_refused(name, left)
                hindered = self._scarcity(name)
            else:
                takings = self._account.takings(self._framework, name)
                hindered = self._shortage(name, takings)
                if hindered is None:
                    return self._unless_refused(name, takings.allowed, takings.draws)
        self._tally.count(*hindered)
        return None

    def _unless_refused(self, name: str, resources: Resources, draws: tuple[Draw, ...] | None = None) -> Portion | None:
        if name in self._refusals and is_refused(resources, self._refusals[name]):
            self._tally.count(Reason.FILTERED, "as much was refused a short time ago")
            return None
        return Portion(name, resources, draws=draws)

    def _shortage(self, name: str, takings: Takings) -> tuple[Reason, str] | None:
        role = self._framework.role
        if not enough(takings.there, self._minimum):
            return self._scarcity(name)
        if not enough(takings.within_quota, self._minimum):
            return Reason.QUOTA, self._account.quotas.breach(role, takings.there) or f"quota of role {role} is used up"
        if not enough(takings.allowed, self._minimum):
            return Reason.HEADROOM, "what is free is kept for guarantees that are not met"
        return None

    def _scarcity(self, name: str) -> tuple[Reason, str]:
        """Why too little is there for this framework, though there was enough for somebody when the cycle began."""
        stock = self._account.pool.stock(name)
        if stock.kept is not None and not enough(self._account.at_start(self._framework, name), self._minimum):
            groups = ", ".join(sorted({role for role, _ in stock.kept}))
            return Reason.RESERVED, f"{describe(stock.free)} is free, reserved for {groups}"
        return Reason.SHARE_ORDER, "frameworks that hold less were served first"

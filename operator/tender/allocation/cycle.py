"""One allocation cycle: from who holds what to who is offered what, and why the others wait.

First the frameworks whose roles are below their guarantee are served, as far as it brings them nearer to it, then all.
Both times the lowest dominant share ÷ weight comes next, level by level down the role tree (`serving`), and takes one
portion (`whole_nodes`, `tasks`) inside what reservations, limits and headroom leave to it (`account`), until nobody can
take more. Nothing is changed: the caller turns the grants into offers and charges them to the ledger.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tender.allocation.account import Account
from tender.allocation.ledger import Ledger
from tender.allocation.model import CycleResult, Framework, Grant, Member, NotOffered, Settings
from tender.allocation.reasons import Reasons
from tender.allocation.serving import ServingOrder
from tender.allocation.tasks import Needs, Tasks, is_met, requests_of
from tender.allocation.whole_nodes import WholeNodes, minimum_of

if TYPE_CHECKING:
    from random import Random

_NEEDS_NOTHING = "the framework has declared that it needs nothing; it is offered again when it declares a demand"

Claimant = WholeNodes | Tasks


def run_cycle(
    ledger: Ledger,
    settings: Settings,
    now: float,
    rng: "Random",
    nodes: Iterable[str] | None = None,
    *,
    explain: bool = True,
) -> CycleResult:
    """Decide the offers of one cycle.

    `now` is on the clock of the refusals; `rng` draws lots (for the random sorter) and says at which node the round of
    them begins, so that no node is always the first; `nodes` limits the cycle to these nodes (all by default). A
    framework gets at most one grant per node and role. Without `explain` nobody is told why it waits.
    """
    claimants = decide(ledger, settings, now, rng, nodes)
    return CycleResult(
        tuple(claimants.grants()) if claimants is not None else (), _reasons(ledger, claimants) if explain else {}
    )


def decide(
    ledger: Ledger, settings: Settings, now: float, rng: "Random", nodes: Iterable[str] | None = None
) -> "Claimants | None":
    """Serve everybody who waits; what they took is with the claimants. None if nobody waits."""
    waiting = [framework for framework in taking_part(ledger) if not is_met(ledger, framework)]
    if not waiting:
        return None
    holdings = ledger.role_holdings()
    table = ledger.table()
    account = Account(ledger, settings, holdings, table.everything if nodes is None else table.set_of(nodes))
    claimants = Claimants(waiting, account, now, rng)
    if account.pool.live:
        serving = ServingOrder(ledger, settings, holdings, rng, claimants.__getitem__)
        able = claimants.able()
        owed = [member for member in able if account.quotas.guaranteed(member.role)] if account.quotas else []
        if owed:
            serving.start(owed, last=False)
            _serve(serving, account, owed=True)
        serving.start(able)
        _serve(serving, account, owed=False)
    return claimants


def serving_order(ledger: Ledger, settings: Settings, rng: "Random") -> list[str]:
    """All frameworks that take part, in the order in which a cycle with this `rng` would serve them.

    Whether they can be served (nodes, quotas, what they still lack) is left out: it is the order of the shares.
    """
    serving = ServingOrder(ledger, settings, ledger.role_holdings(), rng, lambda member: member.framework)
    serving.start(member for framework in taking_part(ledger) for member in members_of(framework))
    return list(dict.fromkeys(serving.drain()))


def taking_part(ledger: Ledger) -> list[Framework]:
    """The frameworks that have not declared that they need nothing, nor are inactive, by name."""
    frameworks = ledger.frameworks
    return [one for _, one in sorted(frameworks.items()) if not one.inactive and one.demand != ()]


def members_of(framework: Framework) -> list[Member]:
    """A framework in each of its roles, by their names."""
    return [Member(framework.name, role) for role in sorted(framework.roles)]


class Claimants:
    """Everybody who waits, in each of its roles. Each is made when its turn comes, which for most is never."""

    def __init__(self, waiting: list[Framework], account: Account, now: float, rng: "Random") -> None:
        self.waiting = waiting
        self.account = account
        self._now = now
        self._rng = rng
        self._made: dict[Member, Claimant] = {}
        self._needs: dict[str, Needs] = {}
        names = account.pool.table.names
        self._start = rng.randrange(len(names)) if names else 0

    def __getitem__(self, member: Member) -> Claimant:
        one = self._made.get(member)
        if one is None:
            one = self._made[member] = self._make(member)
        return one

    def able(self) -> list[Member]:
        """Those for whom there is room on any node at all that they have not refused, whoever it may be kept for."""
        ledger, pool = self.account.ledger, self.account.pool
        able: list[Member] = []
        for framework in self.waiting:
            if framework.demand is not None:
                room = max((pool.fitting(requests_of(entry), reserved=True) for entry in framework.demand), default=0)
                blocked = 0
            else:
                room = pool.room(minimum_of(framework, self.account.settings), reserved=True)
                blocked = ledger.filters(framework.name, self._now)[1] if room else 0
            if room & ~blocked:
                able += members_of(framework)
            elif blocked:
                able += [member for member in members_of(framework) if self.account.entitled(member)]
        return able

    def served(self) -> Iterator[Claimant]:
        """Those whose turn has come, by framework and role."""
        for member in sorted(self._made):
            yield self._made[member]

    def grants(self) -> Iterator[Grant]:
        """What they took."""
        for one in self.served():
            yield from one.granted.finished(one.member, self.account.pool.table.names)

    def of(self, framework: Framework) -> list[Claimant]:
        """A framework that waits, in each of its roles."""
        return [self[Member(framework.name, role)] for role in framework.roles]

    def _make(self, member: Member) -> Claimant:
        framework = self.account.ledger.frameworks[member.framework]
        if framework.demand is None:
            return WholeNodes(framework, member, self.account, self._now, self._start)
        needs = self._needs.get(framework.name)
        if needs is None:
            needs = self._needs[framework.name] = Needs(self.account.ledger, framework)
        return Tasks(framework, member, self.account, self._now, needs, self._rng)


def _serve(serving: ServingOrder[Claimant], account: Account, *, owed: bool) -> None:
    pool = account.pool
    while pool.live and (one := serving.next()) is not None:
        portion = one.take(owed=owed)
        if portion is None:
            serving.done()
            continue
        counted = account.counted(one.member, portion) if portion.draws else None
        serving.granted(portion.resources, counted, 1 if portion.first else 0)


def _reasons(ledger: Ledger, claimants: Claimants | None) -> dict[str, tuple[NotOffered, ...]]:
    told: dict[str, tuple[NotOffered, ...]] = {}
    for name, framework in ledger.frameworks.items():
        if idle := why_idle(framework):
            told[name] = (NotOffered(framework.inactive_reason, 0, idle),)
    if claimants is not None:
        reasons = Reasons(claimants.account)
        for framework in claimants.waiting:
            if why := reasons.of(claimants.of(framework)):
                told[framework.name] = why
    return told


def why_idle(framework: Framework) -> str:
    """Why a framework is offered nothing whatever there is; empty if it takes part."""
    if framework.inactive:
        return framework.inactive
    return _NEEDS_NOTHING if framework.demand == () else ""

"""One allocation cycle: from who holds what to who is offered what, and why the others wait.

First the frameworks whose roles are below their guarantee are served, as far as it brings them nearer to it, then all.
Both times the lowest dominant share ÷ weight comes next, level by level down the role tree (`serving`), and takes one
portion (`whole_nodes`, `tasks`) inside what reservations, limits and headroom leave to it (`account`), until nobody can
take more. Nothing is changed: the caller turns the grants into offers and charges them to the ledger.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tender.allocation import reasons
from tender.allocation.account import Account
from tender.allocation.ledger import Ledger
from tender.allocation.model import CycleResult, Framework, Member, NotOffered, Reason, Settings
from tender.allocation.serving import ServingOrder
from tender.allocation.tasks import Needs, Tasks, is_met, requests_of
from tender.allocation.whole_nodes import WholeNodes, minimum_of

if TYPE_CHECKING:
    from random import Random

_NO_NODES = (NotOffered(Reason.EXHAUSTED, 0, "there is no node to offer"),)

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
    waiting = [framework for framework in taking_part(ledger) if not is_met(ledger, framework)]
    if not waiting:
        return CycleResult((), _reasons(ledger, None) if explain else {})
    holdings = ledger.role_holdings()
    table = ledger.table()
    account = Account(ledger, settings, holdings, table.everything if nodes is None else table.set_of(nodes))
    claimants = _Claimants(waiting, account, now, rng)
    if account.pool.live:
        serving = ServingOrder(ledger, settings, holdings, rng, claimants.__getitem__)
        able = claimants.able()
        owed = [member for member in able if account.quotas.guaranteed(member.role)] if account.quotas else []
        if owed:
            serving.start(owed, last=False)
            _serve(serving, account, owed=True)
        serving.start(able)
        _serve(serving, account, owed=False)
    grants = tuple(grant for one in claimants.served() for grant in one.granted.finished(one.member, table.names))
    return CycleResult(grants, _reasons(ledger, claimants) if explain else {})


def serving_order(ledger: Ledger, settings: Settings, rng: "Random") -> list[str]:
    """All frameworks that take part, in the order in which a cycle with this `rng` would serve them.

    Whether they can be served (nodes, quotas, what they still lack) is left out: it is the order of the shares.
    """
    serving = ServingOrder(ledger, settings, ledger.role_holdings(), rng, lambda member: member.framework)
    serving.start(Member(framework.name, role) for framework in taking_part(ledger) for role in framework.roles)
    return list(dict.fromkeys(serving.drain()))


def taking_part(ledger: Ledger) -> list[Framework]:
    """The frameworks that have not declared that they need nothing, nor are inactive, by name."""
    frameworks = ledger.frameworks
    return [one for _, one in sorted(frameworks.items()) if not one.inactive and one.demand != ()]


class _Claimants:
    """Everybody who waits, in each of its roles. Each is made when its turn comes, which for most is never."""

    def __init__(self, waiting: list[Framework], account: Account, now: float, rng: "Random") -> None:
        self.members = [Member(framework.name, role) for framework in waiting for role in sorted(framework.roles)]
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
        """Those for whom there is room on any node at all, whoever it may be kept for."""
        return [member for member in self.members if self._is_able(self.account.ledger.frameworks[member.framework])]

    def _is_able(self, framework: Framework) -> bool:
        pool = self.account.pool
        if framework.demand is None:
            return pool.room(minimum_of(framework, self.account.settings), reserved=True) != 0
        return any(pool.fitting(requests_of(entry), reserved=True) for entry in framework.demand)

    def served(self) -> Iterator[Claimant]:
        """Those whose turn has come, by framework and role."""
        for member in sorted(self._made):
            yield self._made[member]

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
        account.take(one.member, portion)
        first = one.granted.add(portion)
        counted = account.counted(one.member, portion) if portion.draws else None
        serving.granted(portion.resources, counted, 1 if first else 0)


def _reasons(ledger: Ledger, claimants: _Claimants | None) -> dict[str, tuple[NotOffered, ...]]:
    told: dict[str, tuple[NotOffered, ...]] = {}
    for name, framework in ledger.frameworks.items():
        if idle := _idle(framework):
            told[name] = (NotOffered(Reason.SUPPRESSED, 0, idle),)
    for member in claimants.members if claimants is not None else ():
        if member.framework not in told and claimants is not None:
            one = claimants[member]
            if isinstance(one, WholeNodes):
                why = reasons.summary(reasons.of_whole_nodes(one, claimants.account))
                if why or not one.granted:
                    told[member.framework] = why or _NO_NODES
            elif (unmet := one.first_unmet()) is not None:
                told[member.framework] = reasons.summary(reasons.of_want(unmet, claimants.account)) or _NO_NODES
    return told


def _idle(framework: Framework) -> str:
    if framework.inactive:
        return framework.inactive
    return "the framework has declared that it needs nothing" if framework.demand == () else ""

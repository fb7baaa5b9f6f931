"""One allocation cycle: from who holds what to who is offered what, and why the others wait.

First the frameworks whose roles are below their guarantee are served, as far as it brings them nearer to it, then all.
Both times the lowest dominant share ÷ weight comes next, level by level down the role tree (`serving`), and takes one
portion (`whole_nodes`, `tasks`) inside what reservations, limits and headroom leave to it (`account`), until nobody can
take more. Nothing is changed: the caller turns the grants into offers and charges them to the ledger.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tender.allocation import reasons
from tender.allocation.account import Account
from tender.allocation.ledger import Ledger
from tender.allocation.model import CycleResult, Framework, Member, NotOffered, Reason, Settings
from tender.allocation.serving import ServingOrder
from tender.allocation.tasks import Needs, Tasks, is_met
from tender.allocation.whole_nodes import WholeNodes

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
        return CycleResult((), _reasons(ledger, [], None) if explain else {})
    holdings = ledger.role_holdings()
    table = ledger.table()
    scope = table.everything if nodes is None else table.set_of(nodes)
    account = Account(ledger, settings, holdings, scope)
    claimants = _claimants(waiting, account, now, rng)
    able = {one.member: one for one in claimants if one.able()}
    if able:
        serving = ServingOrder(ledger, settings, holdings, rng)
        owed = [member for member in able if account.quotas.guaranteed(member.role)]
        if owed:
            serving.start(owed)
            _serve(serving, able, account, owed=True)
        serving.start(able)
        _serve(serving, able, account, owed=False)
    grants = tuple(grant for one in able.values() for grant in one.granted.finished(one.member, table.names))
    return CycleResult(grants, _reasons(ledger, claimants, account) if explain else {})


def serving_order(ledger: Ledger, settings: Settings, rng: "Random") -> list[str]:
    """All frameworks that take part, in the order in which a cycle with this `rng` would serve them.

    Whether they can be served (nodes, quotas, what they still lack) is left out: it is the order of the shares.
    """
    serving = ServingOrder(ledger, settings, ledger.role_holdings(), rng)
    serving.start(Member(framework.name, role) for framework in taking_part(ledger) for role in framework.roles)
    return list(dict.fromkeys(member.framework for member in serving.drain()))


def taking_part(ledger: Ledger) -> list[Framework]:
    """The frameworks that have not declared that they need nothing, nor are inactive, by name."""
    frameworks = ledger.frameworks
    return [one for _, one in sorted(frameworks.items()) if not one.inactive and one.demand != ()]


def _claimants(waiting: list[Framework], account: Account, now: float, rng: "Random") -> list[Claimant]:
    """Everybody who waits, in each of its roles, by framework and role."""
    claimants: list[Claimant] = []
    names = account.pool.table.names
    start = rng.randrange(len(names)) if names else 0
    for framework in waiting:
        members = [Member(framework.name, role) for role in sorted(framework.roles)]
        if framework.demand is None:
            claimants += [WholeNodes(framework, member, account, now, start) for member in members]
        else:
            needs = Needs(account.ledger, framework)
            claimants += [Tasks(framework, member, account, now, needs, rng) for member in members]
    return claimants


def _serve(serving: ServingOrder, claimants: Mapping[Member, Claimant], account: Account, *, owed: bool) -> None:
    pool = account.pool
    while pool.live and (member := serving.next()) is not None:
        one = claimants[member]
        portion = one.take(owed=owed)
        if portion is None:
            serving.done()
            continue
        account.take(member, portion)
        first = one.granted.add(portion)
        serving.granted(portion.resources, account.counted(member, portion), allocations=int(first))


def _reasons(ledger: Ledger, claimants: list[Claimant], account: Account | None) -> dict[str, tuple[NotOffered, ...]]:
    told: dict[str, tuple[NotOffered, ...]] = {}
    for name, framework in ledger.frameworks.items():
        if idle := _idle(framework):
            told[name] = (NotOffered(Reason.SUPPRESSED, 0, idle),)
    if account is None:
        return told
    for one in claimants:
        name = one.member.framework
        if name in told:
            continue
        if isinstance(one, WholeNodes):
            why = reasons.summary(reasons.of_whole_nodes(one, account))
            if why or not one.granted.nodes():
                told[name] = why or _NO_NODES
        elif (unmet := one.first_unmet()) is not None:
            told[name] = reasons.summary(reasons.of_want(unmet, account)) or _NO_NODES
    return told


def _idle(framework: Framework) -> str:
    if framework.inactive:
        return framework.inactive
    return "the framework has declared that it needs nothing" if framework.demand == () else ""

"""One allocation cycle: from who holds what to who is offered what, and why the others wait.

First the frameworks whose roles are below their guarantee are served, as far as it brings them nearer to it, then all.
Both times the lowest dominant share ÷ weight comes next, level by level down the role tree (`serving`), and takes one
portion (`whole_nodes`, `tasks`) inside what reservations, limits and headroom leave to it (`account`), until nobody can
take more. Nothing is changed: the caller turns the grants into offers and charges them to the ledger.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tender.allocation.account import Account, Portion
from tender.allocation.ledger import Ledger
from tender.allocation.model import CycleResult, Framework, Grant, NotOffered, Reason, Settings
from tender.allocation.serving import ServingOrder
from tender.allocation.shares import add_into
from tender.allocation.tasks import Tasks, is_met
from tender.allocation.whole_nodes import WholeNodes

if TYPE_CHECKING:
    from random import Random

_NO_NODES = (NotOffered(Reason.EXHAUSTED, 0, "there is no node to offer"),)


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

    `now` is on the clock of the refusals; `rng` draws lots (for the random sorter) and orders the nodes, so that no
    node is always the first; `nodes` limits the cycle to these nodes (all by default). A framework gets at most one
    grant per node. Without `explain` nobody is told why it waits.
    """
    waiting = [name for name in taking_part(ledger) if not is_met(ledger, ledger.frameworks[name])]
    if not waiting:
        return CycleResult((), _reasons(ledger, {}) if explain else {})
    holdings = ledger.role_holdings()
    serving = ServingOrder(ledger, settings, holdings, rng)
    order = sorted(ledger.nodes if nodes is None else ledger.nodes.keys() & set(nodes))
    account = Account(ledger, settings, holdings, order)
    owed = [name for name in waiting if account.quotas.guaranteed(ledger.frameworks[name].role)]
    serving.start(owed or waiting)
    rng.shuffle(order)
    claimants: dict[str, WholeNodes | Tasks] = {}
    for name in waiting:
        framework = ledger.frameworks[name]
        kind = WholeNodes if framework.demand is None else Tasks
        claimants[name] = kind(framework, account, now)
    grants = _Grants(ledger)
    if owed:
        _serve(serving, claimants, account, grants, owed=True)
        serving.start(waiting)
    _serve(serving, claimants, account, grants, owed=False)
    return CycleResult(grants.finished(), _reasons(ledger, claimants) if explain else {})


def serving_order(ledger: Ledger, settings: Settings, rng: "Random") -> list[str]:
    """All frameworks that take part, in the order in which a cycle with this `rng` would serve them.

    Whether they can be served (nodes, quotas, what they still lack) is left out: it is the order of the shares.
    """
    serving = ServingOrder(ledger, settings, ledger.role_holdings(), rng)
    serving.start(taking_part(ledger))
    return list(serving.drain())


def taking_part(ledger: Ledger) -> list[str]:
    """The frameworks that have not declared that they need nothing, nor are inactive, by name."""
    return sorted(
        name for name, framework in ledger.frameworks.items() if not framework.inactive and framework.demand != ()
    )


class _Grants:
    """The portions of a cycle, summed by framework and node."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._amounts: dict[tuple[str, str], dict[str, int]] = {}
        self._tasks: dict[tuple[str, str], dict[str, int]] = {}

    def add(self, framework: str, portion: Portion) -> bool:
        """Add a portion; whether it is the first of this framework on this node."""
        place = (framework, portion.node)
        amounts = self._amounts.get(place)
        first = amounts is None
        if amounts is None:
            self._amounts[place] = dict(portion.resources)
        else:
            add_into(amounts, portion.resources)
        if portion.task is not None:
            counts = self._tasks.setdefault(place, {})
            counts[portion.task] = counts.get(portion.task, 0) + portion.count
        return first

    def finished(self) -> tuple[Grant, ...]:
        """One grant for each framework and node."""
        return tuple(
            Grant(name, self._ledger.frameworks[name].role, node, amounts, self._tasks.get((name, node), {}))
            for (name, node), amounts in sorted(self._amounts.items())
        )


def _serve(
    serving: ServingOrder,
    claimants: dict[str, WholeNodes | Tasks],
    account: Account,
    grants: _Grants,
    *,
    owed: bool,
) -> None:
    frameworks = account.ledger.frameworks
    while (name := serving.next()) is not None:
        portion = claimants[name].take(owed=owed)
        if portion is None:
            serving.done()
            continue
        framework = frameworks[name]
        account.take(framework, portion)
        first = grants.add(name, portion)
        serving.granted(portion.resources, account.counted(framework, portion), allocations=int(first))


def _reasons(ledger: Ledger, claimants: dict[str, WholeNodes | Tasks]) -> dict[str, tuple[NotOffered, ...]]:
    reasons: dict[str, tuple[NotOffered, ...]] = {}
    for name, framework in ledger.frameworks.items():
        claimant = claimants.get(name)
        if claimant is not None:
            if claimant.waits():
                reasons[name] = claimant.reasons() or _NO_NODES
        elif idle := _idle(framework):
            reasons[name] = (NotOffered(Reason.SUPPRESSED, 0, idle),)
    return reasons


def _idle(framework: Framework) -> str:
    if framework.inactive:
        return framework.inactive
    return "the framework has declared that it needs nothing" if framework.demand == () else ""

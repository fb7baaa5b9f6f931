"""One allocation cycle: from who holds what to who is offered what, and why the others wait.

The lowest dominant share ÷ weight is served next, level by level down the role tree (`serving`), with one portion
(`claimants`) inside the limits of its role (`limits`), until nobody can take more. Nothing is changed: the caller
turns the grants into offers and charges them to the ledger.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tender.allocation.claimants import Pool, Tasks, WholeNodes
from tender.allocation.ledger import Ledger
from tender.allocation.limits import Limits
from tender.allocation.model import CycleResult, Framework, Grant, NotOffered, Reason, Settings
from tender.allocation.serving import ServingOrder
from tender.allocation.shares import add_into

if TYPE_CHECKING:
    from random import Random


def run_cycle(
    ledger: Ledger, settings: Settings, now: float, rng: "Random", nodes: Iterable[str] | None = None
) -> CycleResult:
    """Decide the offers of one cycle.

    `now` is on the clock of the refusals; `rng` orders the nodes, so that no node is always the first; `nodes` limits
    the cycle to these nodes (all by default). A framework gets at most one grant per node.
    """
    order = sorted(ledger.nodes if nodes is None else ledger.nodes.keys() & set(nodes))
    rng.shuffle(order)
    pool = Pool(ledger, order)
    limits = Limits(ledger)
    claimants = {
        name: (WholeNodes if framework.demand is None else Tasks)(framework, ledger, pool, limits, settings, now)
        for name, framework in ledger.frameworks.items()
        if not framework.inactive
    }
    serving = ServingOrder(ledger, settings, claimants)
    amounts: dict[tuple[str, str], dict[str, int]] = {}
    tasks: dict[tuple[str, str], dict[str, int]] = {}
    while (name := serving.next()) is not None:
        portion = claimants[name].take()
        if portion is None:
            serving.done()
            continue
        pool.take(portion.node, portion.resources)
        limits.grant(ledger.frameworks[name].role, portion.resources)
        serving.granted(portion.resources)
        place = (name, portion.node)
        add_into(amounts.setdefault(place, {}), portion.resources)
        if portion.task is not None:
            counts = tasks.setdefault(place, {})
            counts[portion.task] = counts.get(portion.task, 0) + 1
    return CycleResult(
        grants=tuple(
            Grant(name, ledger.frameworks[name].role, node, resources, tasks.get((name, node), {}))
            for (name, node), resources in sorted(amounts.items())
        ),
        not_offered={
            name: reasons
            for name, framework in ledger.frameworks.items()
            if (reasons := claimants[name].reasons() if name in claimants else _inactive(framework))
        },
    )


def _inactive(framework: Framework) -> tuple[NotOffered, ...]:
    return (NotOffered(Reason.SUPPRESSED, 0, framework.inactive),)

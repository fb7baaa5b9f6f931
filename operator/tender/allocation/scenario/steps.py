"""Carries out the action of a step on the world."""

from collections.abc import Callable, Mapping
from typing import Any

from tender.allocation.cycle import run_cycle
from tender.allocation.scenario import cluster_steps, framework_steps
from tender.allocation.scenario.holding import Holding
from tender.allocation.scenario.values import read_milliseconds
from tender.allocation.scenario.world import World
from tender.allocation.shares import add_into


def act(world: World, action: str, value: Any) -> None:
    """Carry out one action. Raises Refused, and then the world is as it was."""
    _ACTIONS[action](world, value)


def allocate(world: World, value: Mapping[str, Any]) -> None:
    """Run one cycle; its offers stay outstanding."""
    names = None
    if "nodes" in value:
        names = [world.known_node(str(name)) for name in value["nodes"]]
    ledger = world.ledger
    result = run_cycle(ledger, world.settings, world.now(), world.rng, names)
    made: dict[str, dict[str, dict[str, int]]] = {}
    for grant in result.grants:
        place = (grant.framework, grant.node)
        tasks = [
            (task, framework_steps.requests_of(world, grant.framework, task) or {})
            for task, count in grant.tasks.items()
            for _ in range(count)
        ]
        plain = dict(grant.resources)
        for _, requests in tasks:
            add_into(plain, requests, -1)
        offer = world.offers.get(place, Holding())
        offer.add(Holding(plain, tasks))
        world.set_offer(place, offer)
        ledger.note_allocation(grant.framework)
        made.setdefault(grant.framework, {})[grant.node] = dict(grant.resources)
    world.made, world.not_offered = made, result.not_offered


def advance(world: World, value: object) -> None:
    """Move the clock on."""
    world.clock += read_milliseconds(value, "advance")


_ACTIONS: dict[str, Callable[[World, Any], None]] = {
    "node": cluster_steps.node,
    "removeNode": cluster_steps.remove_node,
    "role": cluster_steps.role,
    "removeRole": cluster_steps.remove_role,
    "reserve": cluster_steps.reserve,
    "unreserve": cluster_steps.unreserve,
    "use": cluster_steps.use,
    "framework": framework_steps.framework,
    "removeFramework": framework_steps.remove_framework,
    "claim": framework_steps.claim,
    "decline": framework_steps.decline,
    "release": framework_steps.release,
    "suppress": framework_steps.suppress,
    "revive": framework_steps.revive,
    "allocate": allocate,
    "advance": advance,
}

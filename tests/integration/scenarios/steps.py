"""Carries out a step of a scenario on the API server, and lets the master do what it would do at once."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.integration.scenarios import cluster_steps, framework_steps
from tests.integration.scenarios.conductor import NO_NODES
from tests.integration.scenarios.stage import Refused, Stage

from tender.api.durations import parse_duration
from tender.cluster.errors import ApiError


async def act(stage: Stage, action: str, value: Any, *, only_named_nodes: bool) -> None:
    """Carry out one step. Raises Refused.

    Time passes and cycles take place only where a step says so. In between the master looks at no nodes: offers end
    that have to, and nothing is offered. A cycle looks at all nodes, as the master's own always do, even if the step
    names some, unless `only_named_nodes` is set.
    """
    if action == "allocate":
        await stage.master.cycle(value.get("nodes") if value and only_named_nodes else None)
        return
    if action == "advance":
        stage.world.clock.advance(parse_duration(str(value)))
    else:
        try:
            await _WRITES[action](stage, value)
        except ApiError as error:
            raise Refused(error.message) from error
    await stage.master.rest()
    await stage.master.cycle(NO_NODES)


_WRITES: dict[str, Callable[[Stage, Any], Awaitable[None]]] = {
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
}

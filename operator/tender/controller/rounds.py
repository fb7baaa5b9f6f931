"""What is looked at now and then, and not at every change: pods to give up, and who waits when nodes have changed."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from tender.api.core import Pod
from tender.cluster.errors import ApiError
from tender.controller.executor import Executor
from tender.controller.view import View

log = structlog.get_logger(__name__)

ROUND_SECONDS = 10.0
"""The longest time between two rounds."""
REST_SECONDS = 1.0
"""How long changes of nodes are gathered, so that one round serves a whole rack of them."""


async def make_rounds(
    view: View,
    executor: Executor,
    lost_pods: Callable[[], Iterable[Pod]],
    nodes_changed: asyncio.Event,
    *,
    interval: float = ROUND_SECONDS,
    rest: float = REST_SECONDS,
) -> None:
    """Make rounds until cancelled: regularly, and soon after `nodes_changed` was set."""
    while True:
        await asyncio.gather(*(_give_up(pod, executor) for pod in lost_pods()))
        try:
            async with asyncio.timeout(interval):
                await nodes_changed.wait()
        except TimeoutError:
            continue
        await asyncio.sleep(rest)
        nodes_changed.clear()
        view.mark_waiting()


async def _give_up(pod: Pod, executor: Executor) -> None:
    name, node = f"{pod.metadata.namespace}/{pod.metadata.name}", pod.spec.node_name
    try:
        await executor.give_up(pod)
    except ApiError as error:
        log.warning("pod of a framework that is gone could not be given up", pod=name, node=node, error=str(error))
    else:
        log.warning("pod given up: its framework is gone and its node does not answer", pod=name, node=node)

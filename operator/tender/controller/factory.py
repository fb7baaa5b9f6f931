"""Wires the controller: the one place that knows all of its parts. `run_controller` is what the command line calls."""

import asyncio
import platform
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, TypeVar

import structlog
from prometheus_client import CollectorRegistry

from tender.api.core import decode_pod
from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import ResourceOffer
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.listwatch import ListWatch
from tender.cluster.metrics import TrafficMetrics
from tender.cluster.pulse import Pulse
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS, Resource
from tender.cluster.serving import Serving
from tender.cluster.vitals import Vitals
from tender.controller.executor import Executor
from tender.controller.loop import TurnLoop
from tender.controller.metrics import ControllerMetrics
from tender.controller.settings import ControllerSettings
from tender.controller.view import View
from tender.frameworks.sdk import Note, Planner

log = structlog.get_logger(__name__)

T = TypeVar("T")


async def run_controller(
    settings: ControllerSettings,
    planners: Mapping[str, Planner],
    *,
    manager: str,
    selects: Callable[[Framework], bool] | None = None,
    clock: Callable[[], float] = time.time,
    rng: Random | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run frameworks until `stop` is set; without one, until a signal asks the process to end.

    `planners` by the field of the Framework's spec that their kind is known by; `manager` is the field manager of what
    is written. `selects` says which frameworks are run, where several controllers share a kind; None: all. `clock`
    gives epoch seconds.
    """
    rng = rng or Random()
    stop = stop or _set_by_signals(asyncio.Event())
    registry = CollectorRegistry()
    metrics, traffic = ControllerMetrics(registry), TrafficMetrics(registry)
    client = Client(
        load(settings.kubeconfig, settings.context),
        field_manager=manager,
        writes_in_flight=settings.writes_at_once,
        rng=rng,
        observe=traffic.request,
    )
    async with client, asyncio.TaskGroup() as tasks:
        recorder = EventRecorder(client, controller=manager, instance=platform.node())

        def tell(framework: Framework, note: Note) -> None:
            recorder.record(
                Regarding.to(FRAMEWORKS, framework), note.reason, note.message, warning=note.kind == "Warning"
            )

        turns = TurnLoop(
            planners,
            metrics,
            turns_at_once=settings.turns_at_once,
            clock=clock,
            rng=rng,
            tell=tell,
            selects=selects or (lambda _: True),
        )
        view = View(turns.mark)
        executor = Executor(
            client, view, metrics, manager=manager, status_interval=settings.status_interval, clock=clock
        )

        def follow(
            resource: Resource,
            decode: Callable[[bytes], T],
            on_change: Callable[[T | None, T | None], None],
            label_selector: str = "",
        ) -> ListWatch[T]:
            return ListWatch(
                client,
                resource,
                decode,
                on_change=on_change,
                namespace=settings.namespace,
                label_selector=label_selector,
                observe=traffic.cache,
                rng=rng,
            )

        frameworks = follow(FRAMEWORKS, Framework.model_validate_json, view.framework_changed)
        pods = follow(PODS, decode_pod, view.pod_changed, LABEL_FRAMEWORK)
        offers = follow(RESOURCE_OFFERS, ResourceOffer.model_validate_json, view.offer_changed)
        caches: tuple[ListWatch[Any], ...] = (frameworks, pods, offers)
        pulse = Pulse(client, FRAMEWORKS, settings.vitals.pulse, namespace=settings.namespace)
        vitals = Vitals(pulse, caches, settings.vitals)
        background = [
            tasks.create_task(work) for work in (*(cache.run() for cache in caches), pulse.run(), recorder.run())
        ]
        async with Serving(
            registry, healthy=vitals.healthy(), ready=vitals.ready(), host=settings.host, port=settings.port
        ):
            background.append(tasks.create_task(_take_turns(caches, turns, view, executor)))
            await stop.wait()
        for task in background:
            task.cancel()


async def _take_turns(caches: Iterable[ListWatch[Any]], turns: TurnLoop, view: View, executor: Executor) -> None:
    """Take no turn before everything that is there is known."""
    await asyncio.gather(*(cache.synced.wait() for cache in caches))
    log.info("caches are complete", objects={cache.resource.plural: len(cache.objects) for cache in caches})
    await turns.run(view, executor)


def _set_by_signals(stop: asyncio.Event) -> asyncio.Event:
    """Let the signals that end a process set the event: in a container nothing else would heed them."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop

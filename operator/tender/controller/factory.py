"""Wires the controller: the one place that knows all of its parts. `run_controller` is what the command line calls."""

import asyncio
import platform
import time
from collections.abc import Callable, Mapping
from random import Random

import structlog
from prometheus_client import CollectorRegistry

from tender.api.core import Pod, decode_pod
from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import ResourceOffer
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.listwatch import ListWatch
from tender.cluster.metrics import TrafficMetrics
from tender.cluster.pulse import Pulse
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS
from tender.cluster.serving import Serving
from tender.cluster.vitals import Vitals
from tender.controller.executor import Executor
from tender.controller.loop import TurnLoop
from tender.controller.metrics import ControllerMetrics
from tender.controller.settings import ControllerSettings
from tender.controller.view import View
from tender.frameworks.sdk import Note, Planner

log = structlog.get_logger(__name__)


async def run_controller(
    settings: ControllerSettings,
    planners: Mapping[str, Planner],
    *,
    manager: str,
    clock: Callable[[], float] = time.time,
    rng: Random | None = None,
) -> None:
    """Run frameworks until cancelled.

    `planners` by the field of the Framework's spec that their kind is known by; `manager` is the field manager of what
    is written. `clock` gives epoch seconds.
    """
    rng = rng or Random()
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
            metadata = framework.metadata
            regarding = Regarding(FRAMEWORKS, metadata.name, metadata.namespace or "", metadata.uid or "")
            recorder.record(regarding, note.reason, note.message, warning=note.kind == "Warning")

        turns = TurnLoop(planners, metrics, turns_at_once=settings.turns_at_once, clock=clock, rng=rng, tell=tell)
        view = View(turns.mark)
        executor = Executor(
            client, view, metrics, manager=manager, status_interval=settings.status_interval, clock=clock
        )
        frameworks: ListWatch[Framework] = ListWatch(
            client,
            FRAMEWORKS,
            Framework.model_validate_json,
            on_change=view.framework_changed,
            namespace=settings.namespace,
            observe=traffic.cache,
            rng=rng,
        )
        pods: ListWatch[Pod] = ListWatch(
            client,
            PODS,
            decode_pod,
            on_change=view.pod_changed,
            namespace=settings.namespace,
            label_selector=LABEL_FRAMEWORK,
            observe=traffic.cache,
            rng=rng,
        )
        offers: ListWatch[ResourceOffer] = ListWatch(
            client,
            RESOURCE_OFFERS,
            ResourceOffer.model_validate_json,
            on_change=view.offer_changed,
            namespace=settings.namespace,
            observe=traffic.cache,
            rng=rng,
        )
        caches = (frameworks, pods, offers)
        pulse = Pulse(client, FRAMEWORKS)
        vitals = Vitals(pulse, caches)
        for cache in caches:
            tasks.create_task(cache.run())
        tasks.create_task(pulse.run())
        tasks.create_task(recorder.run())
        async with Serving(
            registry, healthy=vitals.healthy(), ready=vitals.ready(), host=settings.host, port=settings.port
        ):
            await asyncio.gather(*(cache.synced.wait() for cache in caches))
            log.info("caches are complete", frameworks=len(frameworks.objects), pods=len(pods.objects))
            await turns.run(view, executor)

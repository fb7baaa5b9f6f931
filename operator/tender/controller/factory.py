"""Wires the controller: the one place that knows all of its parts. `run_controller` is what the command line calls."""

import asyncio
import platform
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from random import Random
from typing import Any, TypeVar

import structlog

from tender.api.core import Pod, decode_node
from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import ResourceOffer
from tender.cluster.access import load
from tender.cluster.authentication import Authentication
from tender.cluster.client import Client
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.leadership import Leadership, candidacy, count_leader, may_begin
from tender.cluster.listwatch import ListWatch
from tender.cluster.metrics import CacheFigures, TrafficMetrics
from tender.cluster.metrics.declared import REFUSED_BY_NODE
from tender.cluster.metrics.instruments import new_registry
from tender.cluster.pulse import Pulse
from tender.cluster.resources import FRAMEWORKS, NODES, PODS, RESOURCE_OFFERS, Resource
from tender.cluster.serving import Serving
from tender.cluster.stopping import stop_on_signals
from tender.cluster.vitals import Vitals
from tender.controller.executor import Executor
from tender.controller.kinds import KEPT, KINDS
from tender.controller.loop import TurnLoop
from tender.controller.metrics import ControllerMetrics
from tender.controller.orphans import orphans
from tender.controller.refusals import refused_by_node
from tender.controller.rounds import make_rounds
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
    follows: Collection[Resource] = (),
    clock: Callable[[], float] = time.time,
    rng: Random | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run frameworks until `stop` is set; without one, until a signal asks the process to end. With
    `settings.election` it stands by until it leads, and raises LeaseLost when another one does.

    `planners` by the field of the Framework's spec that their kind is known by; `manager` is the field manager of what
    is written. Of the frameworks of these kinds only those are run that `selects` holds for: an author's own
    controller runs {"external": planner} for those that are its. `follows` are the kinds that planners see and may keep
    besides frameworks, offers and pods, of `kinds.EVERYTHING`; each takes the right to list and watch it. `clock` gives
    epoch seconds.
    """
    rng = rng or Random()
    stop = stop or stop_on_signals()
    registry = new_registry()
    metrics, traffic = ControllerMetrics(registry), TrafficMetrics(registry)
    access = load(settings.kubeconfig, settings.context)
    leadership = None
    if settings.election is not None:
        leadership = Leadership(access, settings.election, "controller", rng=rng, observe=traffic.request)
    fence = None if leadership is None else leadership.fence
    client = Client(
        access,
        field_manager=manager,
        writes_in_flight=settings.writes_at_once,
        rng=rng,
        observe=traffic.request,
        fence=fence,
    )
    async with client, candidacy(leadership), asyncio.TaskGroup() as tasks:
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
            selects=selects,
            fence=fence,
        )
        nodes_changed = asyncio.Event()
        view = View(turns.mark, nodes_changed.set, follows)
        executor = Executor(
            client, view, metrics, manager=manager, status_interval=settings.status_interval, clock=clock
        )

        def follow(
            resource: Resource,
            decode: Callable[[bytes], T],
            on_change: Callable[[T | None, T | None], None],
            label_selector: str = "",
        ) -> list[ListWatch[T]]:
            """A cache of everything, or, as rights may end at a namespace, one for each that there is to look at."""
            namespaces = settings.namespaces if resource.namespaced else ()
            return [
                ListWatch(
                    client,
                    resource,
                    decode,
                    on_change=on_change,
                    namespace=namespace,
                    label_selector=label_selector,
                    observe=traffic.cache,
                    rng=rng,
                )
                for namespace in namespaces or (None,)
            ]

        def pod_changed(old: Pod | None, new: Pod | None) -> None:
            if refused_by_node(old, new):
                metrics.launch_failures.labels(REFUSED_BY_NODE).inc()
            view.child_changed(PODS, old, new)

        frameworks = follow(FRAMEWORKS, Framework.model_validate_json, view.framework_changed)
        offers = follow(RESOURCE_OFFERS, ResourceOffer.model_validate_json, view.offer_changed)
        pods = follow(PODS, KINDS[PODS].decode, pod_changed, LABEL_FRAMEWORK)
        nodes = follow(NODES, decode_node, view.node_changed) if NODES in follows else []
        others = [
            cache
            for kind in KEPT.values()
            if kind.resource in follows
            for cache in follow(kind.resource, kind.decode, partial(view.child_changed, kind.resource), LABEL_FRAMEWORK)
        ]
        caches: list[ListWatch[Any]] = [*frameworks, *offers, *pods, *nodes, *others]

        CacheFigures(registry, caches)

        def lost_pods() -> list[Pod]:
            if not nodes:
                return []
            uids = {one.metadata.uid or "" for cache in frameworks for one in cache.objects.values()}
            unreadable = {key for cache in frameworks for key in cache.invalid}
            candidates = [pod for cache in pods for pod in cache.objects.values()]
            return orphans(candidates, uids, unreadable, nodes[0].objects, clock())

        async def work() -> None:
            """Do nothing before everything that is there is known."""
            await asyncio.gather(*(cache.synced.wait() for cache in caches))
            count_leader(metrics.leader, leadership)
            counts = Counter[str]()
            for cache in caches:
                counts[cache.resource.plural] += len(cache.objects)
            log.info("caches are complete", objects=dict(counts))
            await asyncio.gather(turns.run(view, executor), make_rounds(view, executor, lost_pods, nodes_changed))

        pulse = Pulse(client, FRAMEWORKS, settings.vitals.pulse, namespace=next(iter(settings.namespaces), None))
        alive = {} if leadership is None else {"lease": leadership.stuck}
        vitals = Vitals(pulse, caches, settings.vitals, alive=alive)
        background = [tasks.create_task(each) for each in (pulse.run(), recorder.run())]
        async with Serving(
            registry,
            healthy=vitals.healthy(),
            ready=vitals.ready(),
            guard=Authentication(client).refusal if settings.metrics_auth else None,
            host=settings.host,
            port=settings.port,
        ):
            if await may_begin(leadership, stop):
                vitals.begin()
                background += [tasks.create_task(each) for each in (*(cache.run() for cache in caches), work())]
                await stop.wait()
        for task in background:
            task.cancel()

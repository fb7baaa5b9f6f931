"""Wires the master: the one place that knows all of its parts. `run_master` is what the command line calls."""

import asyncio
import platform
from collections.abc import Callable, Collection, Iterator
from functools import partial
from random import Random
from typing import Any

import kopf
import structlog

from tender.allocation import Ledger
from tender.api.core import Node, Pod, decode_node, decode_pod
from tender.cluster.access import load
from tender.cluster.authentication import Authentication
from tender.cluster.client import Client
from tender.cluster.clocks import WatchedClock
from tender.cluster.events import EventRecorder
from tender.cluster.heap import settle_heap
from tender.cluster.leadership import Leadership, candidacy, count_leader, may_begin
from tender.cluster.listwatch import ListWatch
from tender.cluster.metrics import CacheFigures, TrafficMetrics
from tender.cluster.metrics.instruments import new_registry
from tender.cluster.pulse import Pulse
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES, PODS, RESERVATIONS, RESOURCE_OFFERS
from tender.cluster.serving import Serving
from tender.cluster.stopping import stop_on_signals
from tender.cluster.vitals import Vitals
from tender.master import handlers
from tender.master.census import Census
from tender.master.executor import Executor
from tender.master.explanations import Explanations
from tender.master.facts import Facts
from tender.master.figures import Figures
from tender.master.intake import Intake
from tender.master.loop import AllocationLoop
from tender.master.metrics import MasterMetrics
from tender.master.offerbook import OfferBook
from tender.master.releaser import Releaser
from tender.master.settings import MasterSettings
from tender.master.status_writer import StatusWriter
from tender.master.terms import first_term

log = structlog.get_logger(__name__)

RUNNING_PODS = "status.phase!=Succeeded,status.phase!=Failed"


async def run_master(
    settings: MasterSettings,
    *,
    clock: Callable[[], float] | None = None,
    rng: Random | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run the master until `stop` is set; without one, until a signal asks the process to end. With
    `settings.election` it stands by until it leads, and raises LeaseLost when another one does.

    `clock` gives epoch seconds; what it moves on counts as time that passes. None: the time of day, whose jumps do not.
    """
    rng = rng or Random()
    stop = stop or stop_on_signals()
    registry = new_registry()
    metrics, traffic = MasterMetrics(registry), TrafficMetrics(registry)
    access = load(settings.kubeconfig, settings.context)
    leadership = None
    if settings.election is not None:
        leadership = Leadership(
            access,
            settings.election,
            "master",
            first_term=lambda: first_term(client),
            rng=rng,
            observe=traffic.request,
        )
    lead = partial(count_leader, metrics.leader, leadership)
    client = Client(
        access,
        field_manager="tender-master",
        writes_in_flight=settings.offer_writes,
        rng=rng,
        observe=traffic.request,
        fence=None if leadership is None else leadership.fence,
    )
    async with client, candidacy(leadership), asyncio.TaskGroup() as tasks:
        ledger = Ledger()
        book = OfferBook(ledger, settings.cycle, settings.interval)
        clock = clock or WatchedClock(book.clock_jumped)
        recorder = EventRecorder(client, controller="tender-master", instance=platform.node())
        facts = Facts(ledger, book, Intake(ledger, book.pod_changed, book.room), recorder, metrics, clock)
        executor = Executor(client, facts.offers, tasks, metrics)
        loop = AllocationLoop(
            ledger,
            book,
            facts.frameworks,
            executor,
            metrics,
            settings,
            clock=clock,
            rng=rng,
            leadership=leadership,
        )
        facts.follow(loop)
        kinds = (
            (FRAMEWORK_ROLES, facts.roles),
            (FRAMEWORKS, facts.frameworks),
            (RESERVATIONS, facts.reservations),
            (RESOURCE_OFFERS, facts.offers),
        )
        nodes: ListWatch[Node] = ListWatch(
            client,
            NODES,
            decode_node,
            on_change=facts.node_changed,
            label_selector=settings.node_selector,
            observe=traffic.cache,
            rng=rng,
        )
        pods: ListWatch[Pod] = ListWatch(
            client,
            PODS,
            decode_pod,
            on_change=facts.pod_changed,
            field_selector=RUNNING_PODS,
            observe=traffic.cache,
            rng=rng,
        )
        census = Census(client, kinds, settings.census_interval, facts.corrected)
        statuses = StatusWriter(
            client,
            ledger,
            facts,
            recorder,
            lambda: loop.latest,
            settings.cycle,
            settings.status_interval,
            clock,
        )
        releaser = Releaser(client, ledger, facts, recorder, clock)
        Figures(registry, ledger, book, facts.frameworks.objects, lambda: loop.latest, settings.cycle)
        CacheFigures(registry, (nodes, pods))
        pulse = Pulse(client, FRAMEWORK_ROLES, settings.vitals.pulse)
        vitals = Vitals(
            pulse,
            (nodes, pods),
            settings.vitals,
            started={"census": census.complete.is_set, "cycle": lambda: loop.last_cycle is not None},
            alive={} if leadership is None else {"lease": leadership.stuck},
        )
        background = [tasks.create_task(work) for work in (pulse.run(), recorder.run())]
        async with Serving(
            registry,
            healthy=vitals.healthy(),
            ready=vitals.ready(),
            documents=Explanations(ledger, loop, settings.cycle, clock).documents(),
            guard=Authentication(client).refusal if settings.metrics_auth else None,
            host=settings.host,
            port=settings.port,
        ):
            if await may_begin(leadership, stop):
                vitals.begin()
                allocating = _allocate(nodes, pods, census, facts, loop, statuses, releaser, lead)
                background += [tasks.create_task(work) for work in (nodes.run(), pods.run(), census.run(), allocating)]
                operator = _operator(kinds, access.connection_fields)
                watching = await kopf.spawn_tasks(registry=operator, clusterwide=True, stop_flag=stop)
                await kopf.run_tasks(watching, ignored=_TasksOfOthers())
        executor.end()
        for task in background:
            task.cancel()


async def _allocate(
    nodes: ListWatch[Node],
    pods: ListWatch[Pod],
    census: Census,
    facts: Facts,
    loop: AllocationLoop,
    statuses: StatusWriter,
    releaser: Releaser,
    lead: Callable[[], None],
) -> None:
    """Offer nothing, and release nothing, before everything that is there is known."""
    await asyncio.gather(nodes.synced.wait(), pods.synced.wait(), census.complete.wait())
    log.info("caches are complete", nodes=len(nodes.objects), pods=len(pods.objects))
    facts.start_complete(loop.term)
    lead()
    loop.wake()
    settle_heap()
    await asyncio.gather(loop.run(), statuses.run(), releaser.run())


class _TasksOfOthers(Collection[asyncio.Task[Any]]):
    """The tasks that are not kopf's.

    In the end kopf waits 5 s for every task that began after it, as if each were a handler that hangs, and then cancels
    it. Those that are not its own must be spared, and until then offers would go on being made.
    """

    def __contains__(self, task: object) -> bool:
        frame = getattr(task.get_coro(), "cr_frame", None) if isinstance(task, asyncio.Task) else None
        return frame is None or not frame.f_globals.get("__name__", "").startswith("kopf.")

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return (task for task in asyncio.all_tasks() if task in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _operator(kinds: handlers.Kinds, connection: Callable[[], dict[str, object]]) -> kopf.OperatorRegistry:
    operator = kopf.OperatorRegistry()

    @kopf.on.startup(registry=operator)
    async def start(settings: kopf.OperatorSettings, **_: object) -> None:
        handlers.configure(settings)

    @kopf.on.login(registry=operator)
    async def login(**_: object) -> kopf.ConnectionInfo:
        fields = await asyncio.to_thread(connection)
        return kopf.ConnectionInfo(**fields)  # type: ignore[arg-type]

    handlers.register(operator, kinds)
    return operator

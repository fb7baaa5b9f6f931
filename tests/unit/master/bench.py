"""A whole master over an API server in memory: facts, cycle and executor, without watches and without waiting."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, cast

from prometheus_client import CollectorRegistry
from tests.builders import node
from tests.unit.figures import total
from tests.unit.memory import Cache, Listener, MemoryApi, MemoryClient, Refuse

from tender.allocation import Ledger
from tender.cluster.client import Client
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, PODS, RESOURCE_OFFERS, Resource
from tender.master.executor import Executor
from tender.master.facts import Facts
from tender.master.intake import Intake
from tender.master.loop import AllocationLoop
from tender.master.metrics import MasterMetrics
from tender.master.offerbook import OfferBook
from tender.master.registry import Registry, key_of
from tender.master.settings import MasterSettings


class Recorder:
    """Takes note of events as (name of the object, reason, note)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []

    def record(self, regarding: Regarding, reason: str, note: str, *, warning: bool = False) -> None:
        self.events.append((regarding.name, reason, note))


class Master:
    """One life of the master: it starts with nothing but what the API server tells it, and nodes of 4 CPU.

    With `complete` False it has not been told yet that this is all.
    """

    def __init__(
        self,
        api: MemoryApi,
        tasks: asyncio.TaskGroup,
        clock: Callable[[], float],
        *,
        nodes: int = 3,
        seed: int = 0,
        refuse: Refuse | None = None,
        complete: bool = True,
    ) -> None:
        self._clock = clock
        self.recorder = Recorder()
        self.metrics = MasterMetrics(CollectorRegistry())
        self.ledger = Ledger()
        self.book = OfferBook(self.ledger)
        self.client = MemoryClient(api, refuse=refuse)
        intake = Intake(self.ledger, self.book.pod_changed, self.book.room)
        self.facts = Facts(self.ledger, self.book, intake, cast("EventRecorder", self.recorder), self.metrics, clock)
        self.executor = Executor(cast("Client", self.client), self.facts.offers, tasks, self.metrics)
        self.loop = AllocationLoop(
            self.ledger,
            self.book,
            self.facts.frameworks,
            self.executor,
            self.metrics,
            MasterSettings(),
            clock=clock,
            rng=Random(seed),
        )
        listeners: dict[Resource, Listener] = {
            FRAMEWORK_ROLES: _registered(self.facts.roles),
            FRAMEWORKS: _registered(self.facts.frameworks),
            RESOURCE_OFFERS: _registered(self.facts.offers),
            PODS: self.facts.pod_changed,
        }
        self.cache = Cache(api, listeners)
        for number in range(1, nodes + 1):
            self.facts.node_changed(None, node(f"node-{number}"))
        self.facts.follow(self.loop)
        self.cache.catch_up()
        if complete:
            self.facts.start_complete()

    async def tick(self) -> None:
        """Hear of what has changed, run one cycle, and let everything be written that it decided."""
        self.cache.catch_up()
        self.loop.tick()
        await self.settle()

    async def settle(self) -> None:
        """Let what was begun come to its end."""
        for _ in range(20):
            await asyncio.sleep(0)

    def count(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return total(self.metrics.registry, name, labels)


def _registered(registry: Registry[Any]) -> Listener:
    def changed(old: Any, new: Any) -> None:
        if new is not None:
            registry.put(new.manifest())
        else:
            registry.drop(key_of(old), old.metadata.uid)

    return changed

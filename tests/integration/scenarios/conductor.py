"""A master within the test whose allocation cycles take place when the test says so.

It is `run_master` as it always is: its own client, watches, kopf handlers, census, executor, statuses and metrics. But
it is told to wait a day for further changes before a cycle, and the test calls the cycle instead, as soon as the master
has heard of everything that was written. All that is put in between are ears: facts that note how far they have come.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.integration.running.parts import Part
from tests.integration.running.parts import master as master_within
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.allocation import Ledger
from tender.allocation.scenario import Scenario
from tender.api import core
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES, PODS, RESERVATIONS, RESOURCE_OFFERS, Resource
from tender.master import factory
from tender.master.facts import Facts
from tender.master.loop import AllocationLoop
from tender.master.offerbook import OfferBook
from tender.master.registry import key_in

A_DAY = 86_400.0
NO_NODES: Collection[str] = ()


class Ears(Facts):
    """The master's facts, which take note of the versions of nodes and pods as well."""

    def __init__(self, ledger: Ledger, book: OfferBook, *others: Any) -> None:
        super().__init__(ledger, book, *others)
        self.ledger = ledger
        self.loop: AllocationLoop | None = None
        self._seen: dict[Resource, dict[str, int]] = {NODES: {}, PODS: {}}
        self._registries = {
            FRAMEWORK_ROLES: self.roles,
            FRAMEWORKS: self.frameworks,
            RESERVATIONS: self.reservations,
            RESOURCE_OFFERS: self.offers,
        }

    def follow(self, loop: AllocationLoop) -> None:
        super().follow(loop)
        self.loop = loop

    def node_changed(self, old: core.Node | None, new: core.Node | None) -> None:
        super().node_changed(old, new)
        self._note(NODES, old, new)

    def pod_changed(self, old: core.Pod | None, new: core.Pod | None) -> None:
        super().pod_changed(old, new)
        self._note(PODS, old, new)

    def version(self, resource: Resource, key: str) -> int:
        """The version of an object that the master knows; 0 for one that it does not know, or no longer."""
        if resource in self._seen:
            return self._seen[resource].get(key, 0)
        known = self._registries[resource].objects.get(key)  # type: ignore[attr-defined]
        return int(known.metadata.resource_version or 0) if known is not None else 0

    def _note(self, resource: Resource, old: core.Node | core.Pod | None, new: core.Node | core.Pod | None) -> None:
        seen = self._seen[resource]
        for one in (old, new):
            if one is not None:
                key = "/".join(part for part in (one.metadata.namespace, one.metadata.name) if part)
                seen.pop(key, None)
                if one is new:
                    seen[key] = int(one.metadata.resource_version)


class Conductor:
    """Says when the master has a cycle, and knows what it has heard of."""

    def __init__(self, ears: Ears, part: Part) -> None:
        self.part = part
        self.ledger = ears.ledger
        self._ears = ears

    async def hears_of(self, resource: Resource, manifest: Mapping[str, Any]) -> None:
        """Wait until the master knows an object as it was written here, or a later version of it."""
        metadata = manifest["metadata"]
        key, version = key_in(metadata), int(metadata["resourceVersion"])
        await self._until(lambda: self._ears.version(resource, key) >= version, f"the news of {resource.plural} {key}")

    async def hears_of_the_end(self, resource: Resource, manifest: Mapping[str, Any]) -> None:
        """Wait until the master knows that an object is gone."""
        key = key_in(manifest["metadata"])
        await self._until(lambda: not self._ears.version(resource, key), f"the end of {resource.plural} {key}")

    def offers(self) -> dict[str, int]:
        """The versions of the offers that the master knows."""
        return {key: self._ears.version(RESOURCE_OFFERS, key) for key in self._ears.offers.objects}

    async def cycle(self, nodes: Collection[str] | None = None) -> None:
        """One cycle, until all that it decided is written; with `nodes`, one that looks at these nodes only.

        With `NO_NODES` offers end that have to, and nothing is offered.
        """
        self._loop.tick(nodes)
        await self.rest()

    async def rest(self) -> None:
        """Wait until the master has written everything that it was about to write of offers."""
        await self._until(lambda: not self._loop._executor.busy, "the end of the master's writes")

    @property
    def _loop(self) -> AllocationLoop:
        assert self._ears.loop is not None
        return self._ears.loop

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        async def is_so() -> bool:
            return holds()

        await until(is_so, what, pause=0.002)


@asynccontextmanager
async def conducted_master(world: World, kubeconfig: Path, scenario: Scenario) -> AsyncIterator[Conductor]:
    """A master with the settings of a scenario, complete with all that was there when it started."""
    started: list[Ears] = []

    def facts(*arguments: Any) -> Ears:
        started.append(Ears(*arguments))
        return started[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factory, "Facts", facts)
        async with master_within(
            world,
            kubeconfig,
            rng=Random(scenario.seed),
            interval=scenario.interval,
            debounce=A_DAY,
            status_interval=0.0,
            cycle=scenario.settings,
        ) as part:

            async def is_complete() -> bool:
                return (await part.get("/readyz"))[1] == "cycle: not complete yet\n"

            await until(is_complete, "a master that lacks nothing but a cycle")
            yield Conductor(started[0], part)

"""Statuses are written when they change, and a quota that becomes unsound is told of once."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from tests.builders import NOON, demand, external, node, role
from tests.unit.master.bench import Master
from tests.unit.memory import MemoryApi

from tender.allocation import Settings
from tender.api.role import FrameworkRole
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Unreachable
from tender.cluster.events import EventRecorder
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, Resource
from tender.master import status_writer
from tender.master.role_statuses import RoleStatuses
from tender.master.status_writer import StatusWriter

INTERVAL = 5.0


class Bench:
    """An API server with the role shops, and a master with a node of 4 CPU that writes statuses."""

    def __init__(self, tasks: asyncio.TaskGroup, quota: dict[str, Any]) -> None:
        self.now = NOON
        self.tasks = tasks
        self.refusal: ApiError | None = None
        self.api = MemoryApi()
        self.set_quota(quota)
        self.start()

    def start(self) -> None:
        """A master that has just started, in place of the one before."""
        self.master = Master(self.api, self.tasks, lambda: self.now, nodes=1, refuse=self.refuse)
        self.writer = StatusWriter(
            cast("Client", self.master.client),
            self.master.ledger,
            self.master.facts,
            cast("EventRecorder", self.master.recorder),
            lambda: self.master.loop.latest,
            Settings(),
            INTERVAL,
            lambda: self.now,
        )

    def refuse(self, verb: str, kind: Resource, name: str) -> ApiError | None:
        return self.refusal if verb == "apply" else None

    def set_quota(self, quota: dict[str, Any]) -> None:
        known = self.api.objects[FRAMEWORK_ROLES].get("shops", {})
        self.api.put(FRAMEWORK_ROLES, {**role("shops", quota=quota).manifest(), "status": known.get("status", {})})

    async def tick(self, seconds: float = INTERVAL) -> None:
        self.now += seconds
        self.master.cache.catch_up()
        await self.writer.tick()

    @property
    def role(self) -> FrameworkRole:
        found: FrameworkRole = self.api.read(FRAMEWORK_ROLES)["shops"]
        return found

    @property
    def told(self) -> list[str]:
        return [reason for _, reason, _ in self.master.recorder.events]

    @property
    def writes(self) -> int:
        return self.api.writes.count(("apply", "FrameworkRole", "shops"))


@asynccontextmanager
async def bench(**guarantee: str) -> AsyncIterator[Bench]:
    async with asyncio.TaskGroup() as tasks:
        yield Bench(tasks, {"guarantee": guarantee})


@pytest.fixture
def computed(monkeypatch) -> list[str]:
    """The roles whose status is asked for from now on."""
    names: list[str] = []

    class Noted(RoleStatuses):
        def of(self, roles: Collection[FrameworkRole], now: float) -> Any:
            names.extend(role.metadata.name for role in roles)
            return super().of(roles, now)

    monkeypatch.setattr(status_writer, "RoleStatuses", Noted)
    return names


class TestAStatus:
    async def test_is_written_when_it_changes_and_not_otherwise(self):
        async with bench(cpu="1") as it:
            await it.tick()
            await it.tick()
            assert it.writes == 1
            it.set_quota({"guarantee": {"cpu": "2"}})
            await it.tick()
            assert it.writes == 2
            assert it.role.status.quota[0].guarantee == "2"

    async def test_is_not_written_more_often_than_the_interval_allows(self):
        async with bench(cpu="1") as it:
            await it.tick()
            it.set_quota({"guarantee": {"cpu": "2"}})
            await it.tick(1)
            assert it.writes == 1
            await it.tick(4)
            assert it.writes == 2

    async def test_that_could_not_be_written_is_written_later(self):
        async with bench(cpu="1") as it:
            it.refusal = Unreachable("connection cut")
            await it.tick()
            it.refusal = None
            await it.tick()
            assert it.writes == 1

    async def test_tells_of_a_generation_that_says_the_same_in_other_words(self):
        async with bench(cpu="1") as it:
            await it.tick()
            spec = {**it.role.manifest()["spec"], "quota": {"guarantee": {"cpu": "1000m"}}}
            metadata = {**it.role.manifest()["metadata"], "generation": 2}
            it.api.put(FRAMEWORK_ROLES, {**it.role.manifest(), "metadata": metadata, "spec": spec})
            await it.tick()
            assert it.role.status.observed_generation == 2


class TestANewFramework:
    """Its figures change several times at first: all of that is told at once, a little later."""

    def put(self, it: Bench, *, cpu: str | None, **status: Any) -> None:
        wanted = None if cpu is None else [demand(requests={"cpu": cpu})]
        manifest = external(demand=wanted, created=it.now).manifest()
        it.api.put(FRAMEWORKS, {**manifest, "status": {**manifest.get("status", {}), **status}})

    def ready(self, status: str) -> list[dict[str, Any]]:
        since = "2026-05-01T12:00:00Z"
        return [{"type": "Ready", "status": status, "reason": "Seen", "message": "", "lastTransitionTime": since}]

    def written(self, it: Bench) -> int:
        return it.api.writes.count(("apply", "Framework", "spark"))

    async def test_is_told_of_its_figures_when_they_have_settled(self):
        async with bench() as it:
            self.put(it, cpu="1")
            await it.master.tick()
            await it.tick(1)
            assert self.written(it) == 0
            await it.tick(INTERVAL - 1)
            assert self.written(it) == 1

    async def test_is_told_at_once_why_it_waits(self):
        async with bench() as it:
            self.put(it, cpu="9")
            await it.master.tick()
            await it.tick(1)
            assert self.written(it) == 1

    async def test_is_told_of_nothing_while_it_starts(self):
        async with bench() as it:
            self.put(it, cpu="1", conditions=self.ready("False"))
            await it.master.tick()
            await it.tick(INTERVAL)
            assert self.written(it) == 0
            present = it.api.objects[FRAMEWORKS]["spark"]
            it.api.put(FRAMEWORKS, {**present, "status": {**present["status"], "conditions": self.ready("True")}})
            await it.tick(INTERVAL)
            assert self.written(it) == 1

    async def test_is_told_of_its_figures_when_it_takes_long_to_start(self):
        async with bench() as it:
            self.put(it, cpu="1", conditions=self.ready("False"))
            await it.master.tick()
            await it.tick(59)
            assert self.written(it) == 0
            await it.tick(1)
            assert self.written(it) == 1

    async def test_is_told_at_once_why_it_waits_also_while_it_starts(self):
        async with bench() as it:
            self.put(it, cpu="9", conditions=self.ready("False"))
            await it.master.tick()
            await it.tick(1)
            assert self.written(it) == 1

    async def test_is_told_later_that_it_has_declared_nothing(self):
        async with bench() as it:
            self.put(it, cpu=None)
            await it.master.tick()
            await it.tick(1)
            assert self.written(it) == 0
            await it.tick(INTERVAL - 1)
            assert self.written(it) == 1


class TestTheStatuses:
    async def test_are_not_computed_while_nothing_changes(self, computed):
        async with bench(cpu="1") as it:
            await it.tick()
            await it.tick()
            assert computed == ["shops"]

    async def test_are_computed_when_the_cluster_changes(self, computed):
        async with bench(cpu="1") as it:
            await it.tick()
            it.master.facts.node_changed(None, node("large", cpu="5"))
            await it.tick()
            assert computed == ["shops", "shops"]

    async def test_are_not_computed_before_they_may_be_written_again(self, computed):
        async with bench(cpu="1") as it:
            await it.tick()
            it.master.facts.node_changed(None, node("large", cpu="5"))
            await it.tick(INTERVAL - 1)
            assert computed == ["shops"]
            await it.tick(1)
            assert computed == ["shops", "shops"]


class TestManyStatuses:
    """An API server that takes a tenth of a second for each write."""

    def slow_down(self, it: Bench) -> None:
        def refuse(verb: str, kind: Resource, name: str) -> None:
            it.now += 0.1

        it.master.client.refuse = refuse

    def written(self, it: Bench) -> list[str]:
        return [name for verb, kind, name in it.api.writes if kind == "FrameworkRole"]

    async def test_are_written_a_few_each_second_and_those_first_that_were_written_longest_ago(self):
        async with bench() as it:
            for number in range(10):
                it.api.put(FRAMEWORK_ROLES, role(f"role-{number}").manifest())
            self.slow_down(it)
            it.master.cache.catch_up()
            counts = []
            for _ in range(4):
                await it.tick(1)
                counts.append(len(self.written(it)))
            assert counts == [4, 8, 11, 11]
            assert len(set(self.written(it))) == 11


class TestAQuotaThatIsNotSound:
    async def test_is_told_of_once(self):
        async with bench(cpu="9") as it:
            await it.tick()
            await it.tick()
            ((name, reason, note),) = it.master.recorder.events
            assert (name, reason) == ("shops", "GuaranteeExceedsCluster")
            assert note.startswith("spec.quota.guarantee: cpu: 9 guaranteed here")

    async def test_is_not_told_of_again_while_only_the_numbers_change(self):
        async with bench(cpu="9") as it:
            await it.tick()
            it.set_quota({"guarantee": {"cpu": "8"}})
            await it.tick()
            assert it.writes == 2
            assert it.told == ["GuaranteeExceedsCluster"]

    async def test_is_not_told_of_again_by_a_master_that_has_just_started(self):
        async with bench(cpu="9") as it:
            await it.tick()
            it.start()
            await it.tick()
            assert it.told == []

    async def test_is_told_of_by_a_master_that_finds_it_first(self):
        async with bench(cpu="1") as it:
            await it.tick()
            it.set_quota({"guarantee": {"cpu": "9"}})
            it.start()
            await it.tick()
            assert it.told == ["GuaranteeExceedsCluster"]

    async def test_is_told_of_when_it_is_sound_again(self):
        async with bench(cpu="9") as it:
            await it.tick()
            it.master.facts.node_changed(None, node("large", cpu="5"))
            await it.tick()
            assert it.told == ["GuaranteeExceedsCluster", "QuotaSound"]

    async def test_is_told_of_when_the_status_says_so_and_not_before(self):
        async with bench(cpu="9") as it:
            it.refusal = Unreachable("connection cut")
            await it.tick()
            assert it.told == []
            it.refusal = None
            await it.tick()
            assert it.told == ["GuaranteeExceedsCluster"]

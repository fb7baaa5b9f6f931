"""The controller killed at any of its writes, given errors for answers, cut off and started late: whatever happens, the
pods that are wanted are there in the end, each once, and nothing that was claimed is lost.

The controller is the real program behind a proxy that meddles with it; master and kubelets run in the test. Runs are
drawn by seeds, which are printed; `SEEDS` picks others.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.frameworks.lifetimes import CPU, Killing, Run, run_in
from tests.integration.frameworks.warm import Starter, starter
from tests.integration.running.accounts import check_that_no_node_is_overcommitted, held, room_of
from tests.integration.running.meddling import FAILURES
from tests.integration.running.parts import master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, template

from tender.api.names import LABEL_FRAMEWORK, LABEL_REVISION, LABEL_TASK
from tender.api.offer import OfferPhase

FIRST_SEED = int(os.environ.get("SEEDS", "0"))
RUNS = 100
AT_A_TIME = 8
LAUNCH_DEADLINE = 60.0


@dataclass(frozen=True)
class Script:
    """What happens to a service: deployed with so many replicas, changed after a while, its controller killed."""

    replicas: int
    then: int
    image: str
    change_after: float
    killings: tuple[Killing, ...]

    @property
    def births(self) -> int:
        """How many pods may be born for it in all."""
        return self.replicas + self.then if self.image != "app:1" else max(self.replicas, self.then)


def drawn(rng: Random) -> Script:
    """A script at random. The first writes of a life are the ones in which it takes up what the last has left."""
    replicas = rng.randint(1, 4)
    roll = rng.random() < 0.4
    return Script(
        replicas,
        replicas if roll else rng.randint(0, 6),
        "app:2" if roll else "app:1",
        rng.choice([0.0, rng.uniform(0.0, 0.5), rng.uniform(0.5, 3.0)]),
        tuple(Killing(rng.randint(1, 5), rng.random() < 0.5) for _ in range(rng.randint(1, 4))),
    )


async def play(run: Run, script: Script) -> None:
    """Deploy the service, change it, and wait until everything is as wanted."""
    world = run.world
    await world.add_service("web", script.replicas, cpu=CPU)
    await run.start(*script.killings)
    await asyncio.sleep(script.change_after)
    service = {"replicas": script.then, "template": template(CPU, image=script.image)}
    await world.change("web", {"service": service})
    await run.settles(script.then, script.image)


def check_births(run: Run, script: Script, seed: int) -> None:
    """No pod was made twice, and no more than there had to be."""
    assert run.doubled == [], f"seed {seed}: {script}"
    assert len(run.kubelet.born) <= script.births, f"seed {seed}: {script}"


async def check_that_all_claims_end(world: World, worlds: list[World]) -> None:
    """Claims end with their pods or with their time, and then everything that no pod has is on offer again."""
    world.clock.advance(LAUNCH_DEADLINE + 1)

    async def have_ended() -> bool:
        return not any([await one.offers(OfferPhase.CLAIMED) for one in worlds])

    await until(have_ended, "the end of all claims")
    await check_that_no_node_is_overcommitted(world, *worlds)
    await world.add_framework("everything")
    room = await room_of(world)

    async def is_given_out() -> bool:
        return await held(world, *worlds) == room

    await until(is_given_out, "an offer of all that no pod has")


@pytest_asyncio.fixture
async def tender() -> AsyncIterator[Starter]:
    async with starter() as started:
        yield started


class TestAControllerThatIsKilledAtAnyWrite:
    @pytest.mark.timeout(600)
    async def test_t46_loses_and_doubles_no_pod_and_leaks_no_claim(
        self, world: World, api_server: ApiServer, tender: Starter, tmp_path: Path
    ):
        await world.add_nodes(10, cpu="8")
        slots = asyncio.Semaphore(AT_A_TIME)
        worlds: list[World] = []
        lives = 0

        async def one(seed: int) -> None:
            nonlocal lives
            async with slots:
                rng = Random(seed)
                script = drawn(rng)
                print(f"seed {seed}: {script}")
                async with run_in(world, tender, tmp_path, rng) as run:
                    worlds.append(run.world)
                    await play(run, script)
                    check_births(run, script, seed)
                    lives += run.lives

        async with master(world, api_server.kubeconfig):
            async with asyncio.TaskGroup() as runs:
                for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
                    runs.create_task(one(seed))
            print(f"{RUNS} services, {lives} lives of their controllers")
            await check_that_all_claims_end(world, worlds)
        assert lives - RUNS >= RUNS, "as many deaths as runs, and a life after them for each"


class TestAControllerThatStarts:
    async def test_t47_adopts_the_pods_that_it_knows_and_removes_those_of_unknown_tasks(
        self, world: World, api_server: ApiServer, tender: Starter, tmp_path: Path
    ):
        [node] = await world.add_nodes(1)
        async with master(world, api_server.kubeconfig), run_in(world, tender, tmp_path, Random(1)) as run:
            owner = await run.world.add_service("web", 3, cpu=CPU)
            await run.start()
            known = {pod.metadata.uid for pod in await run.settles(3, "app:1")}
            await run.stop()
            stray = {LABEL_TASK: "unknown", LABEL_REVISION: "unknown"}
            await run.world.add_pod("stray", node, {"cpu": CPU}, owner=owner, labels=stray)
            await run.world.add_pod("foreign", node, {"cpu": CPU}, labels={LABEL_FRAMEWORK: "web", **stray})
            await run.start()

            async def is_gone() -> bool:
                return "stray" not in {pod.metadata.name for pod in await run.world.pods()}

            await until(is_gone, "the end of the pod of an unknown task")
            pods = {pod.metadata.name: pod.metadata.uid for pod in await run.world.pods()}
            assert pods.pop("foreign"), "a label alone makes nothing the framework's"
            assert set(pods.values()) == known
            assert len(run.kubelet.born) == 5


class TestAControllerThatGetsErrors:
    RUNS = 12
    LIKELY = 0.2

    @pytest.mark.timeout(300)
    async def test_t48_comes_to_its_end_all_the_same(
        self, world: World, api_server: ApiServer, tender: Starter, tmp_path: Path
    ):
        await world.add_nodes(2, cpu="8")
        worlds: list[World] = []
        failures: set[str] = set()

        async def one(seed: int) -> None:
            rng = Random(seed)
            script = drawn(rng)
            print(f"seed {seed}: {script}")
            async with run_in(world, tender, tmp_path, rng) as run:
                worlds.append(run.world)
                run.proxy.errors = self.LIKELY
                run.proxy.silences = int(seed == FIRST_SEED)
                await play(run, replace(script, killings=()))
                check_births(run, script, seed)
                failures.update(run.proxy.failed)

        async with master(world, api_server.kubeconfig):
            async with asyncio.TaskGroup() as runs:
                for seed in range(FIRST_SEED, FIRST_SEED + self.RUNS):
                    runs.create_task(one(seed))
            await check_that_all_claims_end(world, worlds)
        assert failures == {*FAILURES, "409", "silence"}


class TestAControllerThatIsCutOff:
    RUNS = 6
    FOR_SECONDS = 8.0
    """Longer than a call is tried again."""

    @pytest.mark.timeout(300)
    async def test_t49_catches_up_with_what_has_happened_meanwhile(
        self, world: World, api_server: ApiServer, tender: Starter, tmp_path: Path
    ):
        await world.add_nodes(2, cpu="8")
        worlds: list[World] = []

        async def one(seed: int) -> None:
            rng = Random(seed)
            script = drawn(rng)
            print(f"seed {seed}: {script}")
            async with run_in(world, tender, tmp_path, rng) as run:
                worlds.append(run.world)
                await run.world.add_service("web", script.replicas, cpu=CPU)
                await run.start()
                await asyncio.sleep(script.change_after)
                with run.proxy.cut_off():
                    for pod in rng.sample(found := await run.world.pods("web"), k=min(1, len(found))):
                        await run.world.remove_pod(pod.metadata.name)
                    service = {"replicas": script.then, "template": template(CPU, image=script.image)}
                    await run.world.change("web", {"service": service})
                    await asyncio.sleep(self.FOR_SECONDS)
                await run.settles(script.then, script.image)
                assert run.doubled == [], f"seed {seed}: {script}"
                assert len(run.kubelet.born) <= script.births + 1, f"seed {seed}: {script}"

        async with master(world, api_server.kubeconfig):
            async with asyncio.TaskGroup() as runs:
                for seed in range(FIRST_SEED, FIRST_SEED + self.RUNS):
                    runs.create_task(one(seed))
            await check_that_all_claims_end(world, worlds)

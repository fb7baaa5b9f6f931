"""The examples of frameworks of one's own: programs beside a real master, with the rights of tender-framework."""

import asyncio
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.frameworks.author import EXAMPLES, Author, author_in
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import free_port, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.core import Pod
from tender.api.names import LABEL_OFFER, LABEL_TASK
from tender.api.offer import OfferPhase
from tender.cluster.resources import PODS


@pytest_asyncio.fixture
async def author(world: World, api_server: ApiServer, tmp_path: Path) -> Author:
    return await author_in(world, api_server, tmp_path)


async def running(world: World, of: str, count: int) -> list[Pod]:
    """Wait for so many running pods of a framework."""

    async def are_running() -> list[Pod]:
        pods = [pod for pod in await world.pods(of) if pod.status.phase == "Running"]
        return pods if len(pods) == count else []

    found: list[Pod] = await until(are_running, f"{count} running pods of {of}")
    return found


async def end(world: World, pod: Pod, phase: str) -> None:
    """A pod comes to its end."""
    await world.client.patch_status(PODS, pod.metadata.name, {"phase": phase}, namespace=world.namespace)


class TestTheOneInPython:
    def command(self, world: World) -> list[str]:
        program = str(EXAMPLES / "run_commands.py")
        return [sys.executable, program, f"--namespace={world.namespace}", f"--port={free_port()}"]

    async def test_runs_its_commands_two_at_a_time_and_each_once(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, author: Author, tmp_path: Path
    ):
        await world.add_nodes(2)
        await author.apply("run-commands.yaml")
        await world.add_framework("others")
        log = tmp_path / "log"
        async with master(world, api_server.kubeconfig):
            async with author.running(*self.command(world), log=log):
                first, second = await running(world, "nightly", 2)
                await end(world, second, "Succeeded")
                await running(world, "nightly", 2)
            async with author.running(*self.command(world), log=log):
                for pod in await running(world, "nightly", 2):
                    await end(world, pod, "Succeeded")

                async def is_done() -> bool:
                    return (await world.framework("nightly")).status.demand == ()

                await until(is_done, "a demand of nothing")
                assert (await world.framework("others")).status.demand is None
            await check_that_no_node_is_overcommitted(world)
        assert kubelet.most == 2
        assert len(kubelet.born) == 3
        tasks = sorted(pod.metadata.labels[LABEL_TASK] for pod in await world.pods("nightly"))
        assert tasks == ["command-0", "command-1", "command-2"]
        assert first.metadata.labels[LABEL_TASK] in tasks


class TestTheOneInShell:
    def command(self, world: World, count: int) -> list[str]:
        return [str(EXAMPLES / "run-copies.sh"), world.namespace, "copies", str(count)]

    @pytest.mark.timeout(150)
    async def test_runs_its_copies_to_their_end_through_a_failure_and_a_restart(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, author: Author, tmp_path: Path
    ):
        await world.add_nodes(2)
        await author.apply("run-copies.yaml")
        log = tmp_path / "log"
        async with master(world, api_server.kubeconfig):
            async with author.running(*self.command(world, 3), log=log):
                failing, *others = await running(world, "copies", 3)
                await end(world, failing, "Failed")
                await running(world, "copies", 3)
            async with author.running(*self.command(world, 3), log=log) as process:
                for pod in await running(world, "copies", 3):
                    await end(world, pod, "Succeeded")
                async with asyncio.timeout(40):
                    assert await process.wait() == 0, log.read_text()
            await check_that_no_node_is_overcommitted(world)
            framework = await world.framework("copies")
        assert framework.status.demand == ()
        assert log.read_text().endswith("all 3 copies have succeeded\n")
        names = sorted(kubelet.born.values())
        assert len(names) == len(set(names)) == 4, "three copies, and one in place of that which failed"
        assert {pod.metadata.name for pod in others} < set(names)
        assert all(pod.metadata.labels[LABEL_OFFER] for pod in await world.pods("copies"))

    async def test_finishes_a_claim_that_was_won_before_it_was_killed(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, author: Author, tmp_path: Path
    ):
        await world.add_nodes(1)
        await author.apply("run-copies.yaml")
        entry = {"name": "copy", "count": 2, "requests": {"cpu": "100m", "memory": "32Mi"}}
        async with master(world, api_server.kubeconfig):
            await world.declare("copies", entry)
            claimed = await world.claim(await world.an_offer("copies"))
            assert await world.offers(OfferPhase.CLAIMED)
            async with author.running(*self.command(world, 2), log=tmp_path / "log"):
                pods = await running(world, "copies", 2)
        assert {pod.metadata.labels[LABEL_OFFER] for pod in pods} == {claimed.metadata.name}

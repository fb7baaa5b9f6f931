"""The master killed and started again: what it had given away stays given away, and nothing is given twice."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master, program
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in

from tender.api.offer import OfferPhase

KILLS = 4


class TestAKilledMaster:
    async def test_takes_up_its_offers_and_claims_again(self, world: World, api_server: ApiServer, tmp_path: Path):
        await world.add_nodes(4, cpu="2")
        await world.add_framework("web")
        await world.declare("web", demand("a", 3, requests={"cpu": "1"}))
        await world.add_framework("greedy")
        await world.declare("greedy")
        arguments = ["master", f"--node-selector={world.node_selector}"]
        log = tmp_path / "master.log"
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (_part, process):
            claimed = await world.claim(await world.an_offer("web"))
            await world.declare("greedy", demand("b", 2, requests={"cpu": "1"}))
            await world.an_offer("greedy")
            before = await world.offers()
            process.kill()
        await world.declare("greedy", demand("b", 99, requests={"cpu": "1"}))
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (part, _):

            async def is_all_given_away() -> bool:
                return tasks_in(await world.open_offers()) == 8 - 3

            await until(is_all_given_away, "offers of all that is left")
            await part.cycles()
            after = await world.offers()
            await check_that_no_node_is_overcommitted(world)
        assert {one.metadata.uid for one in before} < {one.metadata.uid for one in after}
        assert tasks_in(await world.open_offers()) == 8 - 3
        assert [one.metadata.name for one in await world.offers(OfferPhase.CLAIMED)] == [claimed.metadata.name]

    async def test_ends_the_refusals_of_a_demand_that_changed_while_no_master_ran(
        self, world: World, api_server: ApiServer, tmp_path: Path
    ):
        await world.add_nodes(1, cpu="1")
        for name in ("changing", "constant"):
            await world.add_framework(name)
            await world.declare(name, demand("a", 1, requests={"cpu": "1"}))
        arguments = ["master", f"--node-selector={world.node_selector}"]
        log = tmp_path / "master.log"
        declined = {}
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (part, process):
            for _ in range(2):
                offer = await world.an_offer()
                declined[offer.spec.framework] = await world.decline(offer, 3600)
            await part.cycles(1)
            process.kill()
        await world.declare("changing", demand("a", 1, requests={"cpu": "500m"}))
        async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (part, _):
            [one] = (await world.an_offer("changing")).spec.slices
            assert one.amounts == {"cpu": 500, "pods": 1}
            await part.cycles(1)
            present = {offer.metadata.name for offer in await world.offers()}
        assert declined["changing"].metadata.name not in present
        assert declined["constant"].metadata.name in present
        assert await world.open_offers("constant") == []

    async def test_gives_nothing_away_twice_while_frameworks_go_on(
        self, world: World, api_server: ApiServer, kubelet: Kubelet, tmp_path: Path
    ):
        await world.add_nodes(6, cpu="2")
        for name in ("one", "two"):
            await world.add_service(name, 20, cpu="250m")
        rng = Random(1)
        arguments = ["master", f"--node-selector={world.node_selector}"]
        log = tmp_path / "master.log"
        async with controller(world, api_server.kubeconfig):
            for turn in range(KILLS):
                async with program(*arguments, kubeconfig=api_server.kubeconfig, log=log) as (part, _):
                    await part.ready()
                    await asyncio.sleep(rng.uniform(0.0, 0.3))
                await check_that_no_node_is_overcommitted(world)
                await world.change("one", {"service": {"replicas": 5 * turn}})
                await world.change("two", {"service": {"replicas": 24 + turn}})
            async with master(world, api_server.kubeconfig) as part:
                await part.ready()

                async def are_as_wanted() -> bool:
                    # Pods that were launched and stopped while no master looked leave claims that only time ends.
                    world.clock.advance(1)
                    counts = [(await world.framework(name)).status.ready_replicas for name in ("one", "two")]
                    return counts == [15, 27]

                await until(are_as_wanted, "the pods of both services")
                await part.cycles()
                await check_that_no_node_is_overcommitted(world)
        assert (len(await world.pods("one")), len(await world.pods("two"))) == (15, 27)


class TestAPartThatIsAskedToEnd:
    @pytest.mark.parametrize("name", ["master", "controller"])
    async def test_ends_without_a_complaint(self, world: World, api_server: ApiServer, tmp_path: Path, name: str):
        log = tmp_path / "log"
        async with program(name, kubeconfig=api_server.kubeconfig, log=log) as (part, process):
            await part.ready()
            process.terminate()
            async with asyncio.timeout(30):
                assert await process.wait() == 0
        assert "Traceback" not in log.read_text()

"""What the master offers: in bundles, as much as a framework demands and lacks, to whom it is due."""

from datetime import UTC, datetime, timedelta

from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.parts import master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in

from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import MOST_SLICES, OfferPhase


class TestOffers:
    async def test_bundle_many_nodes_in_one_object(self, world: World, api_server: ApiServer):
        nodes = await world.add_nodes(200, cpu="2")
        owner = await world.add_framework("web", role="shops", offers={"timeout": "90s"})
        await world.declare("web", demand("a", 300, requests={"cpu": "1", "memory": "1Gi"}))
        before = datetime.fromtimestamp(int(world.clock()), UTC)
        async with master(world, api_server.kubeconfig) as part:

            async def are_all_made() -> bool:
                return tasks_in(await world.offers()) >= 300

            await until(are_all_made, "offers for 300 tasks")
            await part.cycles()
            offers = await world.offers()
            made = await part.total("tender_offers_total", outcome="made")
        after = datetime.fromtimestamp(int(world.clock()) + 1, UTC)

        assert made == len(offers) == 2
        assert tasks_in(offers) == 300
        assert sorted(one.node for offer in offers for one in offer.spec.slices) == nodes
        for offer in offers:
            assert len(offer.spec.slices) <= MOST_SLICES
            assert (offer.spec.framework, offer.spec.role) == ("web", "shops")
            assert offer.metadata.labels == {LABEL_FRAMEWORK: "web"}
            assert before <= offer.spec.expires_at - timedelta(seconds=90) <= after
            assert [(one.kind, one.uid, one.controller) for one in offer.metadata.owner_references] == [
                ("Framework", owner.metadata.uid, True)
            ]
            for one in offer.spec.slices:
                count = one.tasks["a"]
                assert one.amounts == {"cpu": 1000 * count, "memory": 2**30 * count, "pods": count}

    async def test_give_a_framework_that_declares_no_demand_all_that_is_left_of_a_node(
        self, world: World, api_server: ApiServer
    ):
        [node] = await world.add_nodes(1, cpu="4", memory="8Gi")
        await world.add_pod("somebody", node, {"cpu": "1", "memory": "1Gi"})
        await world.add_framework("spark")
        async with master(world, api_server.kubeconfig):
            [one] = (await world.an_offer()).spec.slices
        assert (one.node, one.tasks) == (node, {})
        assert one.amounts == {"cpu": 3000, "memory": 7 * 2**30, "pods": 109}

    async def test_are_not_made_to_whom_needs_nothing(self, world: World, api_server: ApiServer):
        await world.add_nodes(1)
        await world.add_framework("web")
        await world.declare("web")
        await world.add_service("silent", 3)
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await part.cycles()
            assert await world.offers() == []

    async def test_go_to_nodes_that_the_demand_and_the_master_choose(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="2")
        chosen = world.named("with-disk")
        await world.add_node(chosen, "2", "4Gi", {"disk": "ssd"})
        await world.add_framework("web")
        await world.declare("web", demand(count=9, requests={"cpu": "1"}, nodeSelector={"disk": "ssd"}))
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer()
            await part.cycles()
            offers = await world.offers()
        assert tasks_in(offers) == 2
        assert {one.node for offer in offers for one in offer.spec.slices} == {chosen}


class TestADemand:
    async def test_counts_the_tasks_that_run_are_claimed_or_on_offer(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="8")
        owner = await world.add_framework("web")
        await world.declare("web", demand("a", 3, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            running = await world.claim(await world.an_offer(), {0: 3})
            pods = await world.launch(running, owner)
            await world.declare("web", demand("a", 5, requests={"cpu": "1"}))
            assert tasks_in([await world.an_offer()]) == 2

            claimed = await world.claim(await world.an_offer(), {0: 2})
            await world.declare("web", demand("a", 6, requests={"cpu": "1"}))
            assert tasks_in([await world.an_offer()]) == 1
            await part.cycles()
            assert tasks_in(await world.open_offers()) == 1

            version = (await world.declare("web", demand("a", 6, requests={"cpu": "1"})))["metadata"]["generation"]
            await world.remove_pod(pods[0])

            async def is_made_up_for() -> bool:
                return tasks_in(await world.open_offers()) == 2

            await until(is_made_up_for, "an offer for the lost pod, without a word of the framework")
            await part.cycles()
            assert tasks_in(await world.open_offers()) == 2
            assert (await world.framework("web")).metadata.generation == version
            assert [one.metadata.name for one in await world.offers(OfferPhase.CLAIMED)] == [claimed.metadata.name]
        await check_that_no_node_is_overcommitted(world)

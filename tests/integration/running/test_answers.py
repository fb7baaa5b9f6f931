"""What becomes of an offer: claimed and launched, claimed in part or not launched, declined, left without an answer."""

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.parts import Part, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in

from tender.api.offer import OfferPhase, ResourceOffer

ONE_CPU = {"cpu": "1"}


async def is_gone(world: World, offer: ResourceOffer) -> None:
    """Wait until there is no such offer any more."""
    name = offer.metadata.name

    async def is_away() -> bool:
        return name not in {one.metadata.name for one in await world.offers()}

    await until(is_away, f"the end of offer {name}")


async def gets_nothing(world: World, part: Part, framework: str) -> None:
    """See that a framework has no open offer and is made none."""
    await part.cycles()
    assert await world.open_offers(framework) == []


class TestAClaim:
    async def test_of_a_part_returns_the_rest_at_once(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        await world.add_framework("web")
        await world.add_framework("other")
        await world.declare("web", demand("a", 4, requests=ONE_CPU))
        await world.declare("other")
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("web")
            assert tasks_in([offer]) == 4
            await world.declare("other", demand("b", 4, requests=ONE_CPU))
            await gets_nothing(world, part, "other")
            await world.declare("web", demand("a", 1, requests=ONE_CPU))
            await world.claim(offer, {0: 1})
            rest = await world.an_offer("other")
            await part.cycles()
            await check_that_no_node_is_overcommitted(world)
        assert tasks_in([rest]) == 3

    async def test_is_held_until_its_pods_are_seen_and_the_offer_ends_then(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="2")
        owner = await world.add_framework("web")
        await world.add_framework("other")
        await world.declare("web", demand("a", 2, requests=ONE_CPU))
        await world.declare("other")
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"))
            await world.declare("other", demand("b", 1, requests=ONE_CPU))
            await gets_nothing(world, part, "other")
            assert [one.status.phase for one in await world.offers()] == [OfferPhase.CLAIMED]

            pods = await world.launch(claimed, owner)
            await is_gone(world, claimed)
            await gets_nothing(world, part, "other")

            await world.declare("web")
            await world.remove_pod(pods[0])
            assert tasks_in([await world.an_offer("other")]) == 1
            await check_that_no_node_is_overcommitted(world)

    async def test_that_is_not_launched_returns_when_its_time_is_up(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="2")
        owner = await world.add_framework("web")
        await world.add_framework("other")
        await world.declare("web", demand("a", 2, requests=ONE_CPU))
        await world.declare("other")
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"))
            [kept, *lost] = await world.launch(claimed, owner)
            for name in lost:
                await world.remove_pod(name)
            await is_gone(world, claimed)  # a pod that was launched and lost again leaves no claim behind

            again = await world.claim(await world.an_offer("web"))
            await world.declare("web")
            await world.declare("other", demand("b", 1, requests=ONE_CPU))
            await gets_nothing(world, part, "other")
            world.clock.advance(50)
            await gets_nothing(world, part, "other")
            world.clock.advance(11)
            await is_gone(world, again)
            await world.an_offer("other")
            assert (await part.figures())["tender_launches_missed_total"] == 1
            assert [pod.metadata.name for pod in await world.pods()] == [kept]


class TestAClaimThatRefusesTheRest:
    async def test_keeps_the_rest_away_until_the_refusal_ends_though_all_of_the_claim_runs(
        self, world: World, api_server: ApiServer
    ):
        await world.add_nodes(1, cpu="4")
        owner = await world.add_framework("web")
        await world.declare("web", demand("a", 4, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"), {0: 1}, refuse=3600)
            await world.launch(claimed, owner)
            await gets_nothing(world, part, "web")
            world.clock.advance(61)
            await gets_nothing(world, part, "web")
            assert (await part.figures())["tender_launches_missed_total"] == 0
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await gets_nothing(world, part, "web")
            assert [one.metadata.name for one in await world.offers()] == [claimed.metadata.name]
            world.clock.advance(3600)
            await is_gone(world, claimed)
            assert tasks_in([await world.an_offer("web")]) == 3
            assert (await part.figures())["tender_launches_missed_total"] == 0
            await check_that_no_node_is_overcommitted(world)

    async def test_leaves_the_rest_and_what_is_not_launched_in_time_to_others(
        self, world: World, api_server: ApiServer
    ):
        await world.add_nodes(1, cpu="4")
        for name in ("web", "other"):
            await world.add_framework(name)
            await world.declare(name)
        await world.declare("web", demand("a", 4, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"), {0: 1}, refuse=3600)
            await world.declare("other", demand("b", 4, requests=ONE_CPU))
            first = await world.an_offer("other")
            assert tasks_in([first]) == 3
            world.clock.advance(50)
            await gets_nothing(world, part, "web")
            assert tasks_in(await world.open_offers("other")) == 3
            world.clock.advance(8)
            await world.claim(first)
            world.clock.advance(4)
            assert tasks_in([await world.an_offer("other")]) == 1
            assert (await part.figures())["tender_launches_missed_total"] == 1
            assert [one.metadata.name for one in await world.offers(of="web")] == [claimed.metadata.name]

    async def test_refuses_no_longer_when_the_demand_changes(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        owner = await world.add_framework("web")
        await world.declare("web", demand("a", 4, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"), {0: 1}, refuse=3600)
            await world.launch(claimed, owner)
            await gets_nothing(world, part, "web")
            await world.declare("web", demand("a", 3, requests=ONE_CPU))
            await is_gone(world, claimed)
            assert tasks_in([await world.an_offer("web")]) == 2


class TestARefusal:
    async def test_keeps_such_offers_away_until_it_ends(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="1")
        await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            declined = await world.decline(await world.an_offer("web"), 3600)
            await gets_nothing(world, part, "web")
            world.clock.advance(3500)
            await gets_nothing(world, part, "web")
            assert [one.metadata.name for one in await world.offers()] == [declined.metadata.name]
            world.clock.advance(110)
            await is_gone(world, declined)
            await world.an_offer("web")

    async def test_outlives_the_master(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="1")
        await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig):
            declined = await world.decline(await world.an_offer("web"), 3600)
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await gets_nothing(world, part, "web")
            world.clock.advance(3610)
            await is_gone(world, declined)
            await world.an_offer("web")

    async def test_leaves_the_node_to_others(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="1")
        for name in ("one", "two"):
            await world.add_framework(name)
            await world.declare(name, demand("a", 1, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig):
            offer = await world.an_offer()
            await world.decline(offer, 3600)
            [other] = {"one", "two"} - {offer.spec.framework}
            await world.an_offer(other)

    @pytest.mark.parametrize("restarted", [False, True], ids=["", "after a restart"])
    async def test_ends_when_the_demand_changes(self, world: World, api_server: ApiServer, restarted: bool):
        await world.add_nodes(1, cpu="1")
        await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            declined = await world.decline(await world.an_offer("web"), 3600)
            await gets_nothing(world, part, "web")
            if not restarted:
                await world.declare("web", demand("a", 1, requests={"cpu": "500m"}))
                await is_gone(world, declined)
                assert tasks_in([await world.an_offer("web")]) == 1
        if restarted:
            async with master(world, api_server.kubeconfig) as part:
                await part.ready()
                await world.declare("web", demand("a", 1, requests={"cpu": "500m"}))
                await is_gone(world, declined)
                assert tasks_in([await world.an_offer("web")]) == 1


class TestAnOfferThatNobodyAnswers:
    async def test_expires_and_is_told_of_and_goes(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="1")
        await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("web")
            await part.cycles()
            assert len(await world.open_offers()) == 1
            world.clock.advance(61)

            async def has_expired() -> list[ResourceOffer]:
                return await world.offers(OfferPhase.EXPIRED)

            [expired] = await until(has_expired, "the offer's end")
            assert expired.metadata.name == offer.metadata.name
            assert expired.status.message == "nobody answered the offer in time"

            async def was_told() -> list[str]:
                return await world.told("OfferExpired", "web")

            [note] = await until(was_told, "an event")
            assert "is the framework's controller running?" in note
            await gets_nothing(world, part, "web")
            world.clock.advance(31)
            await is_gone(world, offer)
            await world.an_offer("web")
            assert await part.total("tender_offers_total", outcome="expired") == 1

"""Offers that no longer hold are taken back, unless the framework was first."""

import asyncio
from random import Random

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.parts import master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from tender.api.offer import OfferPhase, ResourceOffer
from tender.cluster.errors import Conflict, Invalid
from tender.cluster.resources import NODES

ROUNDS = 20


async def cordoned(world: World, node: str) -> None:
    await world.cordon(node)


async def deleted(world: World, node: str) -> None:
    await world.client.delete(NODES, node)


async def not_ready(world: World, node: str) -> None:
    conditions = [{"type": "Ready", "status": "False", "reason": "Made", "message": "made by a test"}]
    await world.client.patch_status(NODES, node, {"conditions": conditions})


async def filled(world: World, node: str) -> None:
    await world.add_pod("somebody", node, {"cpu": "500m"})


class TestAnOffer:
    @pytest.mark.parametrize(
        ("happens", "message"),
        [
            (cordoned, "node {}: the node is cordoned"),
            (not_ready, "node {}: the node is not ready"),
            (deleted, "node {} is gone"),
            (filled, "node {} has less to give"),
        ],
    )
    async def test_is_rescinded_when_its_node_is(self, world: World, api_server: ApiServer, happens, message: str):
        [node] = await world.add_nodes(1, cpu="1")
        await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("web")
            await happens(world, node)

            async def is_rescinded() -> list[ResourceOffer]:
                return await world.offers(OfferPhase.RESCINDED)

            [rescinded] = await until(is_rescinded, "the offer's end")
            assert rescinded.metadata.name == offer.metadata.name
            assert rescinded.status.message == message.format(node)
            await part.cycles()
            assert await world.open_offers() == []
            world.clock.advance(31)

            async def is_gone() -> bool:
                return not await world.offers()

            await until(is_gone, "the end of the object")
            assert await part.total("tender_offers_total", outcome="rescinded") == 1
            assert await part.total("tender_offers_rescinded_total", cause="room") == 1

    async def test_is_claimed_or_rescinded_when_both_happen_at_once(self, world: World, api_server: ApiServer):
        await world.add_nodes(ROUNDS, cpu="1")
        owner = await world.add_framework("web")
        rng = Random(1)
        won = 0
        async with master(world, api_server.kubeconfig):
            for _ in range(ROUNDS):
                await world.declare("web", demand("a", won + 1, requests={"cpu": "1"}))
                offer = await world.an_offer("web")

                async def claim(offer: ResourceOffer = offer) -> ResourceOffer:
                    await asyncio.sleep(rng.uniform(0.0, 0.1))
                    return await world.claim(offer)

                cordon = world.cordon(offer.spec.slices[0].node)
                claimed, _ = await asyncio.gather(claim(), cordon, return_exceptions=True)

                async def is_answered(name: str = offer.metadata.name) -> list[OfferPhase]:
                    phases = [one.status.phase for one in await world.offers() if one.metadata.name == name]
                    return [phase for phase in phases if phase != OfferPhase.OFFERED]

                [phase] = await until(is_answered, "an answer")
                if isinstance(claimed, ResourceOffer):
                    assert phase == OfferPhase.CLAIMED
                    await world.launch(claimed, owner)
                    won += 1
                else:
                    assert isinstance(claimed, Conflict | Invalid)
                    assert phase == OfferPhase.RESCINDED
            await check_that_no_node_is_overcommitted(world)
        assert len(await world.pods()) == won

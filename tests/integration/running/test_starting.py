"""The master's start: nothing is given away before everything that is held is known."""

import asyncio
import contextlib

import pytest
from tests.integration.running.parts import master
from tests.integration.running.proxy import Proxy
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in


class TestWhileAListIsHeldBack:
    @pytest.mark.parametrize(
        ("plural", "reason"),
        [
            ("pods", "caches: first list not complete: pods"),
            ("nodes", "caches: first list not complete: nodes"),
            ("resourceoffers", "census: not complete yet"),
        ],
    )
    async def test_the_master_offers_nothing(self, world: World, proxy: Proxy, plural: str, reason: str):
        [full, empty] = await world.add_nodes(2, cpu="2")
        await world.add_pod("somebody", full, {"cpu": "2"})
        await world.add_framework("web")
        await world.declare("web", demand(count=4, requests={"cpu": "1"}))
        held = contextlib.ExitStack()
        held.enter_context(proxy.holding(lambda asked: asked.lists(plural)))
        async with master(world, proxy.kubeconfig) as part:

            async def knows_the_rest() -> bool:
                return await part.get("/readyz") == (503, f"{reason}\ncycle: not complete yet\n")

            await until(knows_the_rest, f"a start that lacks nothing but {plural}")
            await asyncio.sleep(0.5)
            assert await world.offers() == []
            assert (await part.get("/healthz"))[0] == 200
            held.close()
            await part.ready()
            await world.an_offer()
            await part.cycles()
            offers = await world.offers()
            assert tasks_in(offers) == 2
            assert {one.node for offer in offers for one in offer.spec.slices} == {empty}

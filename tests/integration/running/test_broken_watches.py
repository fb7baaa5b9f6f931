"""What a watch did not tell is found out all the same."""

from typing import Any

from tests.integration.running.parts import master
from tests.integration.running.proxy import Asked, Proxy
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand


def a_deletion_of_a_framework(asked: Asked, event: dict[str, Any]) -> bool:
    return asked.watches("frameworks") and event["type"] == "DELETED"


class TestAFrameworkDeletedWhileItsWatchIsBroken:
    async def test_is_found_gone_and_what_it_held_goes_to_others(self, world: World, proxy: Proxy):
        await world.add_nodes(1, cpu="1")
        await world.add_framework("first")
        await world.add_framework("second")
        await world.declare("first", demand("a", 1, requests={"cpu": "1"}))
        await world.declare("second")
        async with master(world, proxy.kubeconfig, census_interval=0.5) as part:
            await world.an_offer("first")
            await world.declare("second", demand("a", 1, requests={"cpu": "1"}))
            await part.cycles()
            assert await world.offers(of="second") == []
            with proxy.swallowing(a_deletion_of_a_framework):
                await world.remove_framework("first")
                await world.an_offer("second")

            async def is_told_in_figures() -> bool:
                return (await part.figures()).get("tender_census_corrections_total{resource=frameworks}") == 1

            await until(is_told_in_figures, "a corrected census")
            assert await world.offers(of="first") == []

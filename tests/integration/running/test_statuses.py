"""What the master writes into the status of frameworks and roles, and when it does not."""

from tests.integration.conftest import ApiServer
from tests.integration.running.parts import Part, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from tender.api.framework import Allocation
from tender.cluster.resources import FRAMEWORKS


async def settled(world: World, part: Part, name: str) -> Allocation:
    """The master's part of a framework's status, once it has not been written for several intervals."""
    writes = "tender_api_writes_total{resource=frameworks,verb=apply}"

    async def is_unchanged() -> bool:
        before = (await part.figures()).get(writes, 0.0)
        await part.cycles(15)
        return before > 0 and (await part.figures())[writes] == before

    await until(is_unchanged, "a settled status")
    allocation = (await world.framework(name)).status.allocation
    assert allocation is not None
    return allocation


class TestTheStatusOfAFramework:
    async def test_says_what_it_holds_and_is_offered(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4", memory="8Gi")
        owner = await world.add_framework("web")
        await world.declare("web", demand("a", 1, requests={"cpu": "1", "memory": "1Gi"}))
        async with master(world, api_server.kubeconfig) as part:
            claimed = await world.claim(await world.an_offer("web"))
            await world.launch(claimed, owner)
            await world.declare("web", demand("a", 3, requests={"cpu": "1", "memory": "1Gi"}))
            await world.an_offer("web")
            allocation = await settled(world, part, "web")
        assert allocation.allocated == {"cpu": "1", "memory": "1Gi", "pods": "1"}
        assert allocation.offered == {"cpu": "2", "memory": "2Gi", "pods": "2"}
        assert allocation.dominant_share == "0.7500"

    async def test_says_why_it_is_not_offered_more(self, world: World, api_server: ApiServer):
        [full, cordoned, _] = await world.add_nodes(3, cpu="2")
        await world.add_pod("somebody", full, {"cpu": "2"})
        await world.cordon(cordoned)
        await world.add_framework("web")
        await world.declare("web", demand("a", 9, requests={"cpu": "1"}))
        await world.add_framework("idle")
        await world.declare("idle")
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("web")
            allocation = await settled(world, part, "web")
            idle = await settled(world, part, "idle")
        reasons = {one.reason: one.nodes for one in allocation.not_offered}
        assert reasons == {"Exhausted": 2, "Unavailable": 1}
        assert [one.reason for one in idle.not_offered] == ["Suppressed"]

    async def test_is_not_written_while_nothing_changes(self, world: World, api_server: ApiServer):
        await world.add_nodes(2, cpu="2")
        role = world.named("shops")
        await world.add_role(role)
        await world.add_framework("web", role=role)
        await world.declare("web", demand("a", 99, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("web")
            await settled(world, part, "web")
            before = [await world.framework("web"), await world.role(role)]
            await part.cycles(30)
            after = [await world.framework("web"), await world.role(role)]
        versions = [[one.metadata.resource_version for one in both] for both in (before, after)]
        assert versions[0] == versions[1]

    async def test_leaves_the_part_of_its_controller_alone(self, world: World, api_server: ApiServer):
        await world.add_nodes(1)
        await world.add_framework("web")
        entry = demand("a", 1, requests={"cpu": "1"})
        own = {"demand": [entry], "replicas": 7}
        await world.client.apply_status(FRAMEWORKS, "web", own, namespace=world.namespace, field_manager="somebody")
        async with master(world, api_server.kubeconfig) as part:
            await settled(world, part, "web")
            status = (await world.client.get(FRAMEWORKS, "web", namespace=world.namespace))["status"]
        assert {name: status[name] for name in own} == own
        assert status.keys() == {*own, "allocation"}


class TestTheStatusOfARole:
    async def test_sums_up_the_roles_below(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        above, below = world.named("above"), world.named("below")
        await world.add_role(above)
        await world.add_role(below, parent=above)
        await world.add_framework("web", role=below)
        await world.declare("web", demand("a", 2, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            await world.claim(await world.an_offer("web"), {0: 1})
            await world.an_offer("web")
            await settled(world, part, "web")
            statuses = [(await world.role(name)).status for name in (above, below)]
        for status in statuses:
            assert status.allocated["cpu"] == "1"
            [cpu] = (one for one in status.quota if one.resource == "cpu")
            assert (cpu.consumed, cpu.offered) == ("1", "1")
            assert status.dominant_share == "0.5000"
            assert status.observed_generation == 1
        assert [status.frameworks for status in statuses] == [0, 1]

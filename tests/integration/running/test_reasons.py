"""Why is it waiting? A running master tells it over HTTP: for everybody as of the last cycle, for one in full."""

import json
from typing import Any

from tests.integration.conftest import ApiServer
from tests.integration.running.parts import Part, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from tender.api.names import API_VERSION
from tender.cluster.resources import NODES, RESERVATIONS

CASE = "tender.test/case"
ONE_TASK = demand("a", 2, requests={"cpu": "1", "memory": "1Gi"})


async def add_node(world: World, case: str, **taint: str) -> str:
    """A node that only the framework of this case may use."""
    name = world.named(case)
    await world.add_node(name, "4", "8Gi", {CASE: case})
    if taint:
        await world.client.patch(NODES, name, {"spec": {"taints": [taint]}})
    return name


async def add_framework(world: World, case: str, **spec: Any) -> None:
    """A framework that may use the node of this case alone."""
    await world.add_framework(case, nodeSelector={CASE: case}, **spec)


async def told(part: Part, path: str) -> Any:
    """What is served there, once a cycle has run."""

    async def is_served() -> Any:
        code, text = await part.get(path)
        return json.loads(text) if code == 200 else None

    return await until(is_served, f"an answer from {path}")


async def in_the_way(part: Part, world: World, name: str, reason: str, node: str) -> tuple[str, dict[str, Any]]:
    """The message in the list of all, and what is said in full, of the reason why this node is not offered."""

    async def is_given() -> Any:
        everybody = await told(part, "/reasons")
        [mine] = (one for one in everybody["frameworks"] if one["framework"] == f"{world.namespace}/{name}")
        return [one for one in mine["notOffered"] if one["reason"] == reason]

    [listed] = await until(is_given, f"the reason {reason} for {name}")
    full = await told(part, f"/reasons/{world.namespace}/{name}")
    [wait] = full["now"]["waits"]
    [obstacle] = (one for one in wait["notOffered"] if node in one["names"])
    assert obstacle["reason"] == reason
    return listed["message"], obstacle


class TestAFrameworkIsTold:
    async def test_of_the_quota_that_is_used_up(self, world: World, api_server: ApiServer):
        role = world.named("ml")
        await world.add_role(role, quota={"limit": {"cpu": "1"}})
        node = await add_node(world, "web")
        await add_framework(world, "web", role=role)
        await world.declare("web", ONE_TASK)
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("web")
            message, obstacle = await in_the_way(part, world, "web", "Quota", node)
        assert message == obstacle["message"]
        assert message == f"quota of role {role}: 1 of 1 cpu used; raise its limit or free some"

    async def test_of_taints_reservations_and_room(self, world: World, api_server: ApiServer):
        nodes = {case: await add_node(world, case) for case in ("reserved", "small", "full")}
        nodes["tainted"] = await add_node(world, "tainted", key="dedicated", value="db", effect="NoSchedule")
        for case in ("tainted", "reserved", "full"):
            await add_framework(world, case)
            await world.declare(case, ONE_TASK)
        await add_framework(world, "small")
        reservation = {
            "apiVersion": API_VERSION,
            "kind": "Reservation",
            "metadata": {"name": "kept", "namespace": world.namespace},
            "spec": {"node": nodes["reserved"], "role": "prod", "resources": {"cpu": "4", "memory": "8Gi"}},
        }
        await world.client.create(RESERVATIONS, reservation)
        await world.add_pod("nearly-all", nodes["small"], {"cpu": "3995m", "memory": "8190Mi"})
        await world.add_pod("most", nodes["full"], {"cpu": "3500m"})
        async with master(world, api_server.kubeconfig) as part:
            tainted, _ = await in_the_way(part, world, "tainted", "Tainted", nodes["tainted"])
            reserved, _ = await in_the_way(part, world, "reserved", "Reserved", nodes["reserved"])
            small, of_small = await in_the_way(part, world, "small", "TooSmall", nodes["small"])
            full, of_full = await in_the_way(part, world, "full", "Exhausted", nodes["full"])
        assert tainted == "taint dedicated=db:NoSchedule is not tolerated; add a toleration or take the taint off"
        assert "reserved for prod" in reserved
        assert "the minimum offer of cpu 10m or memory 32Mi" in small
        assert of_small["detail"].startswith(f"{nodes['small']} comes nearest, with ")
        assert full.startswith("a task needs cpu 1, memory 1Gi, and less is free; ")
        assert of_full["detail"] == (
            f"{nodes['full']} comes nearest, with cpu 500m, memory 8Gi free; "
            "held on these nodes by pods outside of frameworks (cpu 3500m)"
        )

    async def test_of_what_it_has_refused(self, world: World, api_server: ApiServer):
        node = await add_node(world, "web")
        await add_framework(world, "web")
        await world.declare("web", ONE_TASK)
        async with master(world, api_server.kubeconfig) as part:
            await world.decline(await world.an_offer("web"), 120)
            message, obstacle = await in_the_way(part, world, "web", "Filtered", node)
        assert message.startswith("as much was refused a short time ago; ")
        assert obstacle["detail"].startswith("ends in 1")

    async def test_that_others_come_first(self, world: World, api_server: ApiServer):
        await add_node(world, "both")
        for name in ("first", "second"):
            await world.add_framework(name)
            await world.declare(name, demand("a", 1, requests={"cpu": "3"}))
        async with master(world, api_server.kubeconfig, interval=60.0, debounce=2.0) as part:
            everybody = await told(part, "/reasons")
            await world.an_offer("first")
        served, waiting = everybody["frameworks"]
        assert everybody["cycle"]["nodes"] == 1
        assert served["notOffered"] == []
        assert waiting["framework"] == f"{world.namespace}/second"
        [why] = waiting["notOffered"]
        assert (why["reason"], why["nodes"]) == ("ShareOrder", 1)
        assert "its own in role default was 0.0000" in why["message"]

    async def test_when_the_master_does_not_know_it(self, world: World, api_server: ApiServer):
        async with master(world, api_server.kubeconfig) as part:
            await told(part, "/reasons")
            code, text = await part.get(f"/reasons/{world.namespace}/typo")
        assert code == 404
        assert json.loads(text)["error"].startswith(f"the master knows no framework {world.namespace}/typo")

"""Reservations with a running master: made of a claim, of pods or of what is free; kept, offered and released."""

import asyncio
from typing import Any

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.parts import Part, master
from tests.integration.running.waiting import until
from tests.integration.running.world import MARK, World, demand

from tender.api.conditions import find_condition
from tender.api.names import API_VERSION
from tender.api.offer import OfferPhase
from tender.api.reservation import Reservation
from tender.cluster.errors import Invalid, NotFound
from tender.cluster.resources import EVENTS, NODES, RESERVATIONS

ONE_CPU = {"cpu": "1"}
HOUR = 3600.0


async def reserve(world: World, name: str, node: str, for_role: str, cpu: str, **spec: Any) -> None:
    body = {
        "apiVersion": API_VERSION,
        "kind": "Reservation",
        "metadata": {"name": name, "namespace": world.namespace},
        "spec": {"role": for_role, "node": node, "resources": {"cpu": cpu}, **spec},
    }
    await world.client.create(RESERVATIONS, body)


async def release(world: World, name: str) -> None:
    await world.client.delete(RESERVATIONS, name, namespace=world.namespace)


async def reservation(world: World, name: str) -> Reservation:
    return Reservation.read(await world.client.get(RESERVATIONS, name, namespace=world.namespace))


async def names(world: World) -> set[str]:
    found = await world.client.list_all(RESERVATIONS, namespace=world.namespace)
    return {one["metadata"]["name"] for one in found}


async def is_told(world: World, name: str, **status: Any) -> Reservation:
    """Wait until a reservation's status says this."""

    async def as_told() -> Reservation | None:
        found = await reservation(world, name)
        told = {field: getattr(found.status, field) for field in status}
        return found if told == status else None

    told: Reservation = await until(as_told, f"{status} in the status of {name}")
    return told


async def is_missed(world: World, name: str) -> Reservation:
    """Wait until a reservation's status says that its node is lost."""

    async def as_told() -> Reservation | None:
        found = await reservation(world, name)
        return found if found.status.node_lost_at else None

    told: Reservation = await until(as_told, f"the loss of the node of {name}")
    return told


async def is_released(world: World, name: str) -> None:
    async def is_away() -> bool:
        return name not in await names(world)

    await until(is_away, f"the release of {name}")


async def is_offered(world: World, part: Part, framework: str, cpus: int) -> None:
    """See that a framework is offered so many CPUs, and no more."""

    async def offered() -> int:
        offers = await world.open_offers(framework)
        return sum(one.amounts.get("cpu", 0) for offer in offers for one in offer.spec.slices) // 1000

    async def is_enough() -> bool:
        return await offered() >= cpus

    await until(is_enough, f"an offer of {cpus} CPUs to {framework}")
    await part.cycles()
    assert await offered() == cpus


async def told(world: World, namespace: str, name: str) -> list[str]:
    """Wait for events of a release about an object; what they say."""

    async def notes() -> list[str]:
        events = await world.client.list_all(EVENTS, namespace=namespace)
        mine = [one for one in events if one["reason"] == "ReservationReleased"]
        return [one["note"] for one in mine if one["regarding"]["name"] == name]

    found: list[str] = await until(notes, f"an event about {name}")
    return found


async def looked(seconds: float = 2.5) -> None:
    """Long enough for the master to look twice what is due to be released."""
    await asyncio.sleep(seconds)


class TestAReservation:
    async def test_is_offered_to_its_role_and_those_below_only(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        above, below, beside = (world.named(name) for name in ("above", "below", "beside"))
        await world.add_role(above)
        await world.add_role(below, parent=above)
        for name, role in (("below", below), ("beside", beside)):
            await world.add_framework(name, role=role)
            await world.declare(name, demand("a", 9, requests=ONE_CPU))
        await reserve(world, "kept", node, above, "4")
        async with master(world, api_server.kubeconfig) as part:
            await is_offered(world, part, "below", 4)
            await is_offered(world, part, "beside", 0)

    async def test_counts_in_the_share_of_its_role_while_nothing_runs(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        role = world.named("shops")
        await world.add_role(role)
        await reserve(world, "kept", node, role, "3")
        async with master(world, api_server.kubeconfig):

            async def counts() -> bool:
                return (await world.role(role)).status.dominant_share == "0.7500"

            await until(counts, "the share of the role")

    @pytest.mark.parametrize("down", ["its framework", "the master"])
    async def test_is_kept_while_somebody_is_away(self, world: World, api_server: ApiServer, down: str):
        [node] = await world.add_nodes(1, cpu="4")
        role = world.named("shops")
        for name in ("db", "other"):
            await world.add_framework(name, role=role)
            await world.declare(name, demand("a", 4, requests=ONE_CPU))
        await reserve(world, "kept", node, role, "3", framework="db")
        async with master(world, api_server.kubeconfig) as part:
            await is_offered(world, part, "other", 1)
            if down == "its framework":
                await world.remove_framework("db")
                await is_offered(world, part, "other", 1)
                await world.add_framework("db", role=role)
                await world.declare("db", demand("a", 4, requests=ONE_CPU))
                await is_offered(world, part, "db", 3)
        if down == "the master":
            await world.remove_framework("db")
            async with master(world, api_server.kubeconfig) as part:
                await part.ready()
                await is_offered(world, part, "other", 1)

    async def test_takes_back_what_is_on_offer_to_others(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        await world.add_framework("other")
        await world.declare("other", demand("a", 4, requests=ONE_CPU))
        async with master(world, api_server.kubeconfig) as part:
            await is_offered(world, part, "other", 4)
            await reserve(world, "kept", node, world.named("shops"), "3")
            await until(lambda: world.offers(OfferPhase.RESCINDED, of="other"), "the end of the offer")
            await is_offered(world, part, "other", 1)


class TestAPartForARoleBelow:
    async def test_is_kept_from_the_role_above_until_it_is_deleted(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        above, below = world.named("above"), world.named("below")
        await world.add_role(above)
        await world.add_role(below, parent=above)
        await world.add_framework("above", role=above)
        await world.declare("above", demand("a", 9, requests=ONE_CPU))
        await reserve(world, "whole", node, above, "3")
        await reserve(world, "part", node, below, "2", refines="whole")
        async with master(world, api_server.kubeconfig) as part:
            await is_told(world, "whole", unused={"cpu": "1"}, refined={"cpu": "2"})
            await is_told(world, "part", unused={"cpu": "2"}, refined={})
            await is_offered(world, part, "above", 2)
            await release(world, "part")
            await is_offered(world, part, "above", 4)
            await is_told(world, "whole", unused={"cpu": "3"}, refined={})

    async def test_that_cannot_be_one_says_why(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        await reserve(world, "part", node, "default", "1", refines="nothing")
        async with master(world, api_server.kubeconfig):

            async def is_stalled() -> str:
                stalled = find_condition((await reservation(world, "part")).status.conditions, "Stalled")
                return stalled.message if stalled and stalled.reason == "NotAPart" else ""

            message = await until(is_stalled, "the condition")
        assert message.startswith(f"spec.refines: there is no Reservation {world.namespace}/nothing")


class TestAClaimThatBecomesAReservation:
    async def test_takes_nothing_more_and_outlives_the_claim(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        role = world.named("shops")
        for name in ("db", "other"):
            await world.add_framework(name, role=role, offers={"timeout": "1h"})
        await world.declare("db", demand("a", 4, requests=ONE_CPU))
        await world.declare("other")
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("db")
            await world.declare("db", demand("a", 2, requests=ONE_CPU))
            claimed = await world.claim(offer, {0: 2})
            await reserve(world, "kept", node, role, "2", framework="db")
            await is_told(world, "kept", used={"cpu": "2"}, unused={})
            await world.declare("other", demand("b", 4, requests=ONE_CPU))
            await is_offered(world, part, "other", 2)

            world.clock.advance(59)
            assert claimed.metadata.name in {one.metadata.name for one in await world.offers(OfferPhase.CLAIMED)}
            world.clock.advance(2)
            await is_told(world, "kept", used={}, unused={"cpu": "2"})
            await is_offered(world, part, "other", 2)
            await is_offered(world, part, "db", 2)

    async def test_keeps_the_room_of_its_pods_when_they_go(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        owner = await world.add_framework("db")
        await world.add_framework("other")
        await world.declare("db", demand("a", 2, requests=ONE_CPU))
        await world.declare("other")
        async with master(world, api_server.kubeconfig) as part:
            pods = await world.launch(await world.claim(await world.an_offer("db")), owner)
            await reserve(world, "kept", node, "default", "2", framework="db")
            await is_told(world, "kept", used={"cpu": "2"})
            await world.declare("other", demand("b", 4, requests=ONE_CPU))
            await is_offered(world, part, "other", 2)
            for name in pods:
                await world.remove_pod(name)
            await is_offered(world, part, "db", 2)
            await is_offered(world, part, "other", 2)


class TestAReservationInUse:
    async def test_cannot_shrink_below_what_is_used(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        owner = await world.add_framework("db")
        await world.add_pod("db-1", node, {"cpu": "1500m"}, owner=owner)
        await reserve(world, "kept", node, "default", "3")

        async def shrink(cpu: str) -> None:
            change = {"spec": {"resources": {"cpu": cpu}}}
            await world.client.patch(RESERVATIONS, "kept", change, namespace=world.namespace)

        async with master(world, api_server.kubeconfig):
            await is_told(world, "kept", used={"cpu": "1500m"}, unused={"cpu": "1500m"})
            with pytest.raises(Invalid, match="less than what is in use"):
                await shrink("1")
            await shrink("2")
            await is_told(world, "kept", used={"cpu": "1500m"}, unused={"cpu": "500m"})

    async def test_leaves_its_pods_alone_when_it_is_deleted(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        owner = await world.add_framework("db")
        await world.declare("db")
        await world.add_framework("other")
        await world.declare("other", demand("b", 4, requests=ONE_CPU))
        await world.add_pod("db-1", node, ONE_CPU, owner=owner)
        await reserve(world, "kept", node, "default", "3", framework="db")
        async with master(world, api_server.kubeconfig) as part:
            await is_offered(world, part, "other", 1)
            await release(world, "kept")
            await is_offered(world, part, "other", 3)

            async def is_charged() -> bool:
                allocation = (await world.framework("db")).status.allocation
                return allocation is not None and allocation.allocated.get("cpu") == "1"

            await until(is_charged, "the charge of the pod")
            assert [pod.metadata.name for pod in await world.pods()] == ["db-1"]

    async def test_says_what_is_lacking_when_it_grows_too_large(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1, cpu="4")
        await world.add_pod("somebody", node, ONE_CPU)
        await reserve(world, "kept", node, "default", "5")
        async with master(world, api_server.kubeconfig):

            async def is_stalled() -> str:
                stalled = find_condition((await reservation(world, "kept")).status.conditions, "Stalled")
                return stalled.message if stalled and stalled.status == "True" else ""

            message = await until(is_stalled, "the condition")
        assert f"spec.resources: node {node} lacks 2 cpu" in message


class TestAReservationOnALostNode:
    async def lose(self, world: World, node: str) -> None:
        await world.client.delete(NODES, node)

    async def test_is_released_when_its_time_is_up_and_says_so(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1)
        role = world.named("shops")
        await world.add_role(role)
        await world.add_framework("db", role=role)
        await reserve(world, "shared", node, role, "1", nodeLostTimeout="1h")
        await reserve(world, "own", node, role, "1", framework="db", nodeLostTimeout="1h")
        await reserve(world, "lasting", node, role, "1")
        async with master(world, api_server.kubeconfig):
            await is_told(world, "own", node_lost_at=None, unused={"cpu": "1"})
            await self.lose(world, node)
            for name in ("shared", "own", "lasting"):
                await is_missed(world, name)
            world.clock.advance(HOUR - 60)
            await looked()
            assert await names(world) == {"shared", "own", "lasting"}
            world.clock.advance(61)
            await is_released(world, "shared")
            await is_released(world, "own")
            await looked()
            assert await names(world) == {"lasting"}

            why = f"since node {node} was gone for longer than spec.nodeLostTimeout (1h)"
            for namespace, name, what in (
                (world.namespace, "shared", "released"),
                (world.namespace, "own", "released"),
                (world.namespace, "db", f"Reservation {world.namespace}/own was released"),
                ("default", role, f"Reservation {world.namespace}/shared was released"),
            ):
                assert await told(world, namespace, name) == [f"{what}, {why}"]

    async def test_waits_on_while_the_master_is_away(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1)
        await reserve(world, "kept", node, "default", "1", nodeLostTimeout="1h")
        async with master(world, api_server.kubeconfig):
            await is_told(world, "kept", unused={"cpu": "1"})
            await self.lose(world, node)
            before = await is_missed(world, "kept")
        world.clock.advance(HOUR - 60)
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await looked()
            assert (await reservation(world, "kept")).status.node_lost_at == before.status.node_lost_at
            world.clock.advance(61)
            await is_released(world, "kept")

    async def test_is_kept_when_the_node_comes_back(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1)
        await reserve(world, "kept", node, "default", "1", nodeLostTimeout="1h")
        async with master(world, api_server.kubeconfig):
            await is_told(world, "kept", unused={"cpu": "1"})
            await self.lose(world, node)
            await is_missed(world, "kept")
            await world.add_nodes(1)
            await is_told(world, "kept", node_lost_at=None, unused={"cpu": "1"})
            world.clock.advance(2 * HOUR)
            await looked()
        assert await names(world) == {"kept"}

    async def test_is_kept_when_the_node_is_only_not_offered_any_more(self, world: World, api_server: ApiServer):
        [node] = await world.add_nodes(1)
        await reserve(world, "kept", node, "default", "1", nodeLostTimeout="1h")
        async with master(world, api_server.kubeconfig):
            await is_told(world, "kept", unused={"cpu": "1"})
            await world.client.patch(NODES, node, {"metadata": {"labels": {MARK: None}}})
            await is_missed(world, "kept")
            world.clock.advance(2 * HOUR)
            await looked()
            assert await names(world) == {"kept"}
            await self.lose(world, node)
            await looked()
            assert await names(world) == {"kept"}  # the node was found a moment ago
            world.clock.advance(61)
            await is_released(world, "kept")

    async def test_that_changes_its_mind_in_time_is_kept(self, world: World, api_server: ApiServer):
        await reserve(world, "kept", "never-seen", "default", "1", nodeLostTimeout="1h")
        async with master(world, api_server.kubeconfig):
            await is_missed(world, "kept")
            change = {"spec": {"nodeLostTimeout": None}}
            await world.client.patch(RESERVATIONS, "kept", change, namespace=world.namespace)
            world.clock.advance(2 * HOUR)
            await looked()
        assert await names(world) == {"kept"}

    async def test_that_is_gone_already_is_no_trouble(self, world: World, api_server: ApiServer):
        await reserve(world, "kept", "never-seen", "default", "1", nodeLostTimeout="1h")
        async with master(world, api_server.kubeconfig) as part:
            await is_missed(world, "kept")
            await release(world, "kept")
            world.clock.advance(2 * HOUR)
            await looked()
            await part.ready()
            with pytest.raises(NotFound):
                await reservation(world, "kept")

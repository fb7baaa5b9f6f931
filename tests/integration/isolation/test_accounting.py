"""Whom the master charges: nobody has others pay, pays less than it holds, or gets more by what it writes."""

import pytest
from tests.builders import owner_of
from tests.integration.conftest import ApiServer
from tests.integration.isolation.tenants import AUTHOR, EDITS, Tenants
from tests.integration.running.parts import master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in

from tender.allocation import Settings
from tender.api.names import LABEL_FRAMEWORK, LABEL_OFFER, LABEL_TASK
from tender.api.offer import OfferPhase
from tender.api.quantities import parse
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS

HUGE = 9_223_372_036_854_775_807


async def cpu_of(world: World, name: str) -> int:
    """What the master says that a framework holds in pods and claims, in milli-CPU."""
    found = (await world.framework(name)).status.allocation
    return 0 if found is None else parse("cpu", found.allocated.get("cpu", "0"))


async def is_charged(world: World, name: str, cpu: int) -> None:
    """Wait until a framework is charged so much."""

    async def holds() -> bool:
        return await cpu_of(world, name) == cpu

    await until(holds, f"{name} is charged {cpu}m CPU")


async def is_seen(world: World, node: str) -> None:
    """Wait until the master has taken in all pods that are there, and has said so."""
    for name in ("fence-1", "fence-2"):
        fence = await world.add_framework(name)
        await world.declare(name)
        await world.add_pod(name, node, {"cpu": "1m"}, owner=fence)
        await is_charged(world, name, 1)


async def declared(world: World, name: str, **entry: object) -> None:
    await world.add_framework(name)
    await world.declare(name, demand(**entry))  # type: ignore[arg-type]


class TestAVictim:
    async def test_is_not_charged_for_pods_that_others_label_as_its(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [node, *_] = await world.add_nodes(1)
        await declared(world, "web", count=1, requests={"cpu": "1"})
        attacker = await tenants.account("attacker", EDITS)
        async with master(world, api_server.kubeconfig):
            offer = await world.claim(await world.an_offer("web"))
            await is_charged(world, "web", 1000)
            labels = {LABEL_FRAMEWORK: "web", LABEL_OFFER: offer.metadata.name, LABEL_TASK: "a"}
            await attacker.add_pod("fake", node, {"cpu": "2"}, labels=labels)
            await is_seen(world, node)
            assert await cpu_of(world, "web") == 1000  # its claim, neither spent by the pod nor more
            assert [one.status.phase for one in await world.offers(of="web")] == [OfferPhase.CLAIMED]

    async def test_is_not_charged_for_pods_of_another_namespace(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [node, *_] = await world.add_nodes(1)
        victim = await tenants.neighbour()
        web = await victim.add_framework("web")
        await victim.declare("web")
        own = await world.add_framework("web")
        await world.declare("web")
        attacker = await tenants.account("attacker", AUTHOR)
        async with master(world, api_server.kubeconfig):
            await attacker.add_pod("theirs", node, {"cpu": "1"}, owner=web)
            await attacker.add_pod("own", node, {"cpu": "500m"}, owner=own)
            await is_charged(world, "web", 500)
            await is_seen(world, node)
            assert await cpu_of(victim, "web") == 0

    async def test_is_not_charged_through_its_uid_under_another_name(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [node, *_] = await world.add_nodes(1)
        web = await world.add_framework("web")
        await world.declare("web")
        attacker = await tenants.account("attacker", AUTHOR)
        async with master(world, api_server.kubeconfig):
            pod = pod_owned_by("mine", web.metadata.uid or "", node)
            await attacker.client.create(PODS, {**pod, "metadata": {**pod["metadata"], "namespace": world.namespace}})
            await is_seen(world, node)
            assert await cpu_of(world, "web") == 0

    async def test_keeps_its_claim_whatever_offer_others_name(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [node, *_] = await world.add_nodes(1, cpu="2")
        await declared(world, "web", count=2, requests={"cpu": "1"})
        mine = await world.add_framework("mine")
        await world.declare("mine")
        attacker = await tenants.account("attacker", AUTHOR)
        async with master(world, api_server.kubeconfig):
            offer = await world.claim(await world.an_offer("web"))
            labels = {LABEL_OFFER: offer.metadata.name, LABEL_TASK: "a"}
            await attacker.add_pod("thief", node, {"cpu": "10m"}, owner=mine, labels=labels)
            await is_charged(world, "mine", 10)
            await is_seen(world, node)
            assert await cpu_of(world, "web") == 2000


class TestAnAttacker:
    async def test_gains_nothing_by_what_it_writes_into_its_status(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        await world.add_nodes(2, cpu="5")
        for name in ("mine", "web"):
            await declared(world, name, count=100, requests={"cpu": "1"})
        attacker = await tenants.account("attacker", AUTHOR)
        poor = {"dominantShare": "0", "allocated": {"cpu": "0"}, "offered": {}, "notOffered": []}
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("mine")
            await attacker.client.patch_status(FRAMEWORKS, "mine", {"allocation": poor}, namespace=world.namespace)
            await part.cycles(4)
            assert tasks_in(await world.open_offers("mine")) == tasks_in(await world.open_offers("web")) == 5

    @pytest.mark.parametrize(
        ("unshared", "limit"), [(frozenset(), {}), (frozenset({"pods"}), {"pods": "50"})], ids=["shared", "limited"]
    )
    async def test_stops_nobody_by_demands_without_measure(
        self,
        world: World,
        tenants: Tenants,
        api_server: ApiServer,
        unshared: frozenset[str],
        limit: dict[str, str],
    ):
        """Tasks that ask for nothing take places for pods, so those have to count in shares or be limited."""
        await world.add_nodes(2, cpu="5")
        await declared(world, "web", count=4, requests={"cpu": "1"})
        await world.add_role(world.named("greedy"), quota={"limit": limit})
        await world.add_framework("mine", role=world.named("greedy"))
        attacker = await tenants.account("attacker", AUTHOR)
        most = 2**31 - 1
        await attacker.declare(
            "mine",
            demand("whole", most, requests={"cpu": str(HUGE), "memory": f"{HUGE}E"}),
            demand("none", most, requests={"cpu": "0"}),
            demand("strange", most, requests={"example.com/nothing": "1n"}),
            *(demand(f"d{number}", most, requests={"cpu": "1"}) for number in range(100)),
        )
        async with master(world, api_server.kubeconfig, cycle=Settings(unshared_resources=unshared)):
            assert tasks_in(await until(lambda: world.open_offers("web"), "an offer to the other")) == 4

    async def test_stops_nobody_by_pods_that_ask_for_more_than_there_is(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [first, second] = await world.add_nodes(2, cpu="4")
        attacker = await tenants.account("attacker", EDITS)
        mine = await world.add_framework("mine")
        await world.declare("mine")
        for number in range(3):
            await attacker.add_pod(f"huge-{number}", first, {"cpu": f"{HUGE}", "memory": f"{HUGE}"}, owner=mine)
        await attacker.add_pod("nowhere", "no-such-node", {"cpu": f"{HUGE}"}, owner=mine)
        await declared(world, "web", count=2, requests={"cpu": "1"})
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("web")
            assert {one.node for one in offer.spec.slices} == {second}
            await part.cycles()

            async def is_told() -> bool:
                return await cpu_of(world, "mine") >= HUGE

            await until(is_told, "the attacker is charged")

    async def test_shuts_out_itself_alone_by_refusing_for_ever(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        await world.add_nodes(1)
        await world.add_framework("mine")
        attacker = await tenants.account("attacker", AUTHOR)
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("mine")
            status = {"phase": "Declined", "refuseSeconds": 31_536_000, "answeredAt": "9999-12-31T23:59:59Z"}
            await attacker.client.patch_status(RESOURCE_OFFERS, offer.metadata.name, status, namespace=world.namespace)
            await declared(world, "web", count=4, requests={"cpu": "1"})
            assert tasks_in([await world.an_offer("web")]) == 4
            await part.cycles()
            assert await world.open_offers("mine") == []

    async def test_pays_for_a_claim_that_it_calls_empty(self, world: World, tenants: Tenants, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        await declared(world, "mine", count=4, requests={"cpu": "1"})
        attacker = await tenants.account("attacker", AUTHOR)
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("mine")
            claim = {"slice": 0, "resources": dict(offer.spec.slices[0].resources), "tasks": {"a": 0}}
            await attacker.answer(offer, {"phase": "Claimed", "claims": [claim]})
            await is_charged(world, "mine", 4000)
            await declared(world, "web", count=4, requests={"cpu": "1"})
            await part.cycles()
            assert await world.open_offers("web") == []

    async def test_pays_for_pods_that_it_starts_without_an_offer(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        [node, *_] = await world.add_nodes(1, cpu="10")
        mine = await world.add_framework("mine")
        await world.declare("mine")
        attacker = await tenants.account("attacker", AUTHOR)
        await attacker.add_pod("greedy", node, {"cpu": "6"}, owner=mine)
        async with master(world, api_server.kubeconfig) as part:
            await is_charged(world, "mine", 6000)
            for name in ("mine", "web"):
                if name == "web":
                    await world.add_framework(name)
                await world.declare(name, demand("b", 10, requests={"cpu": "1"}))
            await world.an_offer("web")
            await part.cycles()
            assert tasks_in(await world.open_offers("web")) == 4
            assert await world.open_offers("mine") == []

    async def test_takes_room_from_all_but_is_offered_no_more_by_pods_that_are_nobodys(
        self, world: World, tenants: Tenants, api_server: ApiServer
    ):
        """Said so in SECURITY.md: whoever may create pods takes part outside of Tender, unless a policy says no."""
        [node, *_] = await world.add_nodes(1, cpu="10")
        for name in ("mine", "web"):
            await declared(world, name, count=10, requests={"cpu": "1"})
        attacker = await tenants.account("attacker", EDITS)
        await attacker.add_pod("wild", node, {"cpu": "6"})
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("mine")
            await part.cycles()
            assert [tasks_in(await world.open_offers(name)) for name in ("mine", "web")] == [2, 2]


def pod_owned_by(name: str, uid: str, node: str) -> dict[str, dict[str, object]]:
    """A pod whose owner is a Framework of this name and uid."""
    container = {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "1"}}}
    return {
        "metadata": {"name": "disguised", "ownerReferences": [owner_of(name, uid)]},
        "spec": {"nodeName": node, "containers": [container]},
    }

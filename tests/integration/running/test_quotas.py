"""Quotas: what a role's status says, who is told when one cannot be kept; which offers a change of role ends."""

from typing import Any

from tests.integration.conftest import ApiServer
from tests.integration.running.parts import master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

from tender.api.conditions import READY, find_condition
from tender.api.names import API_VERSION
from tender.api.offer import OfferPhase
from tender.api.role import GUARANTEE_MET, QUOTA_SOUND
from tender.cluster.resources import EVENTS, FRAMEWORK_ROLES, RESERVATIONS

Manifest = dict[str, Any]


async def set_quota(world: World, role: str, **quota: Any) -> None:
    await world.client.patch(FRAMEWORK_ROLES, role, {"spec": {"quota": quota}})


async def reserve(world: World, name: str, role: str, node: str, **resources: str) -> None:
    metadata = {"name": name, "namespace": world.namespace}
    spec = {"role": role, "node": node, "resources": resources}
    body = {"apiVersion": API_VERSION, "kind": "Reservation", "metadata": metadata, "spec": spec}
    await world.client.create(RESERVATIONS, body)


async def shows(world: World, role: str, resource: str, **figures: str) -> None:
    """Wait until a role's status shows these figures of a resource, and no others."""

    async def as_expected() -> bool:
        listed = {one.resource: one.manifest() for one in (await world.role(role)).status.quota}
        return listed.get(resource) == {"resource": resource, **figures}

    await until(as_expected, f"role {role}: {resource}: {figures}")


async def says(world: World, role: str, type_: str, reason: str) -> str:
    """Wait until a condition of a role has this reason; its message."""

    async def message() -> str:
        found = find_condition((await world.role(role)).status.conditions, type_)
        return found.message if found is not None and found.reason == reason else ""

    found: str = await until(message, f"role {role}: {type_}: {reason}")
    return found


async def told(world: World, role: str) -> list[Manifest]:
    """The events about a role; those of a cluster-scoped object are in the namespace default."""
    events = await world.client.list_all(EVENTS, namespace="default")
    return sorted(
        (one for one in events if one["regarding"].get("name") == role), key=lambda event: str(event["eventTime"])
    )


async def reasons_told(world: World, role: str, *expected: str) -> None:
    """Wait until events with these reasons tell of a role."""

    async def as_expected() -> bool:
        return [event["reason"] for event in await told(world, role)] == list(expected)

    await until(as_expected, f"events {expected}")


async def phases(world: World) -> dict[str, OfferPhase]:
    """Where the offer of each framework stands; every one has had just one."""
    offers = await world.offers()
    assert len({offer.spec.framework for offer in offers}) == len(offers)
    return {offer.spec.framework: offer.status.phase for offer in offers}


async def become(world: World, **expected: OfferPhase) -> None:
    """Wait until the offers stand like this."""

    async def as_expected() -> bool:
        return await phases(world) == expected

    await until(as_expected, f"offers {expected}")


async def add_idle(world: World, role: str, *names: str) -> None:
    """Frameworks of a role that want nothing yet; before the master runs, or it would offer them everything at once."""
    for name in names:
        await world.add_framework(name, role=role)
        await world.declare(name)


async def want(world: World, **cores: int) -> None:
    """From now on these frameworks want one task of so many cores each."""
    for name, cpu in cores.items():
        await world.declare(name, demand("a", 1, requests={"cpu": str(cpu)}))


class TestTheStatusOfAQuota:
    async def test_shows_what_is_consumed_with_all_that_is_reserved_and_what_is_on_offer(
        self, world: World, api_server: ApiServer
    ):
        [node] = await world.add_nodes(1, cpu="4")
        role, below = world.named("company"), world.named("shops")
        await world.add_role(role, quota={"guarantee": {"cpu": "3"}, "limit": {"cpu": "4", "memory": "10Gi"}})
        await world.add_role(below, parent=role)
        await reserve(world, "kept", role, node, cpu="2")
        await add_idle(world, below, "running", "waiting")
        async with master(world, api_server.kubeconfig):
            await shows(world, role, "cpu", guarantee="3", limit="4", consumed="2", offered="0")
            await shows(world, role, "memory", limit="10Gi", consumed="0", offered="0")
            await want(world, running=1)
            owner = await world.framework("running")
            await world.launch(await world.claim(await world.an_offer("running")), owner)
            await want(world, waiting=1)
            await world.an_offer("waiting")
            await shows(world, below, "cpu", consumed="1", offered="1")
            await shows(world, role, "cpu", guarantee="3", limit="4", consumed="2", offered="1")

    async def test_is_what_kubectl_shows(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        role, plain = world.named("shops"), world.named("plain")
        await world.add_role(role, quota={"guarantee": {"cpu": "1500m"}, "limit": {"cpu": "9", "memory": "10Gi"}})
        await world.add_role(plain)
        await add_idle(world, role, "web")
        async with master(world, api_server.kubeconfig) as part:
            await want(world, web=1)
            await world.claim(await world.an_offer("web"))
            await shows(world, role, "cpu", guarantee="1500m", limit="9", consumed="1", offered="0")
            await says(world, plain, QUOTA_SOUND, "Sound")
            lines = api_server.kubectl("get", "frole", "--output=wide").stdout.splitlines()
            of_role = f"resource=cpu,role={role}"
            kinds = {"guarantee": 1.5, "limit": 9.0, "consumed": 1.0}
            await part.shows({f"tender_role_quota{{kind={kind},{of_role}}}": kinds[kind] for kind in kinds})
        starts = {name: lines[0].index(name) for name in lines[0].split()}
        [row] = (line for line in lines if line.startswith(role))
        columns = {name: row[start:].split()[0] for name, start in starts.items()}
        assert columns["CPU-GUARANTEE"] == "1500m"
        assert columns["CPU-LIMIT"] == "9"
        assert columns["CPU-CONSUMED"] == "1"
        assert columns["QUOTA"] == "Sound"
        assert columns["MEMORY-LIMIT"] == "10Gi"
        assert columns["MEMORY-CONSUMED"] == "0"


class TestAQuotaThatCannotBeKept:
    async def test_is_told_of_in_a_condition_and_once_in_an_event_and_others_are_served(
        self, world: World, api_server: ApiServer
    ):
        await world.add_nodes(2, cpu="5")
        large, small, apart = (world.named(name) for name in ("large", "small", "apart"))
        await world.add_role(large, quota={"guarantee": {"cpu": "8"}})
        await world.add_role(small, quota={"guarantee": {"cpu": "4"}})
        await world.add_role(apart)
        await add_idle(world, large, "web")
        async with master(world, api_server.kubeconfig) as part:
            for role, amount in ((large, 8), (small, 4)):
                assert await says(world, role, QUOTA_SOUND, "GuaranteeExceedsCluster") == (
                    f"spec.quota.guarantee: cpu: {amount} guaranteed here, 12 in all top-level roles, and the cluster "
                    "has 10 on available nodes; lower one of them or add nodes"
                )
                await says(world, role, READY, "AsSpecified")
                await reasons_told(world, role, "GuaranteeExceedsCluster")
            assert await says(world, apart, QUOTA_SOUND, "Sound")
            await want(world, web=8)
            await part.cycles(10)
            await says(world, large, GUARANTEE_MET, "Waiting")
            [event] = await told(world, large)
            assert event["type"] == "Warning"
        async with master(world, api_server.kubeconfig) as part:
            await part.cycles(20)
            await reasons_told(world, large, "GuaranteeExceedsCluster")
            await world.add_node(world.named("more"), "8", "8Gi", {})
            await says(world, large, QUOTA_SOUND, "Sound")
            await reasons_told(world, large, "GuaranteeExceedsCluster", "QuotaSound")
            await world.an_offer("web")
            await says(world, large, GUARANTEE_MET, "Met")

    async def test_is_told_of_in_the_child_and_in_the_parent(self, world: World, api_server: ApiServer):
        await world.add_nodes(2, cpu="9")
        parent, child = world.named("parent"), world.named("child")
        await world.add_role(parent, quota={"guarantee": {"cpu": "4"}, "limit": {"cpu": "9"}})
        await world.add_role(child, parent=parent, quota={"guarantee": {"cpu": "6"}})
        async with master(world, api_server.kubeconfig):
            message = await says(world, child, QUOTA_SOUND, "GuaranteeExceedsParent")
            assert f"cpu: 6 guaranteed here, but only 4 to role {parent} above it" in message
            message = await says(world, parent, QUOTA_SOUND, "GuaranteeExceedsParent")
            assert "cpu: 4 guaranteed here, but 6 guaranteed in the roles below it" in message
            await set_quota(world, parent, limit={"cpu": "5"})
            message = await says(world, child, QUOTA_SOUND, "GuaranteeExceedsLimit")
            assert f"cpu: 6 guaranteed here, but the limit of role {parent} above it is 5" in message
            message = await says(world, parent, QUOTA_SOUND, "GuaranteeExceedsLimit")
            assert "spec.quota.limit: cpu: 5, but 6 guaranteed in the roles below it" in message

    async def test_is_a_limit_below_what_is_consumed_already(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="9")
        role = world.named("shops")
        await world.add_role(role)
        await add_idle(world, role, "web", "more")
        async with master(world, api_server.kubeconfig) as part:
            await want(world, web=3)
            owner = await world.framework("web")
            [pod] = await world.launch(await world.claim(await world.an_offer("web")), owner)
            await set_quota(world, role, limit={"cpu": "2"})
            assert await says(world, role, QUOTA_SOUND, "LimitExceeded") == (
                "spec.quota.limit: cpu: 2, but 3 is consumed; nothing new is offered until it falls below"
            )
            await want(world, more=1)
            await part.cycles(10)
            assert await world.open_offers() == []
            await world.declare("web")
            await world.remove_pod(pod)
            await world.an_offer("more")
            await says(world, role, QUOTA_SOUND, "Sound")


class TestAChangeOfQuota:
    async def test_lowers_a_limit_and_takes_back_just_enough(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="8")
        role, apart = world.named("shops"), world.named("apart")
        await world.add_role(role)
        await add_idle(world, role, "one", "two", "three")
        await add_idle(world, apart, "other")
        async with master(world, api_server.kubeconfig) as part:
            await want(world, one=1, two=2, three=3, other=1)
            offered = OfferPhase.OFFERED
            await become(world, one=offered, two=offered, three=offered, other=offered)
            await set_quota(world, role, limit={"cpu": "5"})
            await become(world, one=OfferPhase.RESCINDED, two=offered, three=offered, other=offered)
            [rescinded] = await world.offers(OfferPhase.RESCINDED)
            assert rescinded.status.message == f"the quota of role {role} changed"
            await part.cycles(10)
            await become(world, one=OfferPhase.RESCINDED, two=offered, three=offered, other=offered)

    async def test_raises_a_guarantee_and_takes_back_just_enough_of_others(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="4")
        role, apart = world.named("shops"), world.named("apart")
        await world.add_role(role)
        await add_idle(world, apart, "one", "three")
        async with master(world, api_server.kubeconfig) as part:
            await want(world, one=1, three=3)
            await become(world, one=OfferPhase.OFFERED, three=OfferPhase.OFFERED)
            await set_quota(world, role, guarantee={"cpu": "1"})
            await become(world, one=OfferPhase.RESCINDED, three=OfferPhase.OFFERED)
            await part.cycles(10)
            await become(world, one=OfferPhase.RESCINDED, three=OfferPhase.OFFERED)

    async def test_that_lets_a_guarantee_be_felt_takes_back_just_enough_of_others(
        self, world: World, api_server: ApiServer
    ):
        await world.add_nodes(1, cpu="4")
        top, role, apart = (world.named(name) for name in ("top", "shops", "apart"))
        await world.add_role(top, quota={"limit": {"cpu": "0"}})
        await world.add_role(role, parent=top, quota={"guarantee": {"cpu": "1"}})
        await add_idle(world, apart, "one", "three")
        async with master(world, api_server.kubeconfig):
            await want(world, one=1, three=3)
            await become(world, one=OfferPhase.OFFERED, three=OfferPhase.OFFERED)
            await world.client.delete(FRAMEWORK_ROLES, top)
            await become(world, one=OfferPhase.RESCINDED, three=OfferPhase.OFFERED)
            [rescinded] = await world.offers(OfferPhase.RESCINDED)
            assert rescinded.status.message == f"role {top} was deleted"

    async def test_of_the_parent_brings_all_limits_above(self, world: World, api_server: ApiServer):
        await world.add_nodes(3, cpu="4")
        top, middle, role = (world.named(name) for name in ("top", "middle", "shops"))
        await world.add_role(top, quota={"limit": {"cpu": "4"}})
        await world.add_role(middle, parent=top, quota={"limit": {"cpu": "9"}})
        await world.add_role(role)
        await add_idle(world, role, "one", "two", "three")
        async with master(world, api_server.kubeconfig):
            await want(world, one=1, two=2, three=3)
            await become(world, one=OfferPhase.OFFERED, two=OfferPhase.OFFERED, three=OfferPhase.OFFERED)
            await world.client.patch(FRAMEWORK_ROLES, role, {"spec": {"parent": middle}})
            await become(world, one=OfferPhase.OFFERED, two=OfferPhase.RESCINDED, three=OfferPhase.OFFERED)

    async def test_by_deleting_a_role_ends_its_limit_and_no_offer(self, world: World, api_server: ApiServer):
        await world.add_nodes(3, cpu="4")
        top, role = world.named("top"), world.named("shops")
        await world.add_role(top, quota={"limit": {"cpu": "2"}})
        await world.add_role(role, parent=top)
        await add_idle(world, role, "two", "three")
        async with master(world, api_server.kubeconfig) as part:
            await want(world, two=2)
            await become(world, two=OfferPhase.OFFERED)
            await want(world, three=3)
            await part.cycles(10)
            await become(world, two=OfferPhase.OFFERED)
            await world.client.delete(FRAMEWORK_ROLES, top)
            await become(world, two=OfferPhase.OFFERED, three=OfferPhase.OFFERED)


class TestAChangeOfWeight:
    async def test_takes_back_just_enough_for_those_who_wait(self, world: World, api_server: ApiServer):
        await world.add_nodes(10, cpu="1")
        gold, iron = world.named("gold"), world.named("iron")
        await world.add_role(gold)
        of_gold, of_iron = ([f"{metal}{number}" for number in range(8)] for metal in ("gold", "iron"))
        await add_idle(world, gold, *of_gold)
        await add_idle(world, iron, *of_iron)

        async def open_are(golden: int, ironclad: int) -> None:
            async def as_expected() -> bool:
                names = [offer.spec.framework for offer in await world.open_offers()]
                counts = [len([name for name in names if name in of_metal]) for of_metal in (of_gold, of_iron)]
                return counts == [golden, ironclad]

            await until(as_expected, f"{golden} and {ironclad} open offers")

        async with master(world, api_server.kubeconfig) as part:
            await want(world, **dict.fromkeys(of_iron[:5], 1))
            await open_are(0, 5)
            await want(world, **dict.fromkeys(of_gold, 1))
            await open_are(5, 5)
            await world.client.patch(FRAMEWORK_ROLES, gold, {"spec": {"weight": 4}})
            await open_are(8, 2)
            rescinded = await world.offers(OfferPhase.RESCINDED)
            assert {offer.spec.role for offer in rescinded} == {iron}
            assert {offer.status.message for offer in rescinded} == {f"the weight of role {gold} changed"}
            assert len(rescinded) == 3
            await part.cycles(10)
            await open_are(8, 2)

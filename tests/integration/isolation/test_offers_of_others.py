"""A tenant neither sees nor answers, changes or makes what belongs to others, and claims no more than it is offered."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.isolation.tenants import AUTHOR, EDITS, Tenants, refused
from tests.integration.running.world import World

from tender.api.meta import ObjectMeta
from tender.api.names import API_VERSION
from tender.api.offer import OfferPhase, ResourceOffer, ResourceOfferSpec, Slice
from tender.cluster.errors import Invalid
from tender.cluster.resources import (
    CONFIG_MAPS,
    FRAMEWORK_ROLES,
    FRAMEWORKS,
    NODES,
    PODS,
    RESERVATIONS,
    RESOURCE_OFFERS,
)


async def offered(world: World, name: str = "web") -> ResourceOffer:
    """An offer of 2 CPU to the framework `web`, as the master makes it."""
    spec = ResourceOfferSpec(
        framework="web",
        role="default",
        slices=(Slice(node="node-1", resources={"cpu": "2"}),),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    body = ResourceOffer(metadata=ObjectMeta(name=name, namespace=world.namespace), spec=spec).manifest()
    return ResourceOffer.read(await world.client.create(RESOURCE_OFFERS, {**body, "kind": "ResourceOffer"}))


@pytest.mark.parametrize("roles", [AUTHOR, EDITS], ids=["an author", "an editor"])
class TestATenant:
    async def test_neither_sees_nor_answers_offers_of_another_namespace(
        self, world: World, tenants: Tenants, roles: tuple[str, ...]
    ):
        victim = await tenants.neighbour()
        offer = await offered(victim)
        attacker = await tenants.account("attacker", roles)
        there = World(attacker.client, victim.namespace, world.clock)
        await refused(there.offers())
        await refused(attacker.client.list_all(RESOURCE_OFFERS))
        await refused(attacker.client.get(RESOURCE_OFFERS, "web", namespace=victim.namespace))
        await refused(there.claim(offer))
        await refused(there.decline(offer, 3600))
        await refused(there.framework("web"))
        assert [one.status.phase for one in await victim.offers()] == [OfferPhase.OFFERED]

    async def test_makes_changes_and_removes_no_offer_role_reservation_or_node(
        self, world: World, tenants: Tenants, roles: tuple[str, ...]
    ):
        await offered(world)
        await world.add_role(world.named("gold"), weight=1)
        attacker = await tenants.account("attacker", roles)
        client, where = attacker.client, world.namespace
        await refused(offered(attacker, "own"))
        await refused(client.patch(RESOURCE_OFFERS, "web", {"spec": {"expiresAt": None}}, namespace=where))
        await refused(client.delete(RESOURCE_OFFERS, "web", namespace=where))
        await refused(client.delete_collection(RESOURCE_OFFERS, namespace=where))
        await refused(attacker.add_role(world.named("mine"), weight=1000))
        await refused(client.patch(FRAMEWORK_ROLES, world.named("gold"), {"spec": {"weight": 9}}))
        await refused(client.delete(FRAMEWORK_ROLES, world.named("gold")))
        await refused(client.patch_status(FRAMEWORK_ROLES, world.named("gold"), {"dominantShare": "0"}))
        await refused(client.create(RESERVATIONS, reservation(where)))
        await refused(client.patch(NODES, "node-1", {"spec": {"unschedulable": True}}))

    async def test_touches_nothing_of_another_namespace(self, world: World, tenants: Tenants, roles: tuple[str, ...]):
        victim = await tenants.neighbour()
        await victim.add_framework("web")
        attacker = await tenants.account("attacker", roles)
        there = World(attacker.client, victim.namespace, world.clock)
        await refused(there.add_framework("mine"))
        await refused(there.change("web", {"role": "poor"}))
        await refused(there.declare("web"))
        await refused(there.remove_framework("web"))
        await refused(there.add_pod("spy", "node-1", {"cpu": "1"}))
        await refused(attacker.client.list_all(PODS, namespace=victim.namespace))
        await refused(attacker.client.list_all(CONFIG_MAPS, namespace=victim.namespace))


class TestAnAuthor:
    async def test_claims_no_more_than_it_is_offered(self, world: World, tenants: Tenants):
        offer = await offered(world)
        author = await tenants.account("author", AUTHOR)
        for claims, message in (
            ([{"slice": 0, "resources": {"cpu": "2001m"}}], "a claim is larger than its slice"),
            ([{"slice": 0, "resources": {"cpu": "1", "memory": "1"}}], "a claim is larger than its slice"),
            ([{"slice": 1, "resources": {"cpu": "1"}}], "a claim is on a slice that the offer does not have"),
            ([{"slice": 0, "resources": {"cpu": "-1"}}], "should match"),
            ([{"slice": 0, "resources": {"cpu": "1"}}] * 2, "Duplicate value"),
        ):
            with pytest.raises(Invalid) as found:
                await author.answer(offer, {"phase": "Claimed", "claims": claims})
            assert message in found.value.message
        assert (await author.claim(offer)).status.phase == OfferPhase.CLAIMED

    async def test_answers_once(self, world: World, tenants: Tenants):
        await offered(world)
        author = await tenants.account("author", AUTHOR)
        [offer] = await author.offers()
        declined = await author.decline(offer, 0)
        for answer in (author.claim(declined), author.answer(declined, {"phase": "Offered"})):
            with pytest.raises(Invalid, match="the offer has been answered already"):
                await answer

    async def test_changes_no_offer_under_the_cover_of_its_status(self, world: World, tenants: Tenants):
        await offered(world)
        author = await tenants.account("author", AUTHOR)
        body = {"spec": {"slices": [{"node": "node-1", "resources": {"cpu": "1000"}}]}}
        await author.client.patch(RESOURCE_OFFERS, "web", body, namespace=world.namespace, subresource="status")
        [offer] = await world.offers()
        assert offer.spec.slices[0].resources == {"cpu": "2"}

    @pytest.mark.parametrize(
        "moment",
        ["0000-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z"],
    )
    async def test_writes_no_time_that_would_make_its_objects_unreadable(
        self, world: World, tenants: Tenants, moment: str
    ):
        offer = await offered(world)
        await world.add_framework("web")
        author = await tenants.account("author", AUTHOR)
        with pytest.raises(Invalid, match=r"should match|must be of type date-time"):
            await author.client.patch_status(
                RESOURCE_OFFERS,
                offer.metadata.name,
                {"phase": "Declined", "answeredAt": moment},
                namespace=world.namespace,
            )
        with pytest.raises(Invalid, match=r"should match|must be of type date-time"):
            status = {"backoff": {"failures": 1, "until": moment}}
            await author.client.patch_status(FRAMEWORKS, "web", status, namespace=world.namespace)

    async def test_changes_no_spec_not_even_of_its_own_framework(self, world: World, tenants: Tenants):
        await world.add_framework("web")
        author = await tenants.account("author", AUTHOR)
        await refused(author.change("web", {"role": "gold"}))
        await refused(author.add_framework("another"))


def reservation(namespace: str) -> dict[str, object]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Reservation",
        "metadata": {"name": "mine", "namespace": namespace},
        "spec": {"role": "default", "node": "node-1", "resources": {"cpu": "1000"}},
    }

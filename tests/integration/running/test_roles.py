"""Roles: their weights share the cluster, a role that only a name stands for is told of, a wrong parent is too."""

import contextlib

from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.proxy import Proxy
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in

from tender.api.conditions import READY, STALLED, find_condition
from tender.api.meta import Condition
from tender.api.names import LABEL_ROLE
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import parse_resources


async def condition(world: World, role: str, type_: str) -> Condition:
    """Wait until a condition of a role is True."""

    async def holds() -> Condition | None:
        found = find_condition((await world.role(role)).status.conditions, type_)
        return found if found is not None and found.status == "True" else None

    found: Condition = await until(holds, f"role {role}: {type_}")
    return found


class TestWeights:
    async def test_divide_what_is_scarce(self, world: World, api_server: ApiServer):
        await world.add_nodes(3, cpu="5")
        for name, weight in (("gold", 2), ("plain", 1)):
            role = world.named(name)
            await world.add_role(role, weight=weight)
            await world.add_framework(name, role=role)
            await world.declare(name, demand("a", 100, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            await world.an_offer("gold")
            await part.cycles()
            assert tasks_in(await world.open_offers("gold")) == 10
            assert tasks_in(await world.open_offers("plain")) == 5

            async def is_in_the_status() -> bool:
                gold, plain = [(await world.role(world.named(name))).status for name in ("gold", "plain")]
                return (gold.dominant_share, plain.dominant_share) == ("0.6667", "0.3333")

            await until(is_in_the_status, "shares in the status of the roles")
            figures = await part.figures()
            for name, weight, share in (("gold", 2, 10 / 15), ("plain", 1, 5 / 15)):
                role = world.named(name)
                assert figures[f"tender_role_weight{{role={role}}}"] == weight
                assert figures[f"tender_role_dominant_share{{role={role}}}"] == share
                assert figures[f"tender_role_quota{{kind=offered,resource=cpu,role={role}}}"] == 15 * share


class TestARoleThatOnlyANameStandsFor:
    async def test_takes_part_and_is_told_of(self, world: World, api_server: ApiServer):
        await world.add_nodes(1)
        role = world.named("unheard-of")
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await world.add_framework("web", role=role)
            assert (await world.an_offer("web")).spec.role == role

            async def was_told() -> list[str]:
                return await world.told("ImplicitRole", "web")

            [note] = await until(was_told, "an event")
        assert f"Create FrameworkRole {role}" in note

    async def test_is_not_made_of_one_whose_list_comes_late(self, world: World, proxy: Proxy):
        await world.add_nodes(1)
        role = world.named("late")
        await world.add_role(role)
        await world.add_framework("web", role=role)
        await world.add_framework("other", role=world.named("unheard-of"))
        with contextlib.ExitStack() as held:
            held.enter_context(proxy.holding(lambda asked: asked.lists("frameworkroles")))
            async with master(world, proxy.kubeconfig) as part:

                async def knows_frameworks() -> bool:
                    return await part.total("tender_frameworks") == 2

                await until(knows_frameworks, "frameworks")
                held.close()

                async def was_told() -> list[str]:
                    return await world.told("ImplicitRole", "other")

                await until(was_told, "an event")
        assert await world.told("ImplicitRole", "web") == []


class TestAFrameworkInSeveralRoles:
    async def test_is_told_of_each_that_only_a_name_stands_for(self, world: World, api_server: ApiServer):
        await world.add_nodes(1)
        made, first, further = (world.named(name) for name in ("made", "first", "further"))
        await world.add_role(made)
        async with master(world, api_server.kubeconfig) as part:
            await part.ready()
            await world.add_framework("web", role=first, roles=[made, further])

            async def were_told() -> list[str]:
                notes = await world.told("ImplicitRole", "web")
                return sorted(notes) if len(notes) >= 2 else []

            notes = await until(were_told, "two events")
        assert [note.partition(";")[0] for note in notes] == [
            f"spec.role: there is no FrameworkRole {first}",
            f"spec.roles: there is no FrameworkRole {further}",
        ]

    async def test_keeps_its_offers_in_a_role_until_it_leaves_it(self, world: World, api_server: ApiServer):
        await world.add_nodes(1, cpu="1")
        first, second, third = (world.named(name) for name in ("first", "second", "third"))
        await world.add_framework("web", role=first, roles=[second])
        await world.declare("web", demand("a", 1, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:
            offer = await world.an_offer("web")
            await world.change("web", {"role": second, "roles": [first]})
            await part.cycles()
            assert [one.metadata.name for one in await world.open_offers()] == [offer.metadata.name]
            remaining = ({first, second} - {offer.spec.role}).pop()
            await world.change("web", {"role": remaining, "roles": [third]})

            async def is_rescinded() -> list[ResourceOffer]:
                return await world.offers(OfferPhase.RESCINDED)

            [rescinded] = await until(is_rescinded, "the offer's end")
            assert rescinded.status.message == f"the framework has left role {offer.spec.role}"
            assert (await world.an_offer("web")).spec.role in {remaining, third}

    async def test_is_offered_in_each_what_its_quota_allows(self, world: World, api_server: ApiServer):
        await world.add_nodes(2, cpu="4")
        tight, open_ = world.named("tight"), world.named("open")
        await world.add_role(tight, quota={"limit": {"cpu": "2"}})
        await world.add_role(open_)
        await world.add_framework("web", role=tight, roles=[open_])
        await world.declare("web", demand("a", 6, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig) as part:

            async def are_made() -> bool:
                return tasks_in(await world.open_offers("web")) == 6

            await until(are_made, "offers for all tasks")
            await part.cycles()
            by_role: dict[str, int] = {}
            for offer in await world.open_offers("web"):
                by_role[offer.spec.role] = by_role.get(offer.spec.role, 0) + tasks_in([offer])
            assert sum(by_role.values()) == 6
            assert by_role[tight] <= 2
            assert by_role[open_] >= 4

    async def test_runs_pods_in_each_role_within_its_quota(self, world: World, api_server: ApiServer, kubelet: Kubelet):
        await world.add_nodes(2, cpu="4")
        tight, open_ = world.named("tight"), world.named("open")
        await world.add_role(tight, quota={"limit": {"cpu": "1"}})
        await world.add_role(open_)
        await world.add_service("web", 4, cpu="500m")
        await world.change("web", {"role": tight, "roles": [open_]})
        async with controller(world, api_server.kubeconfig), master(world, api_server.kubeconfig):

            async def run() -> bool:
                return (await world.framework("web")).status.ready_replicas == 4

            await until(run, "four pods")
            roles = [pod.metadata.labels[LABEL_ROLE] for pod in await world.pods("web")]

            async def are_charged() -> bool:
                charged = [(await world.role(name)).status.allocated for name in (tight, open_)]
                return [parse_resources(one).get("cpu", 0) for one in charged] == [
                    500 * roles.count(name) for name in (tight, open_)
                ]

            await until(are_charged, "what each role uses, by the labels of the pods")
        assert roles.count(tight) <= 2
        assert roles.count(open_) >= 2


class TestAParent:
    async def test_that_does_not_exist_stalls_its_child_until_it_does(self, world: World, api_server: ApiServer):
        child, parent = world.named("child"), world.named("parent")
        await world.add_nodes(1)
        await world.add_role(child, parent=parent)
        await world.add_framework("web", role=child)
        async with master(world, api_server.kubeconfig):
            stalled = await condition(world, child, STALLED)
            assert stalled.message == (
                f"spec.parent: role {parent} does not exist; create FrameworkRole {parent} or remove spec.parent. "
                "Until then the role is treated as one without a parent"
            )
            await world.an_offer("web")
            await world.add_role(parent)
            await condition(world, child, READY)

    async def test_in_a_circle_stalls_all_of_it_and_nobody_else(self, world: World, api_server: ApiServer):
        one, two, apart = (world.named(name) for name in ("one", "two", "apart"))
        await world.add_nodes(1, cpu="2")
        await world.add_role(one, parent=two)
        await world.add_role(two, parent=one)
        await world.add_role(apart)
        for name, role in (("within", one), ("without", apart)):
            await world.add_framework(name, role=role)
            await world.declare(name, demand("a", 1, requests={"cpu": "1"}))
        async with master(world, api_server.kubeconfig):
            for name, first, second in ((one, one, two), (two, two, one)):
                stalled = await condition(world, name, STALLED)
                assert f"spec.parent: the parents form a circle ({first} -> {second} -> {first})" in stalled.message
                assert "change one of them" in stalled.message
            await condition(world, apart, READY)
            await world.an_offer("within")
            await world.an_offer("without")

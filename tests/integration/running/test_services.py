"""A service on its way: applied, running, scaled, rolled, failing, deleted; master and controller as they are."""

from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand, tasks_in, template

from tender.api.conditions import READY, STALLED, find_condition
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK, LABEL_OFFER, LABEL_REVISION
from tender.cluster.resources import PODS


async def ready(world: World, name: str, replicas: int) -> Framework:
    """Wait until a service says of its newest spec that it has so many pods and is ready."""

    async def is_ready() -> Framework | None:
        found = await world.framework(name)
        condition = find_condition(found.status.conditions, READY)
        settled = (
            condition is not None
            and condition.status == "True"
            and condition.observed_generation == found.metadata.generation
            and found.status.ready_replicas == found.status.replicas == found.status.updated_replicas == replicas
        )
        return found if settled else None

    found: Framework = await until(is_ready, f"service {name} ready with {replicas} pods")
    return found


async def fail(world: World, pod: Pod, **status: str) -> None:
    """A pod ends without success."""
    await world.client.patch_status(PODS, pod.metadata.name, {"phase": "Failed", **status}, namespace=world.namespace)


class TestAService:
    async def test_that_is_applied_runs_where_it_was_offered_room(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        nodes = await world.add_nodes(2, cpu="1")
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            applied = await world.add_service("web", 3)
            framework = await ready(world, "web", 3)
            pods = await world.pods("web")
            await check_that_no_node_is_overcommitted(world)
        assert len(pods) == 3
        assert {pod.spec.node_name for pod in pods} <= set(nodes)
        for pod in pods:
            assert pod.ready
            assert pod.metadata.labels.keys() >= {LABEL_FRAMEWORK, LABEL_OFFER, LABEL_REVISION, "app"}
            assert pod.controller is not None
            assert pod.controller.uid == applied.metadata.uid
        assert framework.status.selector == f"{LABEL_FRAMEWORK}=web"

    async def test_grows_and_shrinks_with_kubectl_scale(self, world: World, api_server: ApiServer, kubelet: Kubelet):
        await world.add_nodes(2)
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 2)
            for replicas in (5, 1, 0, 3):
                api_server.kubectl(
                    "scale", "frameworks.tender.dev/web", f"--replicas={replicas}", f"--namespace={world.namespace}"
                )
                await ready(world, "web", replicas)
                assert len(await world.pods("web")) == replicas

    async def test_exchanges_its_pods_one_for_one_when_its_template_changes(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        await world.add_service("web", 4)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            before = (await ready(world, "web", 4)).status.revision
            fewest = 4

            async def is_rolled() -> bool:
                nonlocal fewest
                fewest = min(fewest, sum(pod.ready for pod in kubelet.alive))
                status = (await world.framework("web")).status
                return status.revision != before and status.updated_replicas == status.replicas == 4

            await world.change("web", {"service": {"template": template("500m", image="app:2")}})
            await until(is_rolled, "a roll")
            after = (await ready(world, "web", 4)).status.revision
            revisions = [pod.metadata.labels[LABEL_REVISION] for pod in await world.pods("web")]
        assert revisions == [after] * 4
        assert len(kubelet.born) == 8
        assert kubelet.most == 5
        assert fewest >= 4

    async def test_replaces_a_failed_pod_after_a_wait_and_says_why(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        await world.add_service("web", 3)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 3)
            failed = (await world.pods("web"))[0]
            await fail(world, failed, reason="Evicted", message="the node was low on memory")

            async def is_waiting() -> bool:
                return (await world.framework("web")).status.backoff is not None

            await until(is_waiting, "a wait")

            async def was_told() -> list[str]:
                return await world.told("PodFailed", "web")

            [note] = await until(was_told, "an event")
            assert note.startswith(f"Pod {failed.metadata.name} has ended (Evicted: the node was low on memory)")
            await ready(world, "web", 3)
            names = {pod.metadata.name for pod in await world.pods("web")}
        assert failed.metadata.name not in names
        assert len(names) == 3
        assert len(kubelet.born) == 4

    async def test_waits_longer_with_every_failure_and_comes_round(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        kubelet.fails = lambda _: len(kubelet.born) <= 4
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            framework = await ready(world, "web", 2)
        assert framework.status.backoff is not None
        assert framework.status.backoff.failures == 2
        assert len(kubelet.born) == 6

    async def test_that_is_deleted_leaves_its_room_to_others(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1, cpu="2")
        await world.add_service("web", 4)
        await world.add_framework("other")
        await world.declare("other")
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 4)
            await world.declare("other", demand("a", 2, requests={"cpu": "1"}))
            await world.remove_framework("web")

            async def has_all() -> bool:
                return tasks_in(await world.open_offers("other")) == 2

            await until(has_all, "the whole node")
            assert await world.pods("web") == []
            assert await world.offers(of="web") == []

    async def test_that_nobody_could_place_is_stalled_and_says_which_field(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1)
        wrong = template()
        wrong["spec"]["nodeSelector"] = {"disk": 7}
        await world.add_framework("wrong", service={"replicas": 1, "template": wrong})
        await world.add_service("web", 1)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):

            async def is_stalled() -> str:
                condition = find_condition((await world.framework("wrong")).status.conditions, STALLED)
                return condition.message if condition is not None and condition.status == "True" else ""

            message = await until(is_stalled, "a stalled service")
            assert message.startswith("spec.service.template: spec.nodeSelector.disk: ")
            await ready(world, "web", 1)

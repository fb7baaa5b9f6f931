"""What services can do besides running: versions and rollbacks, names, dependencies, spreading, and lost nodes."""

from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.test_services import ready
from tests.integration.running.waiting import until
from tests.integration.running.world import World, template

from tender.api.conditions import RECONCILING, find_condition
from tender.cluster.errors import NotFound
from tender.cluster.resources import CONTROLLER_REVISIONS, NODES, SERVICES

UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]


async def waits(world: World, name: str, reason: str) -> str:
    """Wait until a service is on its way for this reason; the message."""

    async def told() -> str | None:
        condition = find_condition((await world.framework(name)).status.conditions, RECONCILING)
        return condition.message if condition is not None and condition.reason == reason else None

    message: str = await until(told, f"{name} says {reason}")
    return message


async def numbers(world: World) -> list[int]:
    """The numbers of the versions that are recorded."""
    return sorted(
        one["revision"] for one in await world.client.list_all(CONTROLLER_REVISIONS, namespace=world.namespace)
    )


class TestVersions:
    async def test_t13_a_rollback_brings_the_recorded_template_back(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            first = (await ready(world, "web", 2)).status
            await world.change("web", {"service": {"template": template("500m", image="app:2")}})
            second = (await ready(world, "web", 2)).status
            await world.change("web", {"service": {"rollbackTo": 1}})
            back = (await ready(world, "web", 2)).status
            await world.change("web", {"service": {"rollbackTo": None, "template": template("500m", image="app:1")}})

            async def is_renumbered() -> bool:
                return (await world.framework("web")).status.version == 3

            await until(is_renumbered, "version 3")
            assert await numbers(world) == [2, 3]
        assert (first.version, second.version, back.version) == (1, 2, 1)
        assert first.revision == back.revision != second.revision

    async def test_t8_applying_the_same_again_restarts_nothing(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1)
        await world.add_service("web", 2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 2)
            await world.change("web", {"service": {"paused": False, "backoff": {"initial": "1s"}}})
            await ready(world, "web", 2)
            assert await numbers(world) == [1]
        assert len(kubelet.born) == 2


class TestExposure:
    async def test_a_service_in_front_comes_changes_and_goes(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1)
        pods = template("500m")
        pods["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
        await world.add_framework("web", service={"replicas": 1, "template": pods, "expose": {}})

        async def type_of_service() -> str:
            try:
                found = await world.client.get(SERVICES, "web", namespace=world.namespace)
            except NotFound:
                return "none"
            return str(found["spec"]["type"])

        async def becomes(expected: str) -> None:
            async def is_so() -> bool:
                return await type_of_service() == expected

            await until(is_so, f"a Service of type {expected}")

        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 1)
            await becomes("ClusterIP")
            await world.change("web", {"service": {"expose": {"type": "NodePort"}}})
            await becomes("NodePort")
            await world.change("web", {"service": {"expose": None}})
            await becomes("none")


class TestDependencies:
    async def test_t16_a_service_starts_when_the_one_it_depends_on_is_ready(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(1)
        service = {"replicas": 1, "template": template("500m")}
        await world.add_framework("web", service=service, dependsOn=[{"name": "db"}])
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            assert "framework db does not exist" in await waits(world, "web", "WaitingForDependencies")
            assert not await world.pods("web")
            await world.add_service("db", 1)
            await ready(world, "web", 1)


class TestConstraints:
    async def test_t10_a_change_that_no_node_has_room_for_says_so_and_goes_on_when_it_may(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        names = await world.add_nodes(2)
        service = {"replicas": 2, "template": template("500m"), "constraints": UNIQUE}
        await world.add_framework("web", service=service, nodeSelector=dict([world.node_selector.split("=")]))
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 2)
            await world.change("web", {"service": {"template": template("500m", image="app:2")}})
            message = await waits(world, "web", "RollBlocked")
            assert "constraint Unique on metadata.name" in message
            await world.change("web", {"service": {"updateStrategy": {"minimumHealth": "50%"}}})
            await ready(world, "web", 2)
            pods = await world.pods("web")
        assert sorted(pod.spec.node_name for pod in pods) == sorted(names)


class TestLostNodes:
    async def test_t15_pods_of_a_node_that_does_not_answer_are_replaced(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        names = await world.add_nodes(2)
        service = {"replicas": 2, "template": template("500m"), "constraints": UNIQUE}
        await world.add_framework("web", service=service)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await ready(world, "web", 2)
            unknown = {"type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-01-01T00:00:00Z"}
            await world.client.patch_status(NODES, names[0], {"conditions": [unknown]})
            await world.add_node(world.named("spare"), "4", "8Gi", {world.node_selector.split("=")[0]: world.namespace})

            async def are_elsewhere() -> bool:
                places = {pod.spec.node_name for pod in await world.pods("web") if pod.ready}
                return places == {names[1], world.named("spare")}

            await until(are_elsewhere, "pods on the nodes that answer")
            await ready(world, "web", 2)

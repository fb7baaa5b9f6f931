"""Commands that change something, with master and controller at work on a real API server.

While a command waits it prints every new state as a line, as many as there happen to be: tests look at the last one.
Golden files hold what is the same each time.
"""

from typing import Any

from click.testing import Result
from tests.builders import template
from tests.integration.cli.conftest import CommandLine
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.conditions import READY, find_condition
from tender.api.names import LABEL_FRAMEWORK
from tender.cluster.resources import CONTROLLER_REVISIONS, FRAMEWORKS, NODES, PODS

UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]


def database(count: int = 2, image: str = "db:1") -> dict[str, Any]:
    pods = {"name": "node", "count": count, "template": template("500m", image=image), "constraints": UNIQUE}
    check = {"name": "check", "template": {"spec": template("100m", image="check:1")["spec"]}}
    plan = {"name": "audit", "parameters": {"DEPTH": "1"}, "phases": [{"name": "all", "pods": "node", "task": "check"}]}
    return {"pods": [{**pods, "tasks": [check]}], "plans": [plan]}


async def ready(world: World, name: str) -> None:
    async def is_ready() -> bool:
        found = await world.framework(name)
        condition = find_condition(found.status.conditions, READY)
        newest = condition is not None and condition.observed_generation == found.metadata.generation
        return newest and condition is not None and condition.status == "True"

    await until(is_ready, f"{name} is ready")


async def image_of(world: World, name: str) -> set[str]:
    found = await world.client.list_all(PODS, namespace=world.namespace, label_selector=f"{LABEL_FRAMEWORK}={name}")
    return {one["spec"]["containers"][0]["image"] for one in found}


def last_line(result: Result) -> str:
    return result.output.strip().splitlines()[-1]


class TestServices:
    async def test_scaling_waits_for_the_pods(self, world: World, cli: CommandLine, kubelet: Kubelet):
        await world.add_nodes(2)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_service("web", 1)
            await ready(world, "web")
            result = await cli.run("scale", "web", "--replicas", "3", "--timeout", "60s")
            assert (result.exit_code, last_line(result)) == (0, "web: 3 of 3 pods are ready")
            assert len(await world.pods("web")) == 3

    async def test_a_rollback_runs_the_former_version_and_the_newest_again(
        self, world: World, cli: CommandLine, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_service("web", 1, image="app:1")
            await ready(world, "web")
            await world.change("web", {"service": {"template": template("500m", image="app:2")}})
            await ready(world, "web")
            cli.transcript.clear()
            await cli.run("rollback", "web", "--list")
            back = await cli.run("rollback", "web", "--timeout", "60s")
            assert (back.exit_code, await image_of(world, "web")) == (0, {"app:1"})
            cli.transcript.pop()
            await cli.run("rollback", "web", "--list")
            await cli.run("rollback", "web")
            await cli.run("rollback", "web", "--to", "7")
            cli.matches("rollback")
            forth = await cli.run("rollback", "web", "--newest", "--timeout", "60s")
            assert (forth.exit_code, await image_of(world, "web")) == (0, {"app:2"})

    async def test_a_restarted_pod_is_exchanged_for_another(self, world: World, cli: CommandLine, kubelet: Kubelet):
        await world.add_nodes(2)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_service("web", 2)
            await ready(world, "web")
            before = {pod.metadata.name for pod in await world.pods("web")}
            chosen = min(before)
            result = await cli.run("pod", "restart", "web", chosen, "--timeout", "60s")
            assert (result.exit_code, last_line(result)) == (0, "web: 2 of 2 pods are ready")
            after = {pod.metadata.name for pod in await world.pods("web")}
            assert before - after == {chosen}

    async def test_a_drained_node_loses_the_pods_within_the_bounds_of_the_service(
        self, world: World, cli: CommandLine, kubelet: Kubelet
    ):
        nodes = await world.add_nodes(2)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_service("web", 4)
            await ready(world, "web")
            node = next(pod.spec.node_name for pod in await world.pods("web"))
            result = await cli.run("drain", node, "--timeout", "60s")
            assert result.exit_code == 0
            assert f"node {node}: no pods of frameworks are left" in result.output
            assert {pod.spec.node_name for pod in await world.pods("web")} == set(nodes) - {node}
            assert (await world.client.get(NODES, node))["spec"]["unschedulable"] is True


class TestStatefulServices:
    async def test_plans_are_shown_started_and_held(self, world: World, cli: CommandLine, kubelet: Kubelet):
        await world.add_nodes(2)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_framework("db", stateful=database())
            await ready(world, "db")
            await cli.run("plan", "show", "db")
            await cli.run("plan", "show", "db", "deploy")
            await cli.run("plan", "show", "db", "typo")
            cli.matches("plan-show")
            paused = await cli.run("plan", "pause", "db", "deploy", "node")
            resumed = await cli.run("plan", "resume", "db", "deploy", "node")
            assert [paused.exit_code, resumed.exit_code] == [0, 0]
            refused = await cli.run("plan", "pause", "db", "typo")
            assert refused.exit_code == 1
            assert "refused: " in last_line(refused)
            begun = await cli.run("plan", "start", "db", "audit", "-p", "DEPTH=3", "--no-wait", "--id", "audit-1")
            assert begun.output == "framework.tender.dev/db: request audit-1 is made\n"

            async def parameters() -> dict[str, str]:
                status = (await world.framework("db")).status.stateful
                plans = status.plans if status is not None else ()
                return next((dict(one.parameters) for one in plans if one.name == "audit"), {})

            assert await until(parameters, "audit has begun") == {"DEPTH": "3"}
            stopped = await cli.run("plan", "stop", "db", "audit")
            assert stopped.exit_code == 0
            again = await cli.run("plan", "restart", "db", "deploy", "node", "node-1", "--timeout", "60s")
            assert (again.exit_code, last_line(again)) == (0, "plan deploy: Complete, 2 of 2 steps complete")

    async def test_a_pod_is_restarted_and_replaced(self, world: World, cli: CommandLine, kubelet: Kubelet):
        await world.add_nodes(3)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_framework("db", stateful=database())
            await ready(world, "db")
            before = {pod.metadata.name: pod for pod in await world.pods("db")}
            for act in ("restart", "replace", "pause", "resume"):
                result = await cli.run("pod", act, "db", "node-0", "--timeout", "60s")
                assert result.exit_code == 0, result.output
            after = {pod.metadata.name: pod for pod in await world.pods("db")}
            assert before["db-node-0"].metadata.uid != after["db-node-0"].metadata.uid
            assert before["db-node-1"].metadata.uid == after["db-node-1"].metadata.uid

    async def test_a_drained_node_stops_its_pod_or_has_it_replaced(
        self, world: World, cli: CommandLine, kubelet: Kubelet
    ):
        await world.add_nodes(3)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_framework("db", stateful=database())
            await ready(world, "db")
            node = {pod.metadata.name: pod.spec.node_name for pod in await world.pods("db")}["db-node-1"]
            stopped = await cli.run("drain", node, "--timeout", "60s")
            assert stopped.exit_code == 0, stopped.output
            await world.client.patch(NODES, node, {"spec": {"unschedulable": None}})
            await ready(world, "db")
            replaced = await cli.run("drain", node, "--stateful", "replace", "--timeout", "60s")
            assert replaced.exit_code == 0, replaced.output
            await ready(world, "db")
            assert node not in {pod.spec.node_name for pod in await world.pods("db")}

    async def test_a_rollback_restores_sets_and_plans_but_not_counts(
        self, world: World, cli: CommandLine, kubelet: Kubelet
    ):
        await world.add_nodes(3)
        async with master(world, cli.api_server.kubeconfig), controller(world, cli.api_server.kubeconfig):
            await world.add_framework("db", stateful=database(1))
            await ready(world, "db")
            await world.change("db", {"stateful": {"pods": database(2, "db:2")["pods"]}})
            await ready(world, "db")
            result = await cli.run("rollback", "db", "--timeout", "60s")
            assert result.exit_code == 0, result.output
            assert await image_of(world, "db") == {"db:1"}
            assert len(await world.pods("db")) == 2


async def test_what_cannot_be_done_is_refused_before_anything_is_written(world: World, cli: CommandLine):
    await world.add_service("web", 2)
    await world.add_framework("batch")
    await world.add_framework("db", stateful=database())
    await cli.run("scale", "web", "--replicas", "3", "--current-replicas", "5")
    await cli.run("scale", "batch", "--replicas", "3")
    await cli.run("scale", "db", "--replicas", "1")
    await cli.run("scale", "db", "--pods", "typo", "--replicas", "3")
    await cli.run("plan", "show", "web")
    await cli.run("plan", "start", "web", "deploy")
    await cli.run("plan", "start", "db", "audit", "-p", "DEPTH")
    await cli.run("pod", "replace", "web", "web-0")
    await cli.run("rollback", "batch", "--newest")
    await cli.run("rollback", "web", "--to", "1", "--newest")
    await cli.run("drain", "typo")
    cli.matches("refused")
    assert not await world.client.list_all(CONTROLLER_REVISIONS, namespace=world.namespace)
    assert {
        one["metadata"]["generation"] for one in await world.client.list_all(FRAMEWORKS, namespace=world.namespace)
    } == {1}

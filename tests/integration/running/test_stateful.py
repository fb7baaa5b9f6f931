"""Stateful services against a real API server: what is recorded, kept and removed there, with master and controller."""

from typing import Any

from tests.integration.conftest import ApiServer
from tests.integration.running.accounts import check_that_no_node_is_overcommitted
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, template

from tender.api.conditions import READY, STALLED, find_condition
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    PODS,
    RESERVATIONS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)

UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]


def pod_set(count: int = 2, *, cpu: str = "500m", image: str = "db:1", **fields: Any) -> dict[str, Any]:
    """A set of pods without volumes, each on a node of its own."""
    config = {"db.conf": "name=${pod.name}\nformer=${pod.replaced}\n"}
    pods = {"name": "node", "count": count, "template": template(cpu, image=image), "constraints": UNIQUE}
    return {**pods, "config": config, "allowDecommission": True, **fields}


def task(name: str) -> dict[str, Any]:
    return {"name": name, "template": {"spec": template("100m", image="task:1")["spec"]}}


async def settled(world: World, count: int, **fields: Any) -> Framework:
    """Wait until the service says of its newest spec that all is as it should be."""

    async def is_settled() -> Framework | None:
        found = await world.framework("db")
        ready = find_condition(found.status.conditions, READY)
        as_specified = ready is not None and ready.status == "True"
        newest = as_specified and ready is not None and ready.observed_generation == found.metadata.generation
        return found if newest and found.status.ready_replicas == found.status.replicas == count else None

    found: Framework = await until(is_settled, f"db ready with {count} pods")
    return found


async def pods(world: World) -> dict[str, Pod]:
    return {pod.metadata.name: pod for pod in await world.pods("db")}


async def names(world: World, resource: Resource) -> list[str]:
    found = await world.client.list_all(resource, namespace=world.namespace)
    return sorted(one["metadata"]["name"] for one in found if one["metadata"].get("ownerReferences"))


class TestAStatefulService:
    async def test_comes_up_with_names_places_files_and_a_service(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        nodes = await world.add_nodes(3)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set()]})
            await settled(world, 2)
            present = await pods(world)
            assert sorted(present) == ["db-node-0", "db-node-1"]
            assert len({pod.spec.node_name for pod in present.values()} & set(nodes)) == 2
            assert await names(world, CONFIG_MAPS) == ["db-node-0", "db-node-1"]
            assert await names(world, SERVICES) == ["db"]
            assert len(await names(world, RESERVATIONS)) == 2
            assert len(await names(world, CONTROLLER_REVISIONS)) == 1
            file = (await world.client.get(CONFIG_MAPS, "db-node-1", namespace=world.namespace))["data"]["db.conf"]
            assert file.startswith("name=db-node-1\n")
            await check_that_no_node_is_overcommitted(world)

    async def test_t20_a_larger_configuration_rolls_within_places_that_grow(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2, cpu="1")
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set()]})
            await settled(world, 2)
            before = {name: pod.spec.node_name for name, pod in (await pods(world)).items()}
            await world.change("db", {"stateful": {"pods": [pod_set(cpu="900m", image="db:2")]}})
            await settled(world, 2)
            assert {name: pod.spec.node_name for name, pod in (await pods(world)).items()} == before
            sizes = [one["spec"]["resources"]["cpu"] for one in await world.client.list_all(RESERVATIONS)]
            assert sizes == ["900m", "900m"]
            await check_that_no_node_is_overcommitted(world)

    async def test_t18_t19_pods_are_restarted_in_their_places_and_replaced_elsewhere(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(3)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set()]})
            await settled(world, 2)
            before = await pods(world)
            places = await names(world, RESERVATIONS)
            requests = [{"id": "one", "pod": "node-0", "action": "Restart"}]
            await world.change("db", {"stateful": {"podRequests": requests}})
            await settled(world, 2)
            restarted = await pods(world)
            assert restarted["db-node-0"].metadata.uid != before["db-node-0"].metadata.uid
            assert restarted["db-node-0"].spec.node_name == before["db-node-0"].spec.node_name
            assert await names(world, RESERVATIONS) == places
            requests.append({"id": "two", "pod": "node-1", "action": "Replace"})
            await world.change("db", {"stateful": {"podRequests": requests}})
            found = await settled(world, 2)
            assert found.status.stateful is not None
            assert [one.result for one in found.status.stateful.pod_requests] == ["Done", "Done"]
            assert len(await names(world, RESERVATIONS)) == 2
            assert await names(world, RESERVATIONS) != places
            await check_that_no_node_is_overcommitted(world)

    async def test_t22_a_pod_that_fails_comes_back_while_the_master_is_away(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        async with controller(world, api_server.kubeconfig):
            async with master(world, api_server.kubeconfig):
                await world.add_framework("db", stateful={"pods": [pod_set()]})
                await settled(world, 2)
            uid = (await pods(world))["db-node-0"].metadata.uid
            await world.remove_pod("db-node-0")

            async def is_back() -> bool:
                pod = (await pods(world)).get("db-node-0")
                return pod is not None and pod.metadata.uid != uid and pod.ready

            await until(is_back, "db-node-0 back")

    async def test_t23_pods_beyond_the_count_go_and_leave_nothing(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set()]})
            await settled(world, 2)
            await world.change("db", {"stateful": {"pods": [pod_set(1)]}})
            await settled(world, 1)
            assert await names(world, CONFIG_MAPS) == ["db-node-0"]
            assert len(await names(world, RESERVATIONS)) == 1

    async def test_t21_a_change_that_cannot_be_made_is_refused_until_it_is_mended(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set()]})
            await settled(world, 2)
            await world.change("db", {"stateful": {"pods": [pod_set(1, allowDecommission=False)]}})

            async def is_refused() -> bool:
                stalled = find_condition((await world.framework("db")).status.conditions, STALLED)
                return stalled is not None and stalled.reason == "InvalidTarget"

            await until(is_refused, "the change refused")
            assert len(await pods(world)) == 2
            await world.change("db", {"stateful": {"pods": [pod_set(2)]}})
            await settled(world, 2)

    async def test_t29_a_plan_is_run_beside_the_pods_when_it_is_asked_for(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        await world.add_nodes(2)
        plans = [
            {"name": "backup", "phases": [{"name": "all", "pods": "node", "task": "backup"}], "parameters": {"TO": "x"}}
        ]
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            await world.add_framework("db", stateful={"pods": [pod_set(tasks=[task("backup")])], "plans": plans})
            await settled(world, 2)
            start = {"id": "may", "plan": "backup", "action": "Start", "parameters": {"TO": "y"}}
            await world.change("db", {"stateful": {"planRequests": [start]}})
            for name in ("db-node-0-backup", "db-node-1-backup"):

                async def runs(name: str = name) -> bool:
                    pod = (await pods(world)).get(name)
                    return pod is not None and pod.status.phase == "Running"

                await until(runs, f"{name} running")
                status = {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]}
                await world.client.patch_status(PODS, name, status, namespace=world.namespace)

            async def is_complete() -> bool:
                found = (await world.framework("db")).status.stateful
                assert found is not None
                return next(one.status for one in found.plans if one.name == "backup") == "Complete"

            await until(is_complete, "the backup complete")
            await settled(world, 2)


class TestVolumes:
    async def test_a_pod_is_pinned_until_its_volume_is_there_and_born_bound_after(
        self, world: World, api_server: ApiServer, kubelet: Kubelet
    ):
        (node,) = await world.add_nodes(1)
        volume = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        async with master(world, api_server.kubeconfig), controller(world, api_server.kubeconfig):
            one = pod_set(1, volumeClaimTemplates=[{"name": "data", "spec": volume}])
            await world.add_framework("db", stateful={"pods": [one]})

            async def is_pinned() -> bool:
                pod = (await pods(world)).get("db-node-0")
                return pod is not None and not pod.spec.node_name

            await until(is_pinned, "db-node-0 pinned")
            bound = {"phase": "Bound"}
            await world.client.patch_status(VOLUME_CLAIMS, "data-db-node-0", bound, namespace=world.namespace)
            await world.remove_pod("db-node-0")
            await settled(world, 1)
            assert (await pods(world))["db-node-0"].spec.node_name == node

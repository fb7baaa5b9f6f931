"""Planners of somebody else, run by Tender's controller: what they keep, see and remove, and what is left of it."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders import owner_of
from tests.integration.conftest import ApiServer
from tests.integration.running.parts import controller
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK
from tender.cluster.errors import NotFound
from tender.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    FRAMEWORKS,
    NODES,
    PODS,
    RESERVATIONS,
    SERVICES,
    VOLUME_CLAIMS,
    Resource,
)
from tender.frameworks.sdk import Plan, Remove, Seen

KEPT: dict[Resource, dict[str, Any]] = {
    RESERVATIONS: {"spec": {"role": "default", "node": "somewhere", "resources": {"cpu": "1"}}},
    VOLUME_CLAIMS: {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    CONFIG_MAPS: {"data": {"a": "1"}},
    CONTROLLER_REVISIONS: {"data": {"spec": {"b": ["c"]}}},
    SERVICES: {"spec": {"clusterIP": "None", "selector": {"app": "store"}}},
}
FIELDS = ("reservations", "volume_claims", "config_maps", "revisions", "services")


class Keeper:
    """Keeps one object of every kind, and removes them when `remove` is set; `revision` numbers the version.

    `seen` is what its last turn looked at, `applied` counts what its plans had written.
    """

    def __init__(self) -> None:
        self.remove = False
        self.revision = 1
        self.seen: Seen | None = None
        self.planned: list[str] = []

    def __call__(self, seen: Seen) -> Plan:
        self.seen = seen
        present = {resource: one for resource, field in zip(KEPT, FIELDS, strict=True) for one in getattr(seen, field)}
        keep, remove = [], []
        for resource, fields in KEPT.items():
            one = present.get(resource)
            if self.remove and one is not None and one.metadata.deletion_timestamp is None:
                remove.append(Remove(resource.kind, "kept", one.metadata.uid, "not wanted any more"))
            if not self.remove and (one is None or getattr(one, "revision", self.revision) != self.revision):
                keep.append(self._manifest(seen.framework, resource, fields))
        self.planned += [one["kind"] for one in keep]
        return Plan(
            shapes=(),
            stops=(),
            status={"replicas": len(present)},
            state=("Ready", "AsSpecified", "all is there"),
            keep=tuple(keep),
            remove=tuple(remove),
        )

    def _manifest(self, framework: Framework, resource: Resource, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        metadata = {
            "name": "kept",
            "namespace": framework.metadata.namespace,
            "labels": {LABEL_FRAMEWORK: framework.metadata.name},
            "ownerReferences": [owner_of(framework.metadata.name, framework.metadata.uid)],
        }
        manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **fields}
        return {**manifest, "revision": self.revision} if resource is CONTROLLER_REVISIONS else manifest


async def nudge(world: World, name: str, turn: int) -> None:
    """Something of a framework changes, so that it has a turn."""
    change = {"metadata": {"annotations": {"tender.test/turn": str(turn)}}}
    await world.client.patch(FRAMEWORKS, name, change, namespace=world.namespace)


async def there(world: World, resource: Resource) -> dict[str, Any] | None:
    try:
        return await world.client.get(resource, "kept", namespace=world.namespace)
    except NotFound:
        return None


class TestWhatAPlanKeeps:
    async def test_is_there_is_seen_is_changed_and_goes(self, world: World, api_server: ApiServer):
        keeper = Keeper()
        await world.add_framework("store")
        async with controller(world, api_server.kubeconfig, planners={"external": keeper}):

            async def has_written(count: int) -> bool:
                return (await world.framework("store")).status.replicas == count

            await until(lambda: has_written(5), "all kinds seen")
            assert sorted(keeper.planned) == sorted(resource.kind for resource in KEPT), "each is written once"
            keeper.revision = 2
            await nudge(world, "store", 1)

            async def is_numbered() -> bool:
                found = await there(world, CONTROLLER_REVISIONS)
                return found is not None and found["revision"] == 2 and found["data"] == {"spec": {"b": ["c"]}}

            await until(is_numbered, "a new number of the version")
            keeper.remove = True
            await nudge(world, "store", 2)

            async def is_gone() -> bool:
                left = [resource for resource in KEPT if await there(world, resource) is not None]
                return left in ([], [VOLUME_CLAIMS])

            await until(is_gone, "all but the claim, which nobody releases here, gone")

    async def test_that_is_refused_is_told_by_name(self, world: World, api_server: ApiServer):
        def plan(seen: Seen) -> Plan:
            metadata = {"name": "kept", "namespace": world.namespace}
            broken = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"no name": "1"}}
            return Plan((), (), {}, ("Ready", "AsSpecified", ""), keep=(broken,))

        await world.add_framework("store")
        async with controller(world, api_server.kubeconfig, planners={"external": plan}):

            async def is_told() -> list[str]:
                return await world.told("WriteRefused", "store")

            [note] = await until(is_told, "an event")
        assert note.startswith(f"apply configmaps {world.namespace}/kept: 422 Invalid")

    async def test_takes_over_nothing_of_somebody_elses(self, world: World, api_server: ApiServer):
        metadata = {"name": "kept", "namespace": world.namespace}
        theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"by": "hand"}}
        await world.client.create(CONFIG_MAPS, theirs)
        await world.add_framework("store")
        async with controller(world, api_server.kubeconfig, planners={"external": Keeper()}):

            async def is_told() -> list[str]:
                return await world.told("WriteRefused", "store")

            [note] = await until(is_told, "an event")
        assert "does not belong to framework store" in note
        found = await there(world, CONFIG_MAPS)
        assert found is not None
        assert found["data"] == {"by": "hand"}
        assert "ownerReferences" not in found["metadata"]


class TestAPlanner:
    async def test_runs_the_frameworks_that_it_selects_and_no_others(self, world: World, api_server: ApiServer):
        async def has_a_status(name: str) -> bool:
            return (await world.framework(name)).status.observed_generation is not None

        await world.add_framework("theirs")
        await world.add_framework("store")
        planners = {"external": Keeper()}
        selected = controller(
            world, api_server.kubeconfig, planners=planners, selects=lambda one: one.metadata.name == "store"
        )
        async with selected:
            await until(lambda: has_a_status("store"), "a status")
            await nudge(world, "theirs", 1)
            await nudge(world, "store", 1)
        assert not await has_a_status("theirs")

    async def test_that_follows_nothing_else_sees_pods_and_offers_alone(self, world: World, api_server: ApiServer):
        looks: list[Seen] = []

        def plan(seen: Seen) -> Plan:
            looks.append(seen)
            return Plan((), (), {}, ("Ready", "AsSpecified", ""))

        await world.add_nodes(1)
        store = await world.add_framework("store")
        await world.add_pod("one", "somewhere", {"cpu": "1"}, owner=store, labels={LABEL_FRAMEWORK: "store"})
        async with controller(world, api_server.kubeconfig, planners={"external": plan}, follows=()):

            async def was_planned() -> bool:
                return bool(looks)

            await until(was_planned, "a turn")
        assert [pod.metadata.name for pod in looks[-1].pods] == ["one"]
        assert looks[-1].nodes == {}

    async def test_sees_nodes_and_the_frameworks_beside_its_own(self, world: World, api_server: ApiServer):
        keeper = Keeper()
        [node] = await world.add_nodes(1, labels={"zone": "a"})
        await world.add_framework("store", dependsOn=[{"name": "base"}])
        async with controller(world, api_server.kubeconfig, planners={"external": keeper}):

            async def knows(name: str) -> bool:
                return keeper.seen is not None and name in keeper.seen.frameworks

            await until(lambda: knows("store"), "a turn")
            assert keeper.seen is not None
            assert keeper.seen.nodes[node].metadata.labels["zone"] == "a"
            await world.add_framework("base")
            await until(lambda: knows("base"), "a turn, since what it depends on has come")


class TestAFrameworkThatIsUninstalled:
    @pytest.mark.parametrize("node_is_there", [True, False], ids=["silent", "gone"])
    async def test_t24_leaves_no_pod_on_a_node_that_does_not_answer(
        self, world: World, api_server: ApiServer, node_is_there: bool
    ):
        lost, alive = await world.add_nodes(2)
        owner = await world.add_framework("store")
        for name, node in (("lost", lost), ("alive", alive)):
            await world.add_pod(name, node, {"cpu": "1"}, owner=owner, labels={LABEL_FRAMEWORK: "store"})
        async with controller(world, api_server.kubeconfig):
            for name in ("lost", "alive"):
                await world.client.delete(PODS, name, namespace=world.namespace)
            await world.remove_framework("store")
            if node_is_there:
                since = "2020-01-01T00:00:00Z"
                condition = {"type": "Ready", "status": "Unknown", "lastTransitionTime": since}
                await world.client.patch_status(NODES, lost, {"conditions": [condition]})
            else:
                await world.client.delete(NODES, lost)

            async def is_gone() -> bool:
                found = await world.client.list_all(PODS, namespace=world.namespace)
                return [one["metadata"]["name"] for one in found] == ["alive"]

            await until(is_gone, "the pod of the lost node gone, and no other")

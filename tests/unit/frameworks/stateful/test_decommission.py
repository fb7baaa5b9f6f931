"""Pods that are not wanted any more go to the last: T23, and what outlives a service: T24."""

from typing import Any

from tests.unit.frameworks.stateful.world import deployed, pod_set, template


class TestDecommission:
    """T23: the highest number first, one at a time, and nothing is left of any."""

    def test_t23_the_highest_goes_first_and_all_of_it_before_the_next(self):
        world = deployed(pod_set(allowDecommission=True))
        world.apply(pod_set(count=1, allowDecommission=True))
        world.settle()
        removed = [line for line in world.log if line.split()[0] in ("stop", "remove")]
        assert [line.split("-")[-1] if "Reservation" not in line else "" for line in removed[:2]] == ["2", "2"]
        assert removed.index("remove ConfigMap db-node-2") < removed.index("stop db-node-1")
        assert sorted(world.pods) == ["db-node-0"]

    def test_t23_the_record_goes_last(self):
        world = deployed(pod_set(count=2, allowDecommission=True))
        world.apply(pod_set(count=1, allowDecommission=True))
        world.settle()
        kinds = [line.split()[1] for line in world.log if line.startswith("remove")]
        assert kinds == ["PersistentVolumeClaim", "Reservation", "ConfigMap"]

    def test_t23_nothing_is_left_of_them(self):
        world = deployed(pod_set(allowDecommission=True))
        world.apply(pod_set(count=0, allowDecommission=True))
        world.settle()
        assert (world.pods, world.reservations, world.volume_claims, world.config_maps) == ({}, {}, {}, {})
        assert world.state() == ("Ready", "AsSpecified")

    def test_t23_the_last_set_goes_first(self):
        world = deployed(pod_set("data", 2, allowDecommission=True), pod_set("master", 2, allowDecommission=True))
        world.apply(pod_set("data", 1, allowDecommission=True), pod_set("master", 1, allowDecommission=True))
        world.settle()
        assert world.events("stop") == ["stop db-master-1", "stop db-data-1"]

    def test_pods_go_only_when_the_others_have_changed(self):
        world = deployed(pod_set(allowDecommission=True))
        world.apply(pod_set(count=2, allowDecommission=True, template=template("db:2")))
        world.settle()
        assert world.events("stop") == ["stop db-node-0", "stop db-node-1", "stop db-node-2"]
        assert set(world.images().values()) == {"db:2"}

    def test_a_pod_on_a_lost_node_goes_too(self):
        world = deployed(pod_set(allowDecommission=True, constraints=[{"key": "metadata.name", "operator": "Unique"}]))
        world.silence(world.node_of("db-node-2"))
        world.apply(pod_set(count=2, allowDecommission=True))
        world.settle()
        assert sorted(world.pods) == ["db-node-0", "db-node-1"]
        assert len(world.reservations) == 2

    def test_once_begun_it_goes_to_its_end_and_the_pod_comes_back_new(self):
        world = deployed(pod_set(allowDecommission=True))
        uid = world.volume_claims["data-db-node-2"].metadata.uid
        world.apply(pod_set(count=2, allowDecommission=True))
        world.until(lambda world: world.events("stop") != [])
        world.apply(pod_set(count=3, allowDecommission=True))
        world.settle()
        assert world.pods["db-node-2"].ready
        assert world.volume_claims["data-db-node-2"].metadata.uid != uid
        assert world.state() == ("Ready", "AsSpecified")

    def test_a_paused_decommission_removes_nothing(self):
        world = deployed(pod_set(allowDecommission=True))
        world.request("Pause", plan="decommission")
        world.settle()
        requests = world.frameworks["db"].spec.manifest()["stateful"]["planRequests"]
        world.apply(pod_set(count=1, allowDecommission=True), planRequests=requests)
        world.settle()
        assert len(world.pods) == 3
        world.request("Resume", plan="decommission")
        world.settle()
        assert len(world.pods) == 1

    def test_a_set_can_be_removed_after_its_pods(self):
        world = deployed(pod_set(), pod_set("extra", 1, allowDecommission=True))
        world.apply(pod_set(), pod_set("extra", 0, allowDecommission=True))
        world.settle()
        world.apply(pod_set())
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")


class TestUninstall:
    """T24: no finalizer; everything goes with its owner, also what is on a dead node."""

    def test_t24_every_object_is_owned_by_its_framework(self):
        world = deployed(pod_set(config={"f": "${pod.name}"}))
        objects: list[Any] = [
            *world.pods.values(),
            *world.reservations.values(),
            *world.volume_claims.values(),
            *world.config_maps.values(),
            *world.revisions.values(),
            *world.services.values(),
        ]
        assert len(objects) == 3 * 4 + 2
        for one in objects:
            (owner,) = one.metadata.owner_references
            assert (owner.kind, owner.name, owner.controller) == ("Framework", "db", True)

    def test_t24_nothing_has_a_finalizer(self):
        world = deployed()
        for manifest in world.manifests.values():
            assert "finalizers" not in manifest["metadata"]
        for one in world.reservations.values():
            assert one.metadata.finalizers == ()

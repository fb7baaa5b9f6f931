"""What people are told of a service that is not ready: what it waits for, and what they can do (T10)."""

from typing import Any

import msgspec
from tests.builders import NOON, node, template, timestamp
from tests.unit.frameworks.world import ServiceWorld, running

from tender.api import core

ONE, TWO = (template(image=f"app:{version}") for version in (1, 2))
UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]


def blocked(**fields: Any) -> ServiceWorld:
    """A service with a pod on every node, no two on one, whose template has changed."""
    world = running(3, ONE, nodes=3, constraints=UNIQUE, **fields)
    world.per_node = 1
    world.change(template=TWO)
    world.step()
    return world


def with_container(one: core.Pod, **fields: Any) -> core.Pod:
    status = msgspec.convert({"name": "app", **fields}, core.ContainerStatus)
    return msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, container_statuses=(status,)))


def starting(world: ServiceWorld) -> str:
    (name,) = (one.metadata.name for one in world.live if not one.ready)
    return name


class TestT10AChangeThatNoNodeHasRoomFor:
    def test_t10_says_so_with_the_numbers_and_what_to_change(self):
        state, reason, message = blocked().plan().state
        assert (state, reason) == ("Reconciling", "RollBlocked")
        assert message.startswith(
            "no place for one more pod on any of the 3 nodes that suit, as by constraint Unique on metadata.name:"
        )
        assert "minimumHealth 100% keeps 3 of 3 pods ready, so no old one may go first" in message
        assert "lower it, or add a node" in message
        assert "0 of 3 pods are new and ready, 3 are old" in message

    def test_t10_and_once_in_an_event(self):
        world = blocked()
        world.say(conditions=[])
        (note,) = world.plan().notes
        assert (note.reason, note.kind) == ("RollBlocked", "Warning")
        world.step()
        assert world.plan().notes == ()

    def test_t10_after_ten_minutes_it_takes_a_person(self):
        world = blocked()
        world.say(waiting={"since": timestamp(world.now), "tasks": 1})
        assert world.plan().wake_at == world.now + 10
        world.now += 599
        assert world.plan().state[:2] == ("Reconciling", "RollBlocked")
        assert world.plan().wake_at == world.now + 1
        world.now += 1
        assert world.plan().state[:2] == ("Stalled", "RollBlocked")

    def test_t10_another_node_lets_it_go_on(self):
        world = blocked()
        world.nodes["node-4"] = node("node-4")
        assert world.plan().state[1] == "RollingOut"
        assert world.settle().state[0] == "Ready"

    def test_t10_so_does_a_lower_minimum(self):
        world = blocked()
        world.change(updateStrategy={"minimumHealth": "60%"})
        assert world.settle().state[0] == "Ready"

    def test_t10_at_most_so_many_on_a_value_block_in_the_same_way(self):
        world = running(2, ONE, nodes=1, constraints=[{"key": "metadata.name", "operator": "MaxPer", "value": "2"}])
        world.per_node = 2
        world.change(template=TWO)
        world.step()
        _, reason, message = world.plan().state
        assert reason == "RollBlocked"
        assert message.startswith("no place for one more pod on the only node that suits")

    def test_t10_nodes_that_pods_may_not_be_on_do_not_count(self):
        world = blocked()
        world.nodes["node-4"] = node("node-4", taints=[{"key": "dedicated", "effect": "NoSchedule"}])
        world.nodes["node-5"] = node("node-5", cordoned=True)
        assert world.plan().state[1] == "RollBlocked"

    def test_t10_constraints_that_allow_no_node_at_all_are_to_be_changed(self):
        world = running(2, ONE, nodes=2)
        world.change(template=TWO, constraints=[{"key": "disk", "operator": "Is", "value": "ssd"}])
        state, reason, message = world.plan().state
        assert (state, reason) == ("Stalled", "RollBlocked")
        assert "does not have this label; change spec.service.constraints, or add a node" in message

    def test_constraints_that_are_mistaken_stall_the_service(self):
        world = running(1, ONE, nodes=1)
        world.change(constraints=[{"key": "disk", "operator": "Like", "value": "(("}])
        state, reason, message = world.plan().state
        assert (state, reason) == ("Stalled", "InvalidConstraint")
        assert message.startswith("spec.service.constraints: ")


class TestT10AChangeThatWaits:
    def test_t10_for_offers_says_why_they_do_not_come(self):
        world = running(2, ONE)
        world.change(template=TWO)
        world.say(
            waiting={
                "since": timestamp(NOON - 60),
                "tasks": 1,
                "reasons": [{"reason": "TooSmall", "nodes": 2, "message": "node-1: 1 CPU is lacking"}],
            },
            allocation={"notOffered": [{"reason": "Quota", "nodes": 7, "message": "role shop has used its limit"}]},
        )
        message = world.plan().state[2]
        assert "offers refused: TooSmall: node-1: 1 CPU is lacking" in message
        assert "not offered: Quota: role shop has used its limit" in message

    def test_t10_but_not_in_the_first_seconds(self):
        world = running(2, ONE)
        world.change(template=TWO)
        world.say(
            waiting={"since": timestamp(world.now - 5), "tasks": 1},
            allocation={"notOffered": [{"reason": "Quota", "nodes": 7, "message": "used up"}]},
        )
        assert "Quota" not in world.plan().state[2]
        assert world.plan().wake_at == world.now + 5

    def test_t10_and_says_it_when_none_came_at_all(self):
        world = running(1, ONE)
        world.change(replicas=2)
        world.say(waiting={"since": timestamp(NOON - 60), "tasks": 1})
        assert world.plan().state == (
            "Reconciling",
            "Launching",
            "launching 2 pods as offers come; no offer has come",
        )

    def test_t10_after_ten_minutes_without_any_of_use_it_takes_a_person(self):
        world = running(1, ONE)
        world.change(template=TWO)
        world.say(waiting={"since": timestamp(NOON - 600), "tasks": 1})
        assert world.plan().state[:2] == ("Stalled", "RollBlocked")

    def test_t10_new_pods_that_do_not_get_ready_are_named(self):
        world = running(1, ONE)
        world.change(template=TWO)
        world.step()
        name = starting(world)
        world.pods[name] = with_container(
            world.pods[name],
            state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}},
            lastState={"terminated": {"exitCode": 3, "reason": "Error"}},
        )
        state, reason, message = world.plan().state
        assert (state, reason) == ("Reconciling", "RollingOut")
        assert f"container app of pod {name}: CrashLoopBackOff (last exit code 3, Error)" in message
        assert "40s" not in message

    def test_t10_and_after_ten_minutes_it_takes_a_person(self):
        world = running(1, ONE)
        world.change(template=TWO)
        world.step()
        launched = world.now
        assert world.plan().wake_at == launched + 600
        world.now += 600
        state, reason, _ = world.plan().state
        assert (state, reason) == ("Stalled", "PodsNotReady")
        world.settle()
        assert world.plan().state[0] == "Ready"

    def test_a_pod_that_was_ready_before_does_not_stall_a_service(self):
        world = running(1, ONE)
        world.now += 3600
        world.set_unready("web-1")
        assert world.plan().state[:2] == ("Reconciling", "Starting")

    def test_images_that_cannot_be_pulled_are_named(self):
        world = running(1, ONE)
        world.set_unready("web-1")
        world.pods["web-1"] = with_container(world.pods["web-1"], state={"waiting": {"reason": "ImagePullBackOff"}})
        assert world.plan().state[2] == ("waiting for 1 pod to be ready; container app of pod web-1: ImagePullBackOff")

    def test_containers_that_are_only_starting_are_not(self):
        world = running(1, ONE)
        world.set_unready("web-1")
        world.pods["web-1"] = with_container(world.pods["web-1"], state={"waiting": {"reason": "ContainerCreating"}})
        assert world.plan().state[2] == "waiting for 1 pod to be ready"

    def test_of_many_pods_in_trouble_a_few_are_named(self):
        world = running(6, ONE)
        for name in list(world.pods):
            world.set_unready(name)
            world.pods[name] = with_container(world.pods[name], state={"waiting": {"reason": "ErrImagePull"}})
        assert world.plan().state[2].endswith("; 3 more pods")


class TestT9Backoff:
    def test_t9_grows_as_the_spec_says(self):
        world = running(1, ONE, backoff={"initial": "2s", "factor": 3, "maximum": "20s"})
        waits = []
        for _ in range(4):
            world.fail(*world.pods)
            plan = world.step()
            waits.append(plan.hold_until - world.now)
            world.now = plan.hold_until
            world.step()
        assert waits == [2, 6, 18, 20]

    def test_t9_is_forgotten_after_its_longest_wait_without_failures(self):
        world = running(1, ONE, backoff={"maximum": "20s"})
        world.fail("web-1")
        world.now = world.step().hold_until
        world.step()
        world.now += 20
        assert "backoff" not in world.step().status

    def test_t9_is_not_raised_by_deletion(self):
        world = running(2, ONE)
        world.vanish("web-1")
        plan = world.step()
        assert (plan.hold_until, "backoff" in plan.status) == (0, False)

    def test_t9_nor_by_a_pod_that_ends_while_it_is_being_deleted(self):
        world = running(1, ONE)
        meta = msgspec.structs.replace(world.pods["web-1"].metadata, deletion_timestamp=timestamp(NOON))
        world.pods["web-1"] = msgspec.structs.replace(
            world.pods["web-1"], metadata=meta, status=core.PodStatus(phase="Failed")
        )
        assert world.plan().hold_until == 0

    def test_t9_nor_where_the_node_was_emptied_or_is_gone(self):
        world = running(1, ONE)
        disrupted = (core.Condition("DisruptionTarget", "True", reason="DeletionByPodGC"),)
        world.pods["web-1"] = msgspec.structs.replace(
            world.pods["web-1"], status=core.PodStatus(phase="Failed", conditions=disrupted)
        )
        plan = world.plan()
        assert (plan.hold_until, [stop.pod for stop in plan.stops]) == (0, ["web-1"])

    def test_t9_but_by_eviction_for_want_of_room(self):
        world = running(1, ONE)
        evicted = (core.Condition("DisruptionTarget", "True", reason="TerminationByKubelet"),)
        world.pods["web-1"] = msgspec.structs.replace(
            world.pods["web-1"], status=core.PodStatus(phase="Failed", reason="Evicted", conditions=evicted)
        )
        assert world.plan().hold_until == world.now + 1

    def test_t9_is_raised_by_a_pod_that_ends_well(self):
        world = running(1, ONE)
        world.pods["web-1"] = msgspec.structs.replace(world.pods["web-1"], status=core.PodStatus(phase="Succeeded"))
        assert world.plan().hold_until == world.now + 1

    def test_t9_a_kubelet_that_refuses_a_pod_is_quoted_as_long_as_the_wait_lasts(self):
        world = running(1, ONE)
        world.fail("web-1", reason="OutOfcpu")
        world.step()
        for _ in range(2):
            assert world.step().state == (
                "Reconciling",
                "BackingOff",
                "pods have failed 1 times in a row; waiting to launch again (web-1: OutOfcpu)",
            )

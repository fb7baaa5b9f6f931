"""Which pods go first when there are too many (T11), and which ones when some nodes do not answer (T15)."""

from typing import Any

import pytest
from tests.builders import NOON, framework, node, pod, seen, template
from tests.unit.frameworks.world import running

from tender.api.core import Node, Pod
from tender.api.names import LABEL_REMOVE_FIRST
from tender.frameworks.sdk.templates import template_revision
from tender.frameworks.service import plan_service

OLD = template()
ZONE = "topology.kubernetes.io/zone"
BY_ZONE = {"key": ZONE, "operator": "GroupBy"}


def one(name: str, *, age: float = 3600, labels: dict[str, str] | None = None, **fields: Any) -> Pod:
    return pod(
        name, task=template_revision(OLD), revision=template_revision(OLD), created=NOON - age, labels=labels, **fields
    )


def nodes(**zones: str) -> dict[str, Node]:
    return {name: node(name, labels={ZONE: zone}) for name, zone in zones.items()}


def gone(*pods: Pod, to: int, known: dict[str, Node] | None = None, **fields: Any) -> list[str]:
    """The pods that go when there are to be so many, in their order."""
    service = framework(replicas=to, service=OLD)
    manifest = service.manifest()
    manifest["spec"]["service"].update(fields)
    plan = plan_service(seen(type(service).read(manifest), *pods, nodes=known or {}))
    return [stop.pod for stop in plan.stops]


class TestT11ScaleDown:
    CHOSEN = one("chosen", labels={LABEL_REMOVE_FIRST: ""}, node="b1", age=9000)
    CROWDED = one("crowded", node="a1", age=9000)
    SILENT = one("silent", node="b2", age=9000)
    WAITING = one("waiting", node="b1", phase="Pending", ready=False, age=9000)
    STARTING = one("starting", node="b1", ready=False, age=9000)
    READY = one("ready", node="b1", age=9000)
    PODS = (READY, STARTING, WAITING, SILENT, CHOSEN)

    def known(self) -> dict[str, Node]:
        known = nodes(a1="a", b1="b", b2="b")
        known["b2"] = node("b2", ready="Unknown", since=NOON - 10, labels={ZONE: "b"})
        return known

    @pytest.mark.parametrize("left", range(5))
    def test_t11_chosen_then_unreachable_then_not_started_then_starting_then_ready(self, left):
        order = ["chosen", "silent", "waiting", "starting", "ready"]
        patient = {"inactiveAfter": "1m", "expungeAfter": "2m"}
        assert gone(*self.PODS, to=left, known=self.known(), unreachable=patient) == order[: 5 - left]

    def test_t11_what_makes_a_spread_more_even_goes_before_what_is_not_reachable(self):
        crowded = [one(f"a{number}", node="a1") for number in range(6)]
        patient = {"inactiveAfter": "1m", "expungeAfter": "2m"}
        first = gone(*crowded, *self.PODS, to=9, known=self.known(), unreachable=patient, constraints=[BY_ZONE])
        assert first == ["chosen", "a5"]

    def test_t11_among_equals_the_youngest_goes(self):
        assert gone(one("old", age=9), one("young", age=1), one("middle", age=5), to=1) == ["young", "middle"]

    def test_t11_or_the_oldest_if_the_service_says_so(self):
        pods = (one("old", age=9), one("young", age=1), one("middle", age=5))
        assert gone(*pods, to=1, killSelection="OldestFirst") == ["old", "middle"]

    def test_t12_scaling_down_leaves_the_values_of_a_group_even(self):
        known = nodes(a1="a", a2="a", b1="b", c1="c")
        places = ["a1", "a2", "a1", "a2", "b1", "b1", "c1"]
        pods = [one(f"{place}-{number}", node=place, age=number) for number, place in enumerate(places)]
        removed = gone(*pods, to=3, known=known, constraints=[BY_ZONE])
        left = [known[each.spec.node_name].metadata.labels[ZONE] for each in pods if each.metadata.name not in removed]
        assert sorted(left) == ["a", "b", "c"]

    def test_t12_and_over_the_nodes_themselves(self):
        pods = [one(f"{place}-{number}", node=place) for number, place in enumerate(["n1", "n1", "n1", "n2", "n3"])]
        known = {name: node(name) for name in ("n1", "n2", "n3")}
        removed = gone(*pods, to=3, known=known, constraints=[{"key": "metadata.name", "operator": "GroupBy"}])
        assert [name[:2] for name in removed] == ["n1", "n1"]


PATIENT = {"inactiveAfter": "60s", "expungeAfter": "300s"}


class TestT15NodesThatDoNotAnswer:
    def test_t15_are_waited_for_at_first(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        world.silence("node-1")
        world.now += 59
        plan = world.plan()
        assert (plan.shapes[0].count, plan.stops) == (2, ())
        assert plan.wake_at == world.now + 1
        assert "1 pod on nodes that do not answer (node-1)" in plan.state[2]

    def test_t15_then_their_pods_are_replaced_and_kept(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        world.silence("node-1")
        world.now += 60
        plan = world.step()
        assert (plan.shapes[0].count, plan.stops) == (3, ())
        assert len(world.live) == 3
        assert plan.wake_at == world.now + 240
        assert world.settle().state[0] == "Ready"
        assert len(world.live) == 3

    def test_t15_then_they_are_given_up_without_waiting_for_the_node_to_agree(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        world.silence("node-1")
        world.now += 60
        world.settle()
        world.now += 240
        (stop,) = world.plan().stops
        assert (stop.pod, stop.grace_seconds) == ("web-1", 0)
        assert world.settle().state == ("Ready", "AsSpecified", "2 of 2 pods are ready")

    def test_t15_a_node_that_is_back_before_that_makes_one_pod_too_many_which_goes(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        world.silence("node-1")
        world.now += 60
        world.settle()
        world.wake("node-1")
        assert [stop.why for stop in world.plan().stops] == ["scaled down"]
        world.settle()
        assert (len(world.live), world.ready) == (2, 2)

    def test_t15_by_default_pods_are_replaced_and_given_up_as_soon_as_the_cluster_says_so(self):
        world = running(2, OLD, nodes=2)
        world.silence("node-1")
        plan = world.step()
        assert [(stop.pod, stop.grace_seconds) for stop in plan.stops] == [("web-1", 0)]
        assert plan.shapes[0].count == 3  # the one that is given up is there until its end is seen
        assert len(world.live) == 2

    def test_t15_a_node_that_is_not_there_any_more_is_not_waited_for(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        del world.nodes["node-1"]
        world.now += 60
        assert [(stop.pod, stop.grace_seconds) for stop in world.plan().stops] == [("web-1", 0)]

    def test_t15_unless_its_pod_is_so_young_that_the_node_may_be_news(self):
        newcomer = one("web-1", node="node-9", age=5)
        plan = plan_service(seen(framework(replicas=1, service=OLD), newcomer, nodes={"node-1": node("node-1")}))
        assert (plan.stops, plan.wake_at) == ((), NOON + 25)

    def test_t15_a_pod_that_is_being_deleted_there_is_given_up_too(self):
        silent = {"node-1": node("node-1", ready="Unknown", since=NOON - 400)}
        leaving = one("web-1", deleted=NOON - 300)
        service = framework(replicas=0, service=OLD)
        (stop,) = plan_service(seen(service, leaving, nodes=silent)).stops
        assert (stop.pod, stop.grace_seconds) == ("web-1", 0)

    def test_t15_pods_kept_there_are_not_more_than_there_are_to_be(self):
        world = running(2, OLD, nodes=2, unreachable=PATIENT)
        world.silence("node-1")
        world.now += 60
        world.settle()
        world.change(replicas=0)
        assert len(world.plan().stops) == 3

    def test_t15_where_nothing_is_known_of_nodes_nothing_is_given_up(self):
        assert plan_service(seen(framework(replicas=1, service=OLD), one("web-1"))).stops == ()

    def test_t15_pods_put_up_with_a_silent_node_as_long_as_they_are_not_given_up(self):
        world = running(1, OLD, unreachable={"inactiveAfter": "5m", "expungeAfter": "1000500ms"})
        (shape,) = world.plan().shapes
        assert shape.template["spec"]["tolerations"] == [
            {
                "key": f"node.kubernetes.io/{taint}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 1001,
            }
            for taint in ("not-ready", "unreachable")
        ]
        assert (shape.tolerations, shape.revision) == ((), template_revision(OLD))

    def test_t15_but_what_the_template_says_itself_stays(self):
        own = [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5, "effect": "NoExecute"}
        ]
        world = running(1, template(tolerations=own), unreachable={"expungeAfter": "1h"})
        (shape,) = world.plan().shapes
        keys = [toleration["key"] for toleration in shape.template["spec"]["tolerations"]]
        assert keys == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        assert shape.template["spec"]["tolerations"][0] == own[0]

    @pytest.mark.parametrize("after", ["0s", "300s"])
    def test_t15_and_up_to_five_minutes_kubernetes_default_is_enough(self, after):
        (shape,) = running(1, OLD, unreachable={"expungeAfter": after}).plan().shapes
        assert shape.template == OLD

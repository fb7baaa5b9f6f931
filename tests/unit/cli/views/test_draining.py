"""What is done next to take the pods of frameworks off a node."""

from typing import Any

from tender.api.names import LABEL_EXCHANGE, LABEL_INSTANCE, LABEL_PART
from tender.cli.views.draining import Scene, left_over, next_steps, standing

KINDS: dict[str, dict[str, Any]] = {
    "web": {"service": {"replicas": 2}},
    "db": {"stateful": {"pods": []}},
    "spark": {"external": {}},
}


def pod(name: str, of: str | None, node: str = "here", *, ready: bool = True, **fields: Any) -> dict[str, Any]:
    owner = {"apiVersion": "tender.dev/v1alpha1", "kind": "Framework", "name": of, "uid": "1", "controller": True}
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    metadata = {"name": name, "namespace": "shop", "uid": name, "ownerReferences": [owner] if of else []}
    status = {"phase": fields.pop("phase", "Running"), "conditions": [condition]}
    return {"metadata": {**metadata, **fields}, "spec": {"nodeName": node}, "status": status}


def instance(name: str, node: str = "here", *, ready: bool = True, **fields: Any) -> dict[str, Any]:
    labels = {LABEL_INSTANCE: name, **fields.pop("labels", {})}
    return pod(f"db-{name}", "db", node, ready=ready, labels=labels, **fields)


def steps(*pods: dict[str, Any], stateful: Any = "stop", asked: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(step.act, step.pod["metadata"]["name"]) for step in next_steps(scene(*pods), stateful, asked)]


def scene(*pods: dict[str, Any]) -> Scene:
    return Scene("here", pods, {f"shop/{name}": {"spec": spec} for name, spec in KINDS.items()})


class TestServices:
    def test_all_pods_on_the_node_are_marked_at_once(self):
        pods = (pod("web-0", "web"), pod("web-1", "web"), pod("web-2", "web", "elsewhere"))
        assert steps(*pods) == [("mark", "web-0"), ("mark", "web-1")]

    def test_a_pod_is_marked_once(self):
        assert steps(pod("web-0", "web", labels={LABEL_EXCHANGE: ""})) == []

    def test_pods_that_end_or_have_ended_are_left_alone(self):
        assert steps(pod("web-0", "web", deletionTimestamp="now"), pod("web-1", "web", phase="Failed")) == []


class TestStatefulServices:
    def test_one_pod_goes_after_the_other(self):
        assert steps(instance("node-0"), instance("node-1")) == [("evict", "db-node-0")]
        assert steps(instance("node-0", deletionTimestamp="now"), instance("node-1")) == []

    def test_no_pod_goes_while_one_on_another_node_is_not_ready(self):
        assert steps(instance("node-0"), instance("node-1", "elsewhere", ready=False)) == []

    def test_pods_of_other_namespaces_do_not_count(self):
        other = instance("node-1", "elsewhere", ready=False)
        other["metadata"]["namespace"] = "lab"
        assert steps(instance("node-0"), other) == [("evict", "db-node-0")]

    def test_replacing_is_asked_for_once(self):
        assert steps(instance("node-0"), stateful="replace") == [("replace", "db-node-0")]
        assert steps(instance("node-0"), stateful="replace", asked=("db-node-0",)) == []

    def test_a_side_task_is_waited_for(self):
        assert steps(instance("node-0", labels={LABEL_PART: "task"})) == []


class TestOthers:
    def test_pods_of_other_frameworks_and_of_those_that_are_gone_are_evicted(self):
        assert steps(pod("driver", "spark"), pod("old", "gone")) == [("evict", "driver"), ("evict", "old")]

    def test_pods_of_no_framework_are_left(self):
        daemon = pod("log-1", None)
        daemon["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "apiVersion": "apps/v1", "name": "log"}]
        others = [daemon, pod("job-1", None), pod("old", None, phase="Succeeded")]
        assert steps(*others) == []
        assert left_over(others) == ["shop/job-1"]


class TestStanding:
    def test_it_says_which_frameworks_have_pods_left(self):
        told = standing(scene(pod("web-0", "web"), pod("web-1", "web"), instance("node-0")))
        assert not told.done
        assert told.text == "node here: 3 pods of frameworks left (shop/db 1, shop/web 2)"

    def test_it_says_who_holds_it_up(self):
        paused = Scene("here", [pod("web-0", "web")], {"shop/web": {"spec": {"service": {"paused": True}}}})
        assert standing(paused).text.endswith("(shop/web 1, paused: it exchanges no pods)")

    def test_it_is_done_when_none_is_left(self):
        assert standing(scene(pod("web-0", "web", "elsewhere"))).done

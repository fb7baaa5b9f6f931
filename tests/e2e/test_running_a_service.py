"""A service on the real node, as a user sees it: pods that answer, logs, commands, scaling, and replacement."""

import json
from functools import partial

from tests.e2e.pod_history import PodHistory, SeenPod
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, service, template, web
from tests.e2e.waiting import eventually
from tests.e2e.web_answer import fetch

from cluster.layout import REPOSITORY


def test_the_web_example_answers_logs_and_runs_commands(tender: Release, namespace: Namespace):
    namespace.kubectl("apply", "-f", str(REPOSITORY / "examples" / "web.yaml"))
    namespace.wait_for("Ready", "framework/web")

    pods = namespace.items("pods")
    assert {pod["spec"]["nodeName"] for pod in pods} == {"node-1"}
    for pod in pods:
        name = pod["metadata"]["name"]
        assert fetch(f"http://{pod['status']['podIP']}:8080/") == f"{name}\n"
        assert "response:200" in namespace.kubectl("logs", name)
        assert namespace.kubectl("exec", name, "--", "hostname") == f"{name}\n"


def test_kubectl_scales_a_service_up_and_down(tender: Release, namespace: Namespace, history: PodHistory):
    namespace.apply(service("scaled", 1, web("here")))
    namespace.wait_for("Ready", "framework/scaled")
    [first] = namespace.pods_by_uid()

    namespace.kubectl("scale", "framework", "scaled", "--replicas=4")
    namespace.wait_for("Ready", "framework/scaled")
    assert _live(history) == 4
    assert first in namespace.pods_by_uid()

    namespace.kubectl("scale", "framework", "scaled", "--replicas=2")
    namespace.wait_for("Ready", "framework/scaled")
    history.wait_until("two pods are left", lambda pods: len(pods) == 2)
    scale = json.loads(
        namespace.kubectl(
            "get", "--raw", f"/apis/tender.dev/v1alpha1/namespaces/{namespace.name}/frameworks/scaled/scale"
        )
    )
    eventually("the scale shows it", lambda: namespace.get("framework", "scaled")["status"]["replicas"] == 2)
    assert scale["status"]["selector"] == "tender.dev/framework=scaled"

    namespace.kubectl("scale", "framework", "scaled", "--replicas=0")
    history.wait_until("no pod is left", lambda pods: not pods)
    namespace.wait_for("Ready", "framework/scaled")
    assert len(history.created()) == 4


def test_a_pod_deleted_by_hand_is_replaced(tender: Release, namespace: Namespace, history: PodHistory):
    namespace.apply(service("steady", 2, web("here")))
    namespace.wait_for("Ready", "framework/steady")
    victim, witness = history.pods()

    namespace.kubectl("delete", "pod", victim.name, "--wait=false")

    history.wait_until("two pods are ready again", lambda pods: _ready_besides(pods, victim) == 2)
    namespace.wait_for("Ready", "framework/steady")
    assert witness.uid in namespace.pods_by_uid()
    assert len(history.created()) == 3
    assert "backoff" not in namespace.get("framework", "steady")["status"]


def test_a_pod_that_fails_is_replaced_after_a_wait_that_the_status_and_an_event_tell_of(
    tender: Release, namespace: Namespace, history: PodHistory
):
    script = "until [ -e /tmp/fail ]; do sleep 0.1; done; exit 1"
    namespace.apply(service("frail", 1, template(script, restartPolicy="Never")))
    for failures in (1, 2):
        namespace.wait_for("Ready", "framework/frail")
        [pod] = [pod for pod in history.pods() if pod.ready]

        namespace.kubectl("exec", pod.name, "--", "touch", "/tmp/fail")

        history.wait_until("another pod is ready", partial(_is_one_ready_besides, pod))
        assert any(moment.pod.phase == "Failed" for moment in history.since(0) if moment.pod.uid == pod.uid)
        assert namespace.get("framework", "frail")["status"]["backoff"]["failures"] == failures
        event = eventually("an event of the failure", partial(_event_of_failure, namespace, pod))
        assert event["type"] == "Warning"
        assert event["involvedObject"]["name"] == "frail"
    assert len(history.created()) == 3


def _live(history: PodHistory) -> int:
    return sum(pod.live for pod in history.pods())


def _event_of_failure(namespace: Namespace, pod: SeenPod) -> Manifest | None:
    return next((one for one in namespace.events("PodFailed") if pod.name in one["message"]), None)


def _is_one_ready_besides(other: SeenPod, pods: list[SeenPod]) -> bool:
    return _ready_besides(pods, other) == 1


def _ready_besides(pods: list[SeenPod], other: SeenPod) -> int:
    return sum(pod.ready for pod in pods if pod.uid != other.uid)

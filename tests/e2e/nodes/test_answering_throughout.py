"""A service behind a Kubernetes Service answers whoever asks it, whatever is done to its pods meanwhile."""

from collections.abc import Iterator

import pytest
from tests.e2e.nodes.steady_client import MOST_REQUESTS, SteadyClient
from tests.e2e.pod_history import PodHistory, SeenPod
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, service, web

from cluster import LocalCluster

REPLICAS = 3


@pytest.fixture
def uncordoned_afterwards(cluster: LocalCluster) -> Iterator[None]:
    yield
    cluster.kubectl("uncordon", "--selector=kubernetes.io/os=linux")


def _answering(says: str) -> Manifest:
    """A pod that answers, and goes on doing so until no Service leads to it any more."""
    pods = web(says, terminationGracePeriodSeconds=10)
    main = pods["spec"]["containers"][0]
    main["ports"] = [{"name": "http", "containerPort": 8080}]
    main["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", "4"]}}}
    return pods


def _service(says: str) -> Manifest:
    made = service("web", REPLICAS, _answering(says))
    made["spec"]["service"]["expose"] = {}
    made["spec"]["service"]["constraints"] = [{"key": "kubernetes.io/hostname", "operator": "GroupBy"}]
    return made


@pytest.mark.usefixtures("uncordoned_afterwards")
def test_no_request_fails_during_a_rolling_update_and_the_drain_of_a_node(
    cluster: LocalCluster, tender: Release, namespace: Namespace, history: PodHistory
):
    namespace.apply(_service("first"))
    namespace.wait_for("Ready", "framework/web")
    nodes = {pod.node for pod in history.pods()}
    assert len(nodes) == REPLICAS, f"not spread: {nodes}"
    address = namespace.get("service", "web")["spec"]["clusterIP"]

    with SteadyClient(namespace).asking(f"http://{address}:8080/", node="node-1") as client:
        old = {pod.uid for pod in history.pods()}
        namespace.apply(_service("second"))
        history.wait_until("the new version runs", lambda pods: _ready_besides(pods, old) == REPLICAS)
        namespace.wait_for("Ready", "framework/web")
        during_the_update = client.figures()

        cluster.kubectl("drain", "node-2", "--ignore-daemonsets", "--force", "--timeout=90s")
        history.wait_until("all run on the other nodes", lambda pods: _ready_elsewhere(pods, "node-2") == REPLICAS)
        namespace.wait_for("Ready", "framework/web")
        in_all = client.figures()

    print(f"requests during the update {during_the_update.asked}, until after the drain {in_all.asked}")
    assert in_all.failures == (), f"{in_all.failed} of {in_all.asked} requests failed"
    assert during_the_update.asked < in_all.asked < MOST_REQUESTS, "the client has to ask all the while"


def _ready_besides(pods: list[SeenPod], old: set[str]) -> int:
    return sum(pod.ready for pod in _web(pods) if pod.uid not in old)


def _ready_elsewhere(pods: list[SeenPod], node: str) -> int:
    return sum(pod.ready for pod in _web(pods) if pod.node != node)


def _web(pods: list[SeenPod]) -> list[SeenPod]:
    return [pod for pod in pods if pod.name.startswith("web-")]

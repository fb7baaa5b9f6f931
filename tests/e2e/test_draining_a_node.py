"""A node is drained: its pods move to other nodes, and none comes to it any more."""

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import Release
from tests.e2e.services import ON_FAKE_NODES, Namespace, service, template

from cluster import LocalCluster

REPLICAS = 6


@pytest.fixture
def uncordoned_afterwards(cluster: LocalCluster) -> Iterator[None]:
    yield
    cluster.kubectl("uncordon", "--selector=kwok.x-k8s.io/node=fake")


@pytest.mark.usefixtures("uncordoned_afterwards")
def test_the_pods_of_a_drained_node_move_to_the_others(
    cluster: LocalCluster, tender: Release, namespace: Namespace, history: PodHistory
):
    namespace.apply(service("moving", REPLICAS, template("here"), **ON_FAKE_NODES))
    namespace.wait_for("Ready", "framework/moving")
    history.catch_up()
    before = Counter(pod.node for pod in history.pods())
    assert set(before) <= {"fake-0001", "fake-0002", "fake-0003"}
    node, leaving = before.most_common(1)[0]
    stay = {pod.uid for pod in history.pods() if pod.node != node}
    drained = history.now

    cluster.kubectl("drain", node, "--timeout=60s")

    pods = history.wait_until("all run again", lambda pods: sum(pod.ready for pod in pods) == REPLICAS)
    namespace.wait_for("Ready", "framework/moving")
    assert stay <= {pod.uid for pod in pods}
    moved = history.created(drained)
    assert len(moved) == leaving
    assert node not in {pod.node for pod in moved}

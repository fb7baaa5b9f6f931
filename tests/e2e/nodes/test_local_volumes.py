"""Local volumes belong to one node: claims are bound to those of the node that is chosen, and pods elsewhere do not
get them."""

from tests.e2e.services import Namespace
from tests.e2e.volumes import claim, writer
from tests.e2e.waiting import eventually

from cluster import LocalCluster


def test_kube_scheduler_sends_a_pod_to_where_a_volume_is(three_nodes: LocalCluster, namespace: Namespace):
    [volume] = three_nodes.add_local_volumes(3, 1)

    namespace.apply(
        claim("data", storageClassName="local"),
        writer("pod", "data", "one", securityContext={"runAsUser": 1000, "fsGroup": 1000}),
    )

    namespace.wait_for("Ready", "pod/pod")
    assert namespace.get("pod", "pod")["spec"]["nodeName"] == "node-3"
    assert namespace.get("pvc", "data")["spec"]["volumeName"] == volume
    _forget(namespace, "pod", volume)


def test_a_claim_that_names_its_volume_needs_no_scheduler(three_nodes: LocalCluster, namespace: Namespace):
    [volume] = three_nodes.add_local_volumes(2, 1)
    namespace.apply(
        claim("data", storageClassName="local", volumeName=volume),
        writer("first", "data", "one", nodeName="node-2"),
    )
    namespace.wait_for("Ready", "pod/first")
    namespace.kubectl("delete", "pod", "first")

    namespace.apply(writer("second", "data", "two", nodeName="node-2"))

    namespace.wait_for("Ready", "pod/second")
    assert namespace.kubectl("logs", "second") == "one\ntwo\n"
    _forget(namespace, "second", volume)


def test_a_pod_on_another_node_does_not_get_the_volume(three_nodes: LocalCluster, namespace: Namespace):
    [volume] = three_nodes.add_local_volumes(1, 1)

    namespace.apply(
        claim("data", storageClassName="local", volumeName=volume),
        writer("elsewhere", "data", "one", nodeName="node-2"),
    )

    eventually(
        "the kubelet says why",
        lambda: [event for event in namespace.events("FailedMount") if "NodeAffinity" in event["message"]],
    )
    _forget(namespace, "elsewhere", volume)


def _forget(namespace: Namespace, pod: str, volume: str) -> None:
    """Volumes are nobody's after their claim: another test must not find them."""
    namespace.kubectl("delete", f"pod/{pod}", "pvc/data", f"pv/{volume}")

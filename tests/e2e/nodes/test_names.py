"""Pods of different nodes find each other by name, as the members of a stateful system have to."""

from itertools import product

from tests.e2e.nodes.three import NODES
from tests.e2e.services import Manifest, Namespace

_PEERS: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "peers"},
    "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {"app": "peer"}},
}


def _peer(name: str, node: str) -> Manifest:
    container = {
        "name": "main",
        "image": "busybox:1",
        "command": ["sleep", "1000000"],
        "readinessProbe": {"exec": {"command": ["false"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "peer"}},
        "spec": {
            "nodeName": node,
            "hostname": name,
            "subdomain": "peers",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }


def test_peers_reach_each_other_by_name_across_nodes_before_they_are_ready(namespace: Namespace):
    peers = {f"peer-{number}": node for number, node in enumerate(NODES, start=1)}
    namespace.apply(_PEERS, *(_peer(name, node) for name, node in peers.items()))
    namespace.kubectl(
        *("wait", "pods", "--all", "--for=jsonpath={.status.phase}=Running", "--timeout=60s"),
    )
    addresses = {name: namespace.get("pod", name)["status"]["podIP"] for name in peers}

    for asking, asked in product(peers, peers):
        name = f"{asked}.peers"
        answer = namespace.kubectl("exec", asking, "--", *_reach(name))
        assert f"PING {name} ({addresses[asked]})" in answer, f"{asking} asks for {name}"
    assert namespace.kubectl("exec", "peer-1", "--", "hostname", "-f").startswith(f"peer-1.peers.{namespace.name}.svc")
    assert f"peer-2.peers.{namespace.name}.svc" in namespace.kubectl(
        "exec", "peer-3", "--", "nslookup", addresses["peer-2"]
    )


def test_a_peer_that_comes_back_elsewhere_keeps_its_name(namespace: Namespace):
    namespace.apply(_PEERS, _peer("asking", "node-1"), _peer("moving", "node-2"))
    namespace.kubectl("wait", "pods", "--all", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
    namespace.kubectl("delete", "pod", "moving")

    namespace.apply(_peer("moving", "node-3"))
    namespace.kubectl("wait", "pod", "moving", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")

    address = namespace.get("pod", "moving")["status"]["podIP"]
    answer = namespace.kubectl("exec", "asking", "--", *_reach("moving.peers"))
    assert f"PING moving.peers ({address})" in answer


def _reach(name: str) -> list[str]:
    """A command that tries for a while: a name is there a moment after its pod runs."""
    return ["sh", "-c", f"for i in 1 2 3 4 5 6 7 8 9 10; do ping -c 1 -w 1 {name} && exit; sleep 1; done; exit 1"]

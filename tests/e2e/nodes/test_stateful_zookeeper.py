"""A real stateful system under Tender: a ZooKeeper ensemble whose pods are killed, replaced and reconfigured, and which
has every row at the end.
"""

from collections.abc import Iterator

import pytest
from tests.e2e.nodes.three import NODES
from tests.e2e.nodes.zookeeper_framework import NAME, ZooKeeper, zookeeper_framework
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace
from tests.e2e.waiting import eventually


@pytest.fixture
def ensemble(namespace: Namespace, history: PodHistory, zookeeper: str) -> Iterator[ZooKeeper]:
    namespace.apply(zookeeper_framework(zookeeper))
    made = ZooKeeper(namespace, history)
    made.wait_until_ready()
    yield made
    namespace.kubectl("delete", "framework", NAME, "--ignore-not-found", "--wait=false")


def _rows(about: str) -> list[str]:
    return [f"{about}-{number}" for number in range(100)]


def _place(namespace: Namespace, server: str) -> Manifest:
    [place] = [one for one in namespace.items("reservations") if _instance(one) == server.removeprefix(f"{NAME}-")]
    return place


def _instance(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["tender.dev/instance"])


@pytest.mark.timeout(900)
def test_an_ensemble_keeps_every_row_through_a_kill_a_replacement_and_a_change_of_configuration(
    tender: Release, namespace: Namespace, ensemble: ZooKeeper, zookeeper: str
):
    pods = ensemble.pods()
    assert {pod["spec"]["nodeName"] for pod in pods.values()} == set(NODES)
    written = _rows("first")
    ensemble.write(*written)

    # Killed: back on the same node with the same volume (T18).
    killed = ensemble.servers[0]
    place = _place(namespace, killed)
    namespace.kubectl("delete", "pod", killed, "--grace-period=0", "--force")
    back = ensemble.wait_for_another(killed, pods[killed]["metadata"]["uid"])
    assert back["spec"]["nodeName"] == pods[killed]["spec"]["nodeName"]
    assert _place(namespace, killed)["metadata"]["uid"] == place["metadata"]["uid"]
    ensemble.wait_until_ready()
    ensemble.write(*_rows("second"))
    written += _rows("second")

    # Replaced: another volume, the old place and volume are given up (T19).
    replaced = ensemble.servers[1]
    volume = namespace.get("pvc", f"data-{replaced}")["metadata"]["uid"]
    place = _place(namespace, replaced)
    request = {"id": "disk-broken", "pod": replaced.removeprefix(f"{NAME}-"), "action": "Replace"}
    namespace.apply(zookeeper_framework(zookeeper, podRequests=[request]))
    ensemble.wait_for_another(replaced, ensemble.pods()[replaced]["metadata"]["uid"])
    ensemble.wait_until_ready()
    assert namespace.get("pvc", f"data-{replaced}")["metadata"]["uid"] != volume
    assert _place(namespace, replaced)["metadata"]["uid"] != place["metadata"]["uid"]
    [result] = namespace.get("framework", NAME)["status"]["stateful"]["podRequests"]
    assert (result["id"], result["result"]) == ("disk-broken", "Done")
    ensemble.write(*_rows("third"))
    written += _rows("third")

    # Reconfigured: one server after the other, in order (T20).
    before = {name: pod["metadata"]["uid"] for name, pod in ensemble.pods().items()}
    namespace.apply(zookeeper_framework(zookeeper, tick=600, podRequests=[request]))
    for server in ensemble.servers:
        ensemble.wait_for_another(server, before[server])
    ensemble.wait_until_ready()
    assert "tickTime=600" in namespace.kubectl("exec", ensemble.servers[2], "--", "cat", "/conf/zoo.cfg")
    assert len(ensemble.pods()) == len(ensemble.servers)

    for server in ensemble.servers:
        assert ensemble.rows(server) == set(written), f"{server} does not have every row"

    # Uninstalled: nothing is left (T24).
    namespace.kubectl("delete", "framework", NAME, "--timeout=60s")
    for kind in ("pods", "reservations", "pvc", "configmaps", "controllerrevisions"):
        eventually(
            f"no {kind} are left",
            lambda kind=kind: not namespace.items(kind, "--selector=tender.dev/framework"),  # type: ignore[misc]
        )

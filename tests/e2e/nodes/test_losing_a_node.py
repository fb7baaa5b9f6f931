"""A node is cut off: a service runs on elsewhere, a stateful one waits for it, and can be uninstalled without it."""

from collections.abc import Iterator

import pytest
from tests.e2e.nodes.three import NODES
from tests.e2e.pod_history import PodHistory, SeenPod
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, service, template, web
from tests.e2e.waiting import eventually

from cluster import LocalCluster

LOST = NODES[-1]


@pytest.fixture
def cable(cluster: LocalCluster) -> Iterator[None]:
    """Whatever becomes of the test, the node is connected again and ready after it."""
    yield
    cluster.set_cable(len(NODES), plugged=True)
    cluster.kubectl("wait", f"node/{LOST}", "--for=condition=Ready", "--timeout=120s")


def _database() -> Manifest:
    pods = template("hostname >> /data/names && exec sleep 1000000")
    pods["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    volume = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    nodes = {
        "name": "node",
        "count": len(NODES),
        "template": pods,
        "constraints": [{"key": "metadata.name", "operator": "Unique"}],
        "volumeClaimTemplates": [{"name": "data", "spec": volume}],
    }
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": "db"},
        "spec": {"stateful": {"pods": [nodes]}},
    }


def _ready(pods: list[SeenPod], framework: str, *nodes: str) -> int:
    return sum(pod.ready for pod in pods if pod.name.startswith(f"{framework}-") and pod.node in nodes)


def _of_database(namespace: Namespace, kind: str) -> list[Manifest]:
    return namespace.items(kind, "--selector=tender.dev/framework=db")


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cable")
def test_a_lost_node_is_replaced_waited_for_and_does_not_hold_up_an_uninstall(
    cluster: LocalCluster, tender: Release, namespace: Namespace, history: PodHistory
):
    spread = service("web", len(NODES), web("here"))
    spread["spec"]["service"]["constraints"] = [{"key": "metadata.name", "operator": "GroupBy"}]
    namespace.apply(spread, _database())
    namespace.wait_for("Ready", "framework/web", "framework/db")
    history.catch_up()
    assert _ready(history.pods(), "web", LOST) == 1

    cluster.set_cable(len(NODES), plugged=False)

    # A service has its pods elsewhere as soon as the cluster says that the node is not ready (T15).
    others = NODES[:-1]
    history.wait_until("web runs elsewhere", lambda pods: _ready(pods, "web", *others) == len(NODES), seconds=180)
    namespace.wait_for("Ready", "framework/web")
    # A stateful pod waits where its data are, and says so.
    eventually("db waits for its node", lambda: LOST in _message(namespace.get("framework", "db")))
    assert len(_of_database(namespace, "reservations")) == len(NODES)

    # Nothing is left of it, though one of its nodes does not answer (T24).
    namespace.kubectl("delete", "framework", "db", "--wait=false")
    for kind in ("reservations", "pods", "persistentvolumeclaims", "configmaps", "controllerrevisions"):
        eventually(f"no {kind} are left", lambda kind=kind: not _of_database(namespace, kind), seconds=180)  # type: ignore[misc]

    cluster.set_cable(len(NODES), plugged=True)
    cluster.kubectl("wait", f"node/{LOST}", "--for=condition=Ready", "--timeout=120s")
    history.wait_until("one pod each", lambda pods: sum(pod.live for pod in pods) == len(NODES))
    namespace.wait_for("Ready", "framework/web")


def _message(framework: Manifest) -> str:
    return " ".join(str(one["message"]) for one in framework["status"]["conditions"])

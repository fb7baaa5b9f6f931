"""A ZooKeeper ensemble as somebody would write it by hand: a headless Service, a ConfigMap, and for each server a
pod and a volume claim of the default storage class.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kazoo.client import KazooClient
from tests.e2e.services import Manifest, Namespace

_LABELS = {"app": "zk"}
_SETTINGS = """\
tickTime=500
initLimit=20
syncLimit=10
dataDir=/data
clientPort=2181
"""


class Ensemble:
    """Servers zk-1, zk-2, ... in a namespace, one for each of the nodes, in this order."""

    def __init__(self, namespace: Namespace, image: str, nodes: Sequence[str]) -> None:
        self._namespace = namespace
        self._image = image
        self._nodes = {f"zk-{number}": node for number, node in enumerate(nodes, start=1)}
        self.servers = list(self._nodes)

    def create(self) -> None:
        """Create everything, the pods for kube-scheduler, which has the volumes made."""
        self._namespace.apply(_service(), self._configuration(), *(_claim(name) for name in self.servers))
        self._namespace.apply(*(self._pod(name, nodeSelector=_only(node)) for name, node in self._nodes.items()))

    def create_bound(self, *servers: str) -> None:
        """Create pods anew that have their node from the start."""
        self._namespace.apply(*(self._pod(name, nodeName=self._nodes[name]) for name in servers))

    def delete(self, *servers: str) -> None:
        """Delete pods and wait until they are gone. Their volumes stay."""
        self._namespace.kubectl("delete", "pod", *servers, "--timeout=60s")

    def wait_until_ready(self) -> None:
        self._namespace.wait_for("Ready", *(f"pod/{name}" for name in self.servers))

    def node(self, server: str) -> str:
        """The node that a server runs on."""
        return str(self._namespace.get("pod", server)["spec"]["nodeName"])

    def mode(self, server: str) -> str:
        """What a server says that it is: leader or follower."""
        answer = self._namespace.kubectl("exec", server, "--", "zookeeper-ready")
        return answer.removeprefix("Mode:").strip()

    @contextmanager
    def client(self, server: str) -> Iterator[KazooClient]:
        """A client, on this machine, of this one server."""
        address = self._namespace.get("pod", server)["status"]["podIP"]
        client = KazooClient(f"{address}:2181", timeout=10)
        client.start(timeout=30)
        try:
            yield client
        finally:
            client.stop()
            client.close()

    def _configuration(self) -> Manifest:
        servers = [f"server.{number}={name}.zk:2888:3888\n" for number, name in enumerate(self.servers, start=1)]
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "zk"},
            "data": {"zoo.cfg": _SETTINGS + "".join(servers)},
        }

    def _pod(self, name: str, **placement: Any) -> Manifest:
        container = {
            "name": "zookeeper",
            "image": self._image,
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "192Mi"}},
            "readinessProbe": {"exec": {"command": ["zookeeper-ready"]}, "periodSeconds": 1},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "conf", "mountPath": "/conf"}],
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": _LABELS},
            "spec": {
                "hostname": name,
                "subdomain": "zk",
                "terminationGracePeriodSeconds": 10,
                "containers": [container],
                "volumes": [
                    {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}},
                    {"name": "conf", "configMap": {"name": "zk"}},
                ],
                **placement,
            },
        }


def _service() -> Manifest:
    """Servers find each other by it before they are ready, which they are only once they have."""
    ports = [{"name": "client", "port": 2181}, {"name": "peer", "port": 2888}, {"name": "election", "port": 3888}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "zk"},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": _LABELS, "ports": ports},
    }


def _claim(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"data-{name}"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
    }


def _only(node: str) -> dict[str, str]:
    return {"kubernetes.io/hostname": node}

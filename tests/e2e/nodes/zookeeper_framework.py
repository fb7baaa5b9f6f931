"""A ZooKeeper ensemble as a user of Tender writes it: one Framework; and clients of its servers."""

from collections.abc import Iterator
from contextlib import contextmanager

from kazoo.client import KazooClient
from tests.e2e.pod_history import PodHistory
from tests.e2e.services import Manifest, Namespace
from tests.e2e.waiting import eventually

NAME = "zk"
SERVERS = 3


def zookeeper_framework(image: str, *, tick: int = 500, **stateful: object) -> Manifest:
    """The Framework; `tick` is a setting of the servers that a change of configuration changes."""
    settings = f"tickTime={tick}\ninitLimit=20\nsyncLimit=10\ndataDir=/data\nclientPort=2181\n"
    members = "".join(
        f"server.{number + 1}={NAME}-server-{number}.${{framework.name}}:2888:3888\n" for number in range(SERVERS)
    )
    container = {
        "name": "zookeeper",
        "image": image,
        "imagePullPolicy": "Never",
        "ports": [
            {"name": "client", "containerPort": 2181},
            {"name": "peer", "containerPort": 2888},
            {"name": "election", "containerPort": 3888},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "192Mi"}},
        "readinessProbe": {"exec": {"command": ["zookeeper-ready"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/conf"}],
    }
    servers = {
        "name": "server",
        "count": SERVERS,
        "constraints": [{"key": "metadata.name", "operator": "Unique"}],
        "template": {"spec": {"terminationGracePeriodSeconds": 10, "containers": [container]}},
        "volumeClaimTemplates": [
            {
                "name": "data",
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
            }
        ],
        "config": {"zoo.cfg": settings + members},
    }
    plans = [
        {"name": "deploy", "phases": [{"name": "servers", "pods": "server", "strategy": "Parallel"}]},
        {"name": "update", "phases": [{"name": "servers", "pods": "server", "strategy": "Serial"}]},
    ]
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": NAME},
        "spec": {"role": "databases", "stateful": {"pods": [servers], "plans": plans, **stateful}},
    }


class ZooKeeper:
    """The ensemble as it runs."""

    def __init__(self, namespace: Namespace, history: PodHistory) -> None:
        self._namespace = namespace
        self._history = history

    @property
    def servers(self) -> list[str]:
        return [f"{NAME}-server-{number}" for number in range(SERVERS)]

    def pods(self) -> dict[str, Manifest]:
        """Its pods by name."""
        return {pod["metadata"]["name"]: pod for pod in self._namespace.items("pods")}

    def wait_until_ready(self) -> None:
        self._namespace.wait_for("Ready", f"framework/{NAME}", seconds=180)

    @contextmanager
    def client(self, *servers: str) -> Iterator[KazooClient]:
        """A client, on this machine, of these servers (by default of all)."""
        pods = self.pods()
        hosts = ",".join(f"{pods[server]['status']['podIP']}:2181" for server in servers or self.servers)
        client = KazooClient(hosts, timeout=10)
        client.start(timeout=60)
        try:
            yield client
        finally:
            client.stop()
            client.close()

    def write(self, *rows: str) -> None:
        """Write rows, each named after what it says."""
        with self.client() as client:
            client.ensure_path("/rows")
            for row in rows:
                client.create(f"/rows/{row}", row.encode())

    def rows(self, server: str) -> set[str]:
        """All rows as this server has them."""
        with self.client(server) as client:
            client.sync("/rows")
            names: list[str] = client.get_children("/rows")
            return {client.get(f"/rows/{name}")[0].decode() for name in names}

    def wait_for_another(self, server: str, uid: str) -> Manifest:
        """Wait until a server is a ready pod of another uid."""

        def other() -> Manifest | None:
            pod = self.pods().get(server)
            conditions = {one["type"]: one["status"] for one in (pod or {}).get("status", {}).get("conditions", [])}
            return pod if pod and pod["metadata"]["uid"] != uid and conditions.get("Ready") == "True" else None

        return eventually(f"{server} is a new pod that is ready", other, seconds=180)

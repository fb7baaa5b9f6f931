"""Frameworks as a user writes them, as manifests: each small, quick to start and quick to end."""

import json
from typing import Any

from cluster import LocalCluster

Manifest = dict[str, Any]

ON_FAKE_NODES: Manifest = {
    "nodeSelector": {"kwok.x-k8s.io/node": "fake"},
    "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
}
"""Fields of a Framework's spec: its pods go to the fake nodes, which say that they run."""


def template(script: str, *, cpu: str = "20m", **spec: Any) -> Manifest:
    """A pod that runs a shell script; `spec` are further fields of its spec."""
    container = {
        "name": "main",
        "image": "busybox:1",
        "command": ["sh", "-c", script],
        "resources": {"requests": {"cpu": cpu, "memory": "8Mi"}},
    }
    return {"spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}}


def web(says: str, **spec: Any) -> Manifest:
    """A pod that answers GET / on port 8080 with a word."""
    made = template(
        f"mkdir -p /tmp/www && echo {says} > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www", **spec
    )
    made["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    return made


def service(name: str, replicas: int, pods: Manifest, **spec: Any) -> Manifest:
    """A Framework; `spec` are further fields of its spec."""
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": name},
        "spec": {**spec, "service": {"replicas": replicas, "template": pods}},
    }


def external(name: str, **spec: Any) -> Manifest:
    """A Framework whose offers somebody else answers, or nobody; `spec` are further fields of its spec."""
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": name},
        "spec": {**spec, "external": {}},
    }


def role(name: str, **spec: Any) -> Manifest:
    """A FrameworkRole."""
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "FrameworkRole",
        "metadata": {"name": name},
        "spec": spec,
    }


class Namespace:
    """kubectl in one namespace of a cluster."""

    def __init__(self, cluster: LocalCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def kubectl(self, *arguments: str, **options: Any) -> str:
        """Run kubectl in the namespace; its output."""
        return self.cluster.kubectl("--namespace", self.name, *arguments, **options).stdout

    def apply(self, *manifests: Manifest) -> None:
        """Apply manifests as a user would."""
        self.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def refusal(self, manifest: Manifest) -> str:
        """What the API server says about a manifest that it has to refuse."""
        done = self.cluster.kubectl(
            *("--namespace", self.name, "apply", "-f", "-"), input=json.dumps(manifest), check=False
        )
        assert done.returncode != 0, f"accepted: {manifest}"
        return done.stderr

    def get(self, kind: str, name: str) -> Manifest:
        """An object as it is now."""
        found: Manifest = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def items(self, kind: str, *options: str) -> list[Manifest]:
        """The objects of a kind."""
        found: list[Manifest] = json.loads(self.kubectl("get", kind, *options, "-o", "json"))["items"]
        return found

    def wait_for(self, condition: str, *objects: str, seconds: int = 90) -> None:
        """Wait until the objects, such as "framework/web", have the condition for their present generation."""
        self.kubectl("wait", f"--for=condition={condition}", f"--timeout={seconds}s", *objects)

    def pods_by_uid(self) -> dict[str, str]:
        """The pods that there are: uid and name."""
        return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in self.items("pods")}

    def events(self, reason: str) -> list[Manifest]:
        """The events with this reason."""
        return self.items("events", f"--field-selector=reason={reason}")


def condition(manifest: Manifest, kind: str) -> Manifest:
    """A condition of an object's status; empty if it is not there yet."""
    conditions: list[Manifest] = manifest.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), {})

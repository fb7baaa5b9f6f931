"""Tender installed by the chart on a control plane, its two programs run here in the name of their service
accounts.

Nothing runs pods there, so the chart's own Deployments stay idle and the test says what becomes of pods.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.chart.helm import CHART, Helm, Manifest

from cluster import LocalCluster

PATIENCE = 60.0  # seconds until something that has to happen has happened
PROGRAM = Path(sys.executable).with_name("tender")


@dataclass(frozen=True)
class Installation:
    """A control plane, and helm and kubectl pointed at it."""

    cluster: LocalCluster
    helm: Helm

    def kubectl(self, *arguments: str, manifest: Any = None) -> str:
        """Run kubectl as the administrator, with `manifest` as its input."""
        text = None if manifest is None else json.dumps(manifest)
        return self.cluster.kubectl(*arguments, input=text).stdout

    def apply(self, *manifests: Manifest) -> None:
        """Create or change these objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "--server-side", "-f", "-", manifest=items)

    def items(self, kind: str, *arguments: str) -> list[Manifest]:
        """Read objects."""
        return list(json.loads(self.kubectl("get", kind, *arguments, "--output=json"))["items"])

    def names(self, kind: str, *arguments: str) -> set[str]:
        """Names of objects."""
        return {each["metadata"]["name"] for each in self.items(kind, *arguments)}

    def helm_run(self, *arguments: str) -> str:
        """Run helm against the control plane."""
        return self.helm.run(*arguments, f"--kubeconfig={self.cluster.kubeconfig}").stdout

    def install(self, release: str, namespace: str, *arguments: str, chart: Path = CHART) -> None:
        self.helm_run("install", release, str(chart), f"--namespace={namespace}", "--create-namespace", *arguments)

    def upgrade(self, release: str, namespace: str, *arguments: str, chart: Path = CHART) -> None:
        self.helm_run("upgrade", release, str(chart), f"--namespace={namespace}", *arguments)

    def uninstall(self, release: str, namespace: str) -> None:
        self.helm_run("uninstall", release, f"--namespace={namespace}")

    def audit_log(self) -> Path:
        return self.cluster.layout.logs / "audit.log"

    @contextlib.contextmanager
    def running(self, account: str, namespace: str, folder: Path, *arguments: str, port: int = 0) -> Iterator[Path]:
        """Run `tender` as a service account of the release; gives the file that it logs to."""
        kubeconfig = folder / f"{account}.kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(self._kubeconfig(account, namespace)))
        log = folder / f"{account}.log"
        command = [str(PROGRAM), *arguments, f"--kubeconfig={kubeconfig}", "--host=127.0.0.1", f"--port={port}"]
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
            try:
                yield log
            except BaseException:
                print(f"the end of what {account} logged:", *log.read_text().splitlines()[-20:], sep="\n")
                raise
            finally:
                process.kill()

    def _kubeconfig(self, account: str, namespace: str) -> Manifest:
        token = self.kubectl("create", "token", account, f"--namespace={namespace}").strip()
        server = {
            "server": self.cluster.server,
            "certificate-authority": str(self.cluster.layout.certificates / "ca.crt"),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": server}],
            "users": [{"name": account, "user": {"token": token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": account}}],
            "current-context": "local",
        }


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fails with `what` was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.2)


def node(name: str) -> Manifest:
    """A Ready node of 4 CPU and 8 Gi."""
    size = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "Made", "message": "made by a test"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"capacity": size, "allocatable": size, "conditions": [ready]},
    }


def service(name: str, namespace: str, *, replicas: int, role: str = "default", **spec: Any) -> Manifest:
    """A Framework that runs a service of small pods with a port; `spec` has further fields of spec.service."""
    container = {
        "name": "web",
        "image": "tender.dev/busybox:1",
        "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}},
        "ports": [{"name": "http", "containerPort": 80}],
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return framework(name, namespace, {"role": role, "service": {"replicas": replicas, "template": template, **spec}})


def store(name: str, namespace: str, *, count: int) -> Manifest:
    """A Framework that runs a stateful service whose pods have a volume and a file each, all launched at once."""
    container = {
        "name": "store",
        "image": "tender.dev/busybox:1",
        "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/store"}],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pods = {
        "name": "node",
        "count": count,
        "allowDecommission": True,
        "template": {"spec": {"containers": [container]}},
        "volumeClaimTemplates": [{"name": "data", "spec": claim}],
        "config": {"store.conf": "name=${pod.name}"},
    }
    deploy = {"name": "deploy", "phases": [{"name": "nodes", "pods": "node", "strategy": "Parallel"}]}
    return framework(name, namespace, {"stateful": {"pods": [pods], "plans": [deploy]}})


def framework(name: str, namespace: str, spec: Manifest) -> Manifest:
    """A Framework of this spec."""
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }

"""A cluster in Docker by kind, for machines that have Docker and can fetch kind's node image."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from cluster import fake, tools
from cluster.failure import ClusterError
from cluster.layout import Layout
from cluster.processes import Processes
from cluster.progress import say
from cluster.state import State


def why_no_kind() -> str | None:
    """None if Docker answers, else the reason. Whether the node image can be had shows only when it is
    fetched.
    """
    if not shutil.which("docker"):
        return "kind needs Docker, which is not installed"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if done.returncode:
        return "kind needs Docker, and its engine does not answer (docker info fails)"
    return None


class KindFlavour:
    """The kind cluster "tender-<name>", with a kubeconfig of its own; only kwok runs beside it on the
    machine.
    """

    def __init__(self, layout: Layout, record: State, processes: Processes) -> None:
        self._layout = layout
        self._record = record
        self._processes = processes
        self._name = f"tender-{layout.name}"

    def up(self) -> None:
        """Create the cluster, or write the kubeconfig of the one that exists, and start kwok."""
        paths = tools.ensure(["kind", "kubectl", "kwok"])
        kubeconfig = ["--kubeconfig", str(self._layout.kubeconfig)]
        if self._name in self._kind("get", "clusters").split():
            self._kind("export", "kubeconfig", "--name", self._name, *kubeconfig)
        else:
            say(f"kind: creating the cluster {self._name}; the node image is fetched on first use")
            self._kind("create", "cluster", "--name", self._name, "--wait", "120s", *kubeconfig)
        plan = self._record.plan
        with_pods = self._record.options.fake_pods is not False
        self._processes.run(
            fake.kwok(
                paths["kwok"],
                self._layout.kubeconfig,
                self._layout.configuration,
                plan.fake_pods,
                plan.kwok_port,
                pods=with_pods,
            )
        )

    def down(self) -> None:
        self._processes.stop("kwok")
        if self._layout.kubeconfig.exists():  # else it was never created
            tools.ensure(["kind"])
            self._kind("delete", "cluster", "--name", self._name, "--kubeconfig", str(self._layout.kubeconfig))

    def load_image(self, archive: Path) -> None:
        self._kind("load", "image-archive", str(archive), "--name", self._name)

    def create_nodes(self, nodes: list[dict[str, Any]]) -> int:
        existing = {node["metadata"]["name"] for node in self.nodes()}
        missing = [node for node in nodes if node["metadata"]["name"] not in existing]
        if missing:
            listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": missing})
            self._kubectl("create", "-f", "-", content=listed)
        return len(missing)

    def nodes(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self._kubectl("get", "nodes", "-o", "json"))["items"]
        return listed

    def add_local_volumes(self, number: int, count: int, size: str) -> list[str]:
        raise ClusterError(
            f"cluster {self._layout.name} is a kind one, whose nodes have folders of their own; its class `standard` "
            "makes volumes on demand"
        )

    def server(self) -> str:
        return self._kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")

    def _kind(self, *arguments: str) -> str:
        return _output([str(tools.location("kind")), *arguments], None)

    def _kubectl(self, *arguments: str, content: str | None = None) -> str:
        command = [str(tools.location("kubectl")), f"--kubeconfig={self._layout.kubeconfig}", *arguments]
        return _output(command, content)


def _output(command: list[str], content: str | None) -> str:
    done = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()[-1500:]}")
    return done.stdout

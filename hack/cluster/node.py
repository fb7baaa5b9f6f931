"""A real node: containerd, kube-proxy and the kubelet in a network namespace of their own.

Several nodes share the machine: each has its own folders, sockets, pod network and control group, so that
nothing of one is seen by another, and taking its network cable away is a true loss of the node.
"""

import json
import subprocess
from pathlib import Path

from cluster import network, node_files, remains
from cluster.address_plan import AddressPlan
from cluster.api import answers
from cluster.control_plane import ControlPlane
from cluster.failure import ClusterError
from cluster.layout import Layout, settle
from cluster.processes import Processes, Program
from cluster.system import cni_plugins, control_group_hierarchies
from cluster.zones import zone_labels
from image.archive import image_contents


class RealNode:
    """Node `number` (1 to 3) of a cluster. Its name in Kubernetes is "node-<number>"."""

    def __init__(self, layout: Layout, plan: AddressPlan, processes: Processes, number: int) -> None:
        self.name = f"node-{number}"
        self._number = number
        self._layout = layout
        self._plan = plan
        self._processes = processes
        self._folder = layout.node(self.name)
        self._namespace = network.namespace_path(layout.name, number)
        self._control_group = f"tender-{layout.name}-{number}"
        self._socket = self._folder / "containerd.sock"

    def _label(self, program: str) -> str:
        return f"{self.name}-{program}"

    @property
    def volumes(self) -> Path:
        """Where the node's local volumes lie."""
        return self._folder / "volumes"

    def start_runtime(self) -> None:
        """Start containerd; images can be loaded afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        plugins = cni_plugins()
        if plugins is None:
            raise ClusterError("the network plugins are not installed: apt-get install containernetworking-plugins")
        configuration = settle(
            self._folder / "containerd.toml", node_files.containerd(self._folder, self._socket, plugins)
        )
        subnet = self._plan.node_pods(self._number)
        pod_network = node_files.pod_network(self._control_group, subnet, self._folder / "addresses")
        self._write("cni/10-bridge.conflist", pod_network)
        self._processes.run(
            Program(
                self._label("containerd"),
                ("containerd", "--config", str(configuration), "--log-level", "info"),
                ready=lambda: self._ctr("version").returncode == 0,
                inputs=(configuration,),
                network_namespace=self._namespace,
            )
        )

    def start(self, control_plane: ControlPlane, tools: dict[str, Path]) -> None:
        """Start the kubelet and kube-proxy, which wait for the API server by themselves."""
        for hierarchy in control_group_hierarchies():
            group = hierarchy / self._control_group
            group.mkdir(exist_ok=True)
        programs = [
            self._kubelet(control_plane, tools["kubelet"]),
            self._proxy(control_plane, tools["kube-proxy"]),
        ]
        for program in programs:
            self._processes.start(program)
        for program in programs:
            self._processes.wait(program)

    def was_started(self) -> bool:
        """Whether there may be anything to stop."""
        return self._folder.exists()

    def images(self) -> set[str]:
        """The names of the images that the node has."""
        return set(self._ctr("--namespace", "k8s.io", "images", "list", "--quiet").stdout.split())

    def load_image(self, archive: Path) -> None:
        """Import a docker-archive, unless its images were imported before and are still there."""
        contents = image_contents(archive)
        records = {name: self._folder / "images" / name.replace("/", "_") for name in contents}
        known = {name for name, record in records.items() if record.exists() and record.read_text() == contents[name]}
        if known == set(contents) and known <= self.images():
            return
        done = self._ctr("--namespace", "k8s.io", "images", "import", str(archive))
        if done.returncode:
            raise ClusterError(f"{archive} could not be loaded on {self.name}: {done.stderr.strip()}")
        for name, record in records.items():
            settle(record, contents[name])

    def stop(self) -> None:
        """End every process of the node, containers included, and take away mounts and control groups."""
        for program in ("kubelet", "kube-proxy"):
            self._processes.stop(self._label(program))
        if self._processes.pid(self._label("containerd")):
            self._remove_containers()
        remains.kill_control_group(self._control_group)
        self._processes.stop(self._label("containerd"))
        remains.kill_shims(self._socket)
        remains.unmount_below(self._folder)
        remains.remove_control_group(self._control_group)
        remains.remove_traces(self._folder)

    def _ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["ctr", "--address", str(self._socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def _kubelet(self, control_plane: ControlPlane, program: Path) -> Program:
        address = self._plan.node(self._number)
        serving = control_plane.authority.issue(
            f"{self.name}-serving",
            f"system:node:{self.name}",
            groups=["system:nodes"],
            addresses=[f"IP:{address}"],
        )
        kubeconfig = control_plane.kubeconfig(self.name, f"system:node:{self.name}", ["system:nodes"])
        configuration = self._write(
            "kubelet.json",
            node_files.kubelet(
                self._folder,
                self._socket,
                address=address,
                authority=control_plane.authority.identity.certificate,
                certificate=serving.certificate,
                key=serving.key,
                control_group=self._control_group,
                dns=self._plan.dns_service,
            ),
        )
        return Program(
            self._label("kubelet"),
            (
                str(program),
                f"--config={configuration}",
                f"--kubeconfig={kubeconfig}",
                f"--root-dir={self._folder / 'kubelet'}",
                f"--cert-dir={self._folder / 'kubelet' / 'pki'}",
                f"--hostname-override={self.name}",
                f"--node-ip={address}",
                f"--node-labels={','.join(f'{key}={value}' for key, value in zone_labels(self._number).items())}",
                "--v=1",
            ),
            ready=lambda: answers(f"http://{address}:10248/healthz"),
            inputs=(configuration, kubeconfig, serving.certificate),
            network_namespace=self._namespace,
        )

    def _proxy(self, control_plane: ControlPlane, program: Path) -> Program:
        health = f"{self._plan.node(self._number)}:10256"
        kubeconfig = control_plane.kubeconfig("kube-proxy", "system:kube-proxy", [])
        configuration = self._write(
            "kube-proxy.json",
            node_files.kube_proxy(self.name, kubeconfig, pods=self._plan.pods, health=health),
        )
        return Program(
            self._label("kube-proxy"),
            (str(program), f"--config={configuration}", "--v=1"),
            ready=lambda: answers(f"http://{health}/healthz"),
            inputs=(configuration, kubeconfig),
            network_namespace=self._namespace,
        )

    def _write(self, name: str, content: object) -> Path:
        return settle(self._folder / name, json.dumps(content, indent=2) + "\n")

    def _remove_containers(self) -> None:
        """Through containerd, so that its shims end by themselves and clean up after themselves."""
        tasks = self._ctr("--namespace", "k8s.io", "tasks", "list", "--quiet").stdout.split()
        deletions = [
            subprocess.Popen(
                [
                    "ctr",
                    "--address",
                    str(self._socket),
                    "--namespace",
                    "k8s.io",
                    "tasks",
                    "delete",
                    "--force",
                    task,
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for task in tasks
        ]
        for deletion in deletions:
            try:
                deletion.wait(timeout=20)
            except subprocess.TimeoutExpired:
                deletion.kill()
                deletion.wait()

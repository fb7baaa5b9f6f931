"""A real node: containerd, kube-proxy and the kubelet in a network namespace of their own.

Several nodes share the machine: each has its own folders, sockets, pod network and control group, so that
nothing of one is seen by another, and taking its network cable away is a true loss of the node.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from cluster import network
from cluster.address_plan import AddressPlan
from cluster.api import answers
from cluster.control_plane import ControlPlane
from cluster.failure import ClusterError
from cluster.layout import Layout, settle
from cluster.processes import Processes, Program, end, started_at
from cluster.system import cni_plugins, control_group_hierarchies
from image.archive import image_contents
from image.small import PAUSE

_CONTAINERD = """\
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = [
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{folder}/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_plugins}"
  conf_dir = "{folder}/cni"
"""


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

    def start_runtime(self) -> None:
        """Start containerd; images can be loaded afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_cni()
        configuration = settle(
            self._folder / "containerd.toml",
            _CONTAINERD.format(folder=self._folder, pause=PAUSE, cni_plugins=cni_plugins()),
        )
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
        self._kill_control_group()
        self._processes.stop(self._label("containerd"))
        self._kill_shims()
        _unmount_below(self._folder)
        self._remove_control_group()
        self._remove_traces()

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
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "containerRuntimeEndpoint": f"unix://{self._socket}",
                "authentication": {
                    "anonymous": {"enabled": False},
                    "x509": {"clientCAFile": str(control_plane.authority.identity.certificate)},
                },
                "tlsCertFile": str(serving.certificate),
                "tlsPrivateKeyFile": str(serving.key),
                "healthzBindAddress": address,
                "cgroupDriver": "cgroupfs",
                "cgroupRoot": f"/{self._control_group}",
                "enforceNodeAllocatable": ["pods"],
                "failCgroupV1": False,
                "failSwapOn": False,
                "localStorageCapacityIsolation": False,
                "evictionHard": {"memory.available": "64Mi"},
                "imageGCHighThresholdPercent": 100,  # a collected image could be pulled from nowhere
                "imageGCLowThresholdPercent": 99,
                "podLogsDir": str(self._folder / "pod-logs"),
                "volumePluginDir": str(self._folder / "volume-plugins"),
                "nodeStatusUpdateFrequency": "5s",
                "clusterDNS": [self._plan.machine],  # nothing answers there, which pods learn at once
                "clusterDomain": "cluster.local",
                "resolvConf": "",
            },
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
            {
                "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
                "kind": "KubeProxyConfiguration",
                "mode": "iptables",
                "clientConnection": {"kubeconfig": str(kubeconfig)},
                "clusterCIDR": self._plan.pods,
                "hostnameOverride": self.name,
                "healthzBindAddress": health,
                "metricsBindAddress": "127.0.0.1:10249",
                "conntrack": {"maxPerCore": 0, "min": 0},
                "iptables": {"minSyncPeriod": "100ms"},
            },
        )
        return Program(
            self._label("kube-proxy"),
            (str(program), f"--config={configuration}", "--v=1"),
            ready=lambda: answers(f"http://{health}/healthz"),
            inputs=(configuration, kubeconfig),
            network_namespace=self._namespace,
        )

    def _write_cni(self) -> None:
        plugins = [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(self._folder / "addresses"),
                    "ranges": [[{"subnet": self._plan.node_pods(self._number)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ]
        self._write("cni/10-bridge.conflist", {"cniVersion": "0.4.0", "name": self._control_group, "plugins": plugins})

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

    def _kill_control_group(self) -> None:
        for hierarchy in control_group_hierarchies():
            for file in (hierarchy / self._control_group).rglob("cgroup.procs"):
                with contextlib.suppress(OSError):
                    for pid in file.read_text().split():
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(int(pid), signal.SIGKILL)

    def _kill_shims(self) -> None:
        """Shims that outlived their containers are known by the socket of this node on their command line."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if str(self._socket) in words and "shim" in words[0] and started_at(int(process.name)):
                    end(int(process.name), 1.0)

    def _remove_traces(self) -> None:
        """What the network plugins and the kubelet leave in folders that cannot be chosen."""
        for result in Path("/var/lib/cni/results").glob("*"):
            if str(self._folder) in result.read_text(errors="replace"):
                result.unlink()
        for record in Path("/run/containerd/runc/k8s.io").glob("*/state.json"):
            if str(self._folder) in record.read_text(errors="replace"):
                shutil.rmtree(record.parent)
        for link in Path("/var/log/containers").glob("*.log"):
            if link.is_symlink() and link.readlink().is_relative_to(self._folder):
                link.unlink()

    def _remove_control_group(self) -> None:
        for hierarchy in control_group_hierarchies():
            top = hierarchy / self._control_group
            groups = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
            for group in [*groups, top]:
                _remove_empty_group(group)


def _remove_empty_group(group: Path) -> None:
    """The kernel lets go of a group a moment after its last process has ended."""
    for _ in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return


def _unmount_below(folder: Path) -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)

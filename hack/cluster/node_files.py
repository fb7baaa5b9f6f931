"""The configuration files of a real node's programs, as values; what was needed to make them run is
explained here.
"""

from pathlib import Path
from typing import Any

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
  address = "{socket}"

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


def containerd(folder: Path, socket: Path, cni_plugins: Path) -> str:
    """TOML. The score of the out-of-memory killer is restricted since not every root may lower it."""
    return _CONTAINERD.format(folder=folder, socket=socket, pause=PAUSE, cni_plugins=cni_plugins)


def pod_network(name: str, subnet: str, addresses: Path) -> dict[str, Any]:
    """A bridge in the node's namespace that gives pods addresses of the subnet."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(addresses),
            "ranges": [[{"subnet": subnet}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    port_mapping = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": name, "plugins": [bridge, port_mapping]}


def kubelet(
    folder: Path,
    socket: Path,
    *,
    address: str,
    authority: Path,
    certificate: Path,
    key: Path,
    control_group: str,
    dns: str,
) -> dict[str, Any]:
    """KubeletConfiguration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{socket}",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(authority)}},
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "healthzBindAddress": address,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{control_group}",
        "enforceNodeAllocatable": ["pods"],
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "evictionHard": {"memory.available": "64Mi"},
        "imageGCHighThresholdPercent": 100,  # a collected image could be pulled from nowhere
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(folder / "pod-logs"),
        "volumePluginDir": str(folder / "volume-plugins"),
        "nodeStatusUpdateFrequency": "5s",
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},  # tests end processes again and again
        "clusterDNS": [dns],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
    }


def kube_proxy(node: str, kubeconfig: Path, *, pods: str, health: str) -> dict[str, Any]:
    """KubeProxyConfiguration. The limits of connection tracking belong to the machine and are left alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": pods,
        "hostnameOverride": node,
        "healthzBindAddress": health,
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {"maxPerCore": 0, "min": 0},
        "iptables": {"minSyncPeriod": "100ms"},
    }

"""A Kubernetes cluster on one machine, made of the real programs and nothing that has to be downloaded as an
image.

`python3 hack/cluster up` starts etcd, the API server, the controller manager and the scheduler as plain
processes, a real node (containerd, kubelet, kube-proxy in a network namespace) where the machine allows
it, and any number of fake nodes (kwok). Tests import it: `from cluster import Options, open_cluster`.
Standard library only, so that it runs before any virtual environment exists. The way through it: cli →
local → tools, certificates, control_plane, dns, storage, node, fake → processes.
"""

from cluster.failure import ClusterError
from cluster.layout import Layout, home
from cluster.local import LocalCluster, open_cluster
from cluster.state import Options

__all__ = ["ClusterError", "Layout", "LocalCluster", "Options", "home", "open_cluster"]

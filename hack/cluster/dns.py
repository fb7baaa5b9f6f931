"""The cluster's DNS: CoreDNS as a process on the machine, behind the Service kube-dns.

Pods of every real node resolve `cluster.local` by it, headless Services and the pods' own names in them included.
Other names do not exist here: nothing is forwarded, so no test depends on what the machine's network resolves.
Answers come from memory and are not cached, so a name changes as soon as its pod does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import tools
from cluster.address_plan import AddressPlan
from cluster.api import ApiClient, answers
from cluster.control_plane import ControlPlane
from cluster.layout import Layout, settle
from cluster.processes import Program

DOMAIN = "cluster.local"
USER = "coredns"
_SERVICE = "kube-dns"
_NAMESPACE = "kube-system"
_CORE_FILE = """\
{domain}:{port} in-addr.arpa:{port} {{
    bind {address}
    errors
    ready 127.0.0.1:{health}
    kubernetes {domain} in-addr.arpa {{
        kubeconfig {kubeconfig}
    }}
}}
.:{port} {{
    bind {address}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
_READ = ["list", "watch"]


@dataclass(frozen=True)
class ClusterDns:
    """The DNS of one cluster with real nodes."""

    layout: Layout
    plan: AddressPlan

    def create_objects(self, client: ApiClient) -> None:
        """Create what makes the DNS known to the cluster and the cluster readable for it; what exists stays."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
        client.create("/api/v1/namespaces", namespace)  # the API server makes it, too, but later
        for path, body in self.objects():
            if not client.has(f"{path}/{body['metadata']['name']}"):  # a second Service of an address is refused
                client.create(path, body)

    def objects(self) -> list[tuple[str, dict[str, Any]]]:
        """Each object with the path that it is created at."""
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        return [
            (f"{rbac}/clusterroles", _cluster_role()),
            (f"{rbac}/clusterrolebindings", _binding()),
            (f"/api/v1/namespaces/{_NAMESPACE}/services", self._service()),
            (f"/apis/discovery.k8s.io/v1/namespaces/{_NAMESPACE}/endpointslices", self._endpoints()),
        ]

    def program(self, control_plane: ControlPlane) -> Program:
        kubeconfig = control_plane.kubeconfig("coredns", USER, [])
        core_file = settle(self.layout.configuration / "Corefile", self.core_file(kubeconfig))
        health = f"http://127.0.0.1:{self.plan.dns_health_port}/ready"
        return Program(
            "coredns",
            (str(tools.location("coredns")), "-conf", str(core_file)),
            ready=lambda: answers(health),
            inputs=(core_file, kubeconfig),
        )

    def core_file(self, kubeconfig: Path) -> str:
        return _CORE_FILE.format(
            domain=DOMAIN,
            port=self.plan.dns_port,
            address=self.plan.machine,
            health=self.plan.dns_health_port,
            kubeconfig=kubeconfig,
        )

    def _service(self) -> dict[str, Any]:
        """Without a selector: what answers is no pod."""
        ports = [{"name": name, "port": 53, "protocol": protocol} for name, protocol in _PORTS.items()]
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _SERVICE, "labels": {"kubernetes.io/name": "CoreDNS"}},
            "spec": {"clusterIP": self.plan.dns_service, "ports": ports},
        }

    def _endpoints(self) -> dict[str, Any]:
        ports = [{"name": name, "port": self.plan.dns_port, "protocol": protocol} for name, protocol in _PORTS.items()]
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{_SERVICE}-machine",
                "labels": {
                    "kubernetes.io/service-name": _SERVICE,
                    "endpointslice.kubernetes.io/managed-by": "hack-cluster",
                },
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [self.plan.machine], "conditions": {"ready": True}}],
            "ports": ports,
        }


_PORTS = {"dns": "UDP", "dns-tcp": "TCP"}


def _cluster_role() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": [
            {"apiGroups": [""], "resources": ["namespaces", "services"], "verbs": _READ},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
        ],
    }


def _binding() -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": USER},
        "subjects": [{"apiGroup": group, "kind": "User", "name": USER}],
    }

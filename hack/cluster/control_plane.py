"""The control plane: etcd, the API server, the controller manager and the scheduler as programs to be
started.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from cluster import tools
from cluster.address_plan import AddressPlan
from cluster.api import ApiClient, answers, write_kubeconfig
from cluster.certificates import Authority, Identity
from cluster.layout import Layout, settle
from cluster.processes import Program

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}

_FEWER_COLLECTIONS = (("GOGC", "400"), ("GOMEMLIMIT", "2GiB"))
"""Go's garbage collector takes a quarter of the API server's CPU time; with more memory, of which a local cluster needs
little, it takes less. A cluster that people run has Go's default, 100.
"""


@dataclass(frozen=True)
class ControlPlaneOptions:
    """What can be chosen of the control plane.

    `alone` leaves out the controller manager and the scheduler. `real_nodes` says that nodes reach the API
    server over their network, and that there is a machine to make volumes on. `node_monitor_grace_period` is a Go
    duration: how long a node may be silent before it counts as lost. `scheduler_qps` limits the
    scheduler's requests per second.
    """

    alone: bool = False
    real_nodes: bool = False
    scheduler_qps: int = 50
    node_monitor_grace_period: str = "50s"
    audit_log: bool = False


class ControlPlane:
    """Makes certificates and kubeconfigs and describes the programs; starts nothing itself."""

    def __init__(self, layout: Layout, plan: AddressPlan, options: ControlPlaneOptions) -> None:
        self._layout = layout
        self._plan = plan
        self._options = options
        self.authority = Authority(layout.certificates)
        host = plan.machine if options.real_nodes else "127.0.0.1"
        self._host = host
        self.server = f"https://{host}:{plan.port}"
        self._ca = self.authority.identity.certificate
        self.admin = self.authority.issue("admin", "tender-local-admin", groups=["system:masters"])
        write_kubeconfig(layout.kubeconfig, f"tender-{layout.name}", self.server, self._ca, self.admin)

    def kubeconfig(self, component: str, common_name: str, groups: list[str]) -> Path:
        """A kubeconfig for one component with its own certificate."""
        identity = self.authority.issue(component, common_name, groups=groups)
        path = self._layout.configuration / f"{component}.kubeconfig"
        return write_kubeconfig(path, component, self.server, self._ca, identity)

    def client(self) -> ApiClient:
        return ApiClient(self.server, self._ca, self.admin)

    def etcd(self) -> Program:
        client = f"http://127.0.0.1:{self._plan.etcd_port}"
        peer = f"http://127.0.0.1:{self._plan.etcd_peer_port}"
        return Program(
            "etcd",
            (
                str(tools.location("etcd")),
                "--name=tender",
                f"--data-dir={self._layout.etcd}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=tender={peer}",
                "--unsafe-no-fsync",
                "--quota-backend-bytes=8589934592",
                "--log-level=warn",
            ),
            ready=lambda: answers(f"{client}/health"),
        )

    def api_server(self) -> Program:
        signing = self.authority.signing_key("service-accounts")
        kubelet_client = self.authority.issue(
            "kubelet-client", "kube-apiserver-kubelet-client", groups=["system:masters"]
        )
        serving = self._api_server_certificate()
        arguments = [
            f"--etcd-servers=http://127.0.0.1:{self._plan.etcd_port}",
            f"--bind-address={self._host}",
            f"--secure-port={self._plan.port}",
            f"--advertise-address={self._plan.machine}",
            f"--service-cluster-ip-range={self._plan.services}",
            f"--client-ca-file={self._ca}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-signing-key-file={signing}",
            f"--service-account-key-file={signing}",
            f"--kubelet-certificate-authority={self._ca}",
            f"--kubelet-client-certificate={kubelet_client.certificate}",
            f"--kubelet-client-key={kubelet_client.key}",
            "--kubelet-preferred-address-types=InternalIP",  # a node's name is in no DNS here
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--max-requests-inflight=3000",
            "--max-mutating-requests-inflight=1500",
            "--v=1",
        ]
        inputs = [serving.certificate, self._ca]
        if self._options.alone:  # nothing would create the service account that this plugin insists on
            arguments.append("--disable-admission-plugins=ServiceAccount")
        if self._options.audit_log:
            policy = self._write("audit-policy.json", _AUDIT_POLICY)
            inputs.append(policy)
            arguments += [
                f"--audit-policy-file={policy}",
                f"--audit-log-path={self._layout.logs / 'audit.log'}",
            ]
        return Program(
            "kube-apiserver",
            (str(tools.location("kube-apiserver")), *arguments),
            ready=self._api_server_ready,
            inputs=tuple(inputs),
            patience=120.0,
            environment=_FEWER_COLLECTIONS,
        )

    def controller_manager(self) -> Program:
        kubeconfig = self.kubeconfig("controller-manager", "system:kube-controller-manager", [])
        port = self._plan.controller_manager_port
        return Program(
            "kube-controller-manager",
            (
                str(tools.location("kube-controller-manager")),
                f"--kubeconfig={kubeconfig}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
                f"--client-ca-file={self._ca}",
                f"--root-ca-file={self._ca}",
                f"--service-account-private-key-file={self.authority.signing_key('service-accounts')}",
                f"--cluster-signing-cert-file={self._ca}",
                f"--cluster-signing-key-file={self.authority.identity.key}",
                f"--tls-cert-file={self._local_certificate().certificate}",
                f"--tls-private-key-file={self._local_certificate().key}",
                "--use-service-account-credentials=true",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--node-monitor-grace-period={self._options.node_monitor_grace_period}",
                f"--enable-hostpath-provisioner={str(self._options.real_nodes).lower()}",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
                "--v=1",
            ),
            ready=lambda: answers(f"https://127.0.0.1:{port}/healthz"),
            inputs=(kubeconfig,),
        )

    def scheduler(self) -> Program:
        kubeconfig = self.kubeconfig("scheduler", "system:kube-scheduler", [])
        port = self._plan.scheduler_port
        configuration = self._write(
            "scheduler.json",
            {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "leaderElection": {"leaderElect": False},
                "clientConnection": {
                    "kubeconfig": str(kubeconfig),
                    "qps": self._options.scheduler_qps,
                    "burst": 2 * self._options.scheduler_qps,
                },
            },
        )
        return Program(
            "kube-scheduler",
            (
                str(tools.location("kube-scheduler")),
                f"--config={configuration}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
                f"--client-ca-file={self._ca}",
                f"--tls-cert-file={self._local_certificate().certificate}",
                f"--tls-private-key-file={self._local_certificate().key}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                "--v=1",
            ),
            ready=lambda: answers(f"https://127.0.0.1:{port}/healthz"),
            inputs=(kubeconfig, configuration),
        )

    def _api_server_ready(self) -> bool:
        client = self.client()
        try:
            return client.ready()
        finally:
            client.close()

    def _api_server_certificate(self) -> Identity:
        names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = ["127.0.0.1", self._plan.machine, self._plan.kubernetes_service]
        return self.authority.issue(
            "apiserver",
            "kube-apiserver",
            addresses=[f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses],
        )

    def _local_certificate(self) -> Identity:
        """What the controller manager and the scheduler serve their metrics with."""
        return self.authority.issue("local", "localhost", addresses=["DNS:localhost", "IP:127.0.0.1"])

    def _write(self, name: str, content: object) -> Path:
        return settle(self._layout.configuration / name, json.dumps(content, indent=2) + "\n")

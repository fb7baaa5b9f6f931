"""Fixtures of the integration tier: a real etcd and API server for the whole run, a fresh namespace for each
test."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import LocalCluster, Options
from cluster.testing import apply_crds, cluster_for_run


@dataclass(frozen=True)
class ApiServer:
    """An API server with Tender's custom resources, and nothing that acts on them: no controllers, no nodes."""

    cluster: LocalCluster

    @property
    def kubeconfig(self) -> Path:
        return self.cluster.kubeconfig

    @property
    def server(self) -> str:
        """Its address, "https://127.0.0.1:<port>"."""
        return self.cluster.server

    @property
    def certificate_authority(self) -> Path:
        return self.cluster.layout.certificates / "ca.crt"

    @property
    def client_certificate(self) -> Path:
        """The administrator's."""
        return self.cluster.layout.certificates / "admin.crt"

    @property
    def client_key(self) -> Path:
        return self.cluster.layout.certificates / "admin.key"

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 the name that subprocess.run uses
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator; with `check`, a failure raises an error that carries its output."""
        return self.cluster.kubectl(*arguments, input=input, check=check)


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """Started once per run and stopped at its end."""
    options = Options(flavour="local", control_plane_only=True)
    for cluster in cluster_for_run("integration", ["etcd", "kube-apiserver", "kubectl"], options):
        apply_crds(cluster)
        yield ApiServer(cluster)


@pytest.fixture
def namespace(api_server: ApiServer) -> str:
    """A namespace that no other test uses. It ends with the API server: nothing here could empty it."""
    name = f"test-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    return name

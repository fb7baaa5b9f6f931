"""The API server with the CRDs in it, and a namespace of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import config
from kubernetes.client import ApiClient
from tests.integration.custom_resources.objects import ApiServer, Objects

CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture(scope="session")
def client(api_server: ApiServer) -> Iterator[ApiClient]:
    api_server.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={CRDS}")
    names = [f"crd/{path.stem}" for path in CRDS.iterdir()]
    api_server.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
    with config.new_client_from_config(str(api_server.kubeconfig)) as client:
        yield client


@pytest.fixture
def objects(client: ApiClient, namespace: str) -> Objects:
    return Objects(client, namespace)

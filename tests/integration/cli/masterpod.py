"""A master that the API server's proxy reaches as one in a pod: it runs in the test, and a Pod has its address."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.integration.running.parts import Part, master
from tests.integration.running.world import World

from tender.cluster.resources import PODS

IMAGE = "tender.dev/tender:1.2.3"


@asynccontextmanager
async def master_in_a_pod(world: World, kubeconfig: Path, **settings: Any) -> AsyncIterator[Part]:
    """A master that has run a cycle, and its pod in the world's namespace."""
    async with master(world, kubeconfig, host="0.0.0.0", **settings) as part:
        await add_master_pod(world, own_address(), part.port)
        yield part


async def add_master_pod(world: World, address: str, port: int) -> None:
    """A ready pod as the chart makes it of the master, that serves at this address."""
    labels = {"app.kubernetes.io/part-of": "tender", "app.kubernetes.io/component": "master"}
    ports = [{"name": "metrics", "containerPort": port}]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tender-master-0", "namespace": world.namespace, "labels": labels},
        "spec": {"containers": [{"name": "master", "image": IMAGE, "ports": ports}]},
    }
    await world.client.create(PODS, pod)
    ready = {"type": "Ready", "status": "True"}
    status = {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running", "conditions": [ready]}
    await world.client.patch_status(PODS, "tender-master-0", status, namespace=world.namespace)


def own_address() -> str:
    """An address of this machine that is not loopback, to which the API server's proxy does not go."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("198.51.100.1", 9))  # sends nothing: it only asks the machine for a route
        address: str = one.getsockname()[0]
        return address

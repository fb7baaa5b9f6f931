"""One load after the other on one cluster, with Tender running beside: how long each takes, what it costs, and the
cleaning up after it.
"""

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass, field
from typing import Any

from tests.bench.frameworks.observer import Observer
from tests.bench.frameworks.shapes import GROUP_ROLE, Manifest, Shape
from tests.bench.report import cpu_seconds
from tests.bench.traffic import api_writes, growth

from cluster import LocalCluster
from cluster.fake import FakeNodes
from tender.api.names import API_VERSION
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, ApiError
from tender.cluster.resources import (
    CONTROLLER_REVISIONS,
    FRAMEWORK_ROLES,
    FRAMEWORKS,
    NODES,
    PODS,
    RESOURCE_OFFERS,
    Resource,
)

NAMESPACE = "default"
PATIENCE_SECONDS, PATIENCE_SECONDS_PER_POD = 60.0, 0.2
CLEANING_SECONDS = 300.0
REST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What one load came to: `seconds` until all was ready, or until it was given up with `reached` pods ready."""

    seconds: float
    reached: int | None = None
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    writes_per_pod: dict[str, float] = field(default_factory=dict)


class Bench:
    """A cluster that is up, and Tender's processes in it by name."""

    def __init__(self, cluster: LocalCluster, client: Client, observer: Observer, tender: dict[str, int]) -> None:
        self._cluster = cluster
        self._client = client
        self._observer = observer
        self._processes = {**cluster.pids(), **tender, "bench": os.getpid()}

    async def measure(self, shape: Shape, size: int, within: float) -> Measured:
        """Ask for N pods in this shape and time it; give up after these seconds."""
        frameworks = shape.frameworks(size)
        cpu_before = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        writes_before = await api_writes(self._cluster)
        begun = time.monotonic()
        asking = asyncio.create_task(self._ask_for(frameworks, shape.writes_at_once))
        reached = None
        try:
            async with asyncio.timeout(min(within, PATIENCE_SECONDS + size * PATIENCE_SECONDS_PER_POD)):
                await self._observer.until_ready(size, len(frameworks))
            seconds = self._observer.last_change - begun
        except TimeoutError:
            reached = self._observer.ready_pods
            seconds = time.monotonic() - begun
            asking.cancel()
        cpu = {name: cpu_seconds(pid) - cpu_before[name] for name, pid in self._processes.items()}
        written = growth(writes_before, await api_writes(self._cluster))
        await asyncio.gather(asking, return_exceptions=reached is not None)
        return Measured(seconds, reached, cpu, {name: count / size for name, count in written.items()})

    async def _ask_for(self, frameworks: list[Manifest], at_once: int) -> None:
        left = iter(frameworks)

        async def ask() -> None:
            for framework in left:
                await self._client.create(FRAMEWORKS, framework)

        await asyncio.gather(*(ask() for _ in range(min(at_once, len(frameworks)))))

    async def clean_up(self) -> None:
        """Remove all frameworks, pods and offers, and wait until they are gone and Tender has come to rest.

        Raises TimeoutError if that takes too long.
        """
        async with asyncio.timeout(CLEANING_SECONDS):
            # Nobody collects garbage here, and what an earlier framework of the same name has left is not taken over.
            for resource in (FRAMEWORKS, PODS, RESOURCE_OFFERS, CONTROLLER_REVISIONS):
                await self._remove_all(resource)
            await self._observer.until_empty()
        await asyncio.sleep(REST_SECONDS)

    async def _remove_all(self, resource: Resource) -> None:
        while True:
            with contextlib.suppress(ApiError):  # what a server that is busy leaves is asked for again
                await self._client.delete_collection(resource, namespace=NAMESPACE, grace_seconds=0)
                if not (await self._client.list_page(resource, namespace=NAMESPACE, limit=1)).items:
                    return
            await asyncio.sleep(0.2)


async def prepare(client: Client, nodes: int) -> None:
    """The role of the group, and so many nodes that are ready without anybody who keeps them so."""
    role = {"apiVersion": API_VERSION, "kind": "FrameworkRole", "metadata": {"name": GROUP_ROLE}, "spec": {}}
    with contextlib.suppress(AlreadyExists):
        await client.create(FRAMEWORK_ROLES, role)
    await asyncio.gather(*(_add_node(client, node) for node in FakeNodes(nodes).objects()))


async def _add_node(client: Client, node: dict[str, Any]) -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Made", "message": "made by a benchmark"}
    node["status"]["conditions"] = [ready]
    with contextlib.suppress(AlreadyExists):
        await client.create(NODES, node)
        # The API server adds not-ready:NoSchedule to every new node; a node controller would take it off.
        await client.patch(NODES, node["metadata"]["name"], {"spec": {"taints": None}})

"""What a provisioner, kube-scheduler and the controller manager would do for pods with volumes: claims are bound, pods
that are pinned to a node get there, and claims that are deleted go.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tender.api.core import Pod, VolumeClaim, decode_pod, decode_volume_claim
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Conflict, NotFound
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import PODS, VOLUME_CLAIMS, Resource


@dataclass
class Volumes:
    """Serves the pods and claims of one namespace."""

    client: Client
    namespace: str

    def __post_init__(self) -> None:
        self._work: set[asyncio.Task[None]] = set()
        self._pods = ListWatch(self.client, PODS, decode_pod, on_change=self._pod_changed, namespace=self.namespace)
        self._claims = ListWatch(
            self.client, VOLUME_CLAIMS, decode_volume_claim, on_change=self._claim_changed, namespace=self.namespace
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Volumes"]:
        followers = [asyncio.create_task(self._pods.run()), asyncio.create_task(self._claims.run())]
        try:
            yield self
        finally:
            for task in (*followers, *self._work):
                task.cancel()
            await asyncio.gather(*followers, *self._work, return_exceptions=True)

    def _pod_changed(self, _old: Pod | None, new: Pod | None) -> None:
        if new is not None and not new.spec.node_name and not new.leaving:
            self._start(self._bind(new.metadata.name))

    def _claim_changed(self, _old: VolumeClaim | None, new: VolumeClaim | None) -> None:
        if new is not None and new.metadata.deletion_timestamp is not None:
            self._start(self._let_go(new.metadata.name))
        elif new is not None and not new.bound:
            self._start(self._provide(new.metadata.name))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_unless_gone(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _bind(self, pod: str) -> None:
        spec = (await self.client.get(PODS, pod, namespace=self.namespace))["spec"]
        required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        [[node]] = [field["values"] for field in required["nodeSelectorTerms"][0]["matchFields"]]
        await self.client.create(
            Resource("", "v1", f"pods/{pod}/binding", "Binding"),
            {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": pod, "namespace": self.namespace},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            },
        )

    async def _provide(self, claim: str) -> None:
        await self.client.patch_status(VOLUME_CLAIMS, claim, {"phase": "Bound"}, namespace=self.namespace)

    async def _let_go(self, claim: str) -> None:
        await self.client.patch(VOLUME_CLAIMS, claim, {"metadata": {"finalizers": None}}, namespace=self.namespace)


async def _unless_gone(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (NotFound, Conflict):
        return
    except ApiError as error:
        if error.status not in {0, 409}:
            raise

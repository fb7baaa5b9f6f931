"""The others: services of one pod that come at a steady rate, and how long each waits for its pod's place."""

import asyncio
import contextlib
import time

from tests.bench.frameworks.shapes import Manifest

from tender.api.core import Pod
from tender.api.names import API_VERSION, LABEL_FRAMEWORK
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.resources import FRAMEWORKS, PODS

NAMESPACE = "default"
PATIENCE_SECONDS = 60.0


class Others:
    """Creates services and takes their times. Has to be told of the changes of pods."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._placed: dict[str, asyncio.Event] = {}
        self._round = 0

    def pod_changed(self, _: Pod | None, pod: Pod | None) -> None:
        """A pod came, changed or went."""
        event = self._placed.get(pod.metadata.labels.get(LABEL_FRAMEWORK, "")) if pod is not None else None
        if event is not None and pod is not None and pod.spec.node_name:
            event.set()

    async def measure(self, count: int, per_second: float) -> list[float]:
        """So many services, one after the other; seconds from the creation of each until its pod has a node.

        One that gets none in a minute counts with a minute.
        """
        self._round += 1
        begun = time.monotonic()
        waits = []
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            waits.append(asyncio.create_task(self._one(f"other-{self._round}-{number:04d}")))
        return await asyncio.gather(*waits)

    async def _one(self, name: str) -> float:
        placed = self._placed[name] = asyncio.Event()
        begun = time.monotonic()
        await self._client.create(FRAMEWORKS, _service(name))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await placed.wait()
        seconds = time.monotonic() - begun
        del self._placed[name]
        with contextlib.suppress(ApiError):
            await self._client.delete(FRAMEWORKS, name, namespace=NAMESPACE)
        return seconds

    async def clean_up(self) -> None:
        """Remove their pods: nobody collects garbage here."""
        selector = f"{LABEL_FRAMEWORK}"
        await self._client.delete_collection(PODS, namespace=NAMESPACE, label_selector=selector, grace_seconds=0)


def _service(name: str) -> Manifest:
    requests = {"cpu": "100m", "memory": "64Mi"}
    pod = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
        "containers": [{"name": "main", "image": "tender.dev/pause:1", "resources": {"requests": requests}}],
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "Framework",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"service": {"replicas": 1, "template": {"spec": pod}}},
    }

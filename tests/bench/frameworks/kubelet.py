"""What the nodes of this benchmark do: they declare the pods that are bound to them running and ready.

It stands in for kwok: with that, and a whole control plane beside, 500 pods took 6.3 s of CPU time instead of 2.6 s.
"""

import asyncio
import contextlib
from datetime import UTC, datetime

from tender.api.core import Pod
from tender.cluster.client import Client
from tender.cluster.errors import NotFound
from tender.cluster.resources import PODS


class Kubelet:
    """The kubelets of all nodes. Has to be told of the changes of pods."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._starting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """A pod came, changed or went."""
        if new is None:
            if old is not None:
                self._starting.discard(old.metadata.uid)
        elif new.spec.node_name and new.status.phase == "Pending" and new.metadata.uid not in self._starting:
            self._starting.add(new.metadata.uid)
            task = asyncio.create_task(self._start(new))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _start(self, pod: Pod) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [
            {"type": name, "status": "True", "lastTransitionTime": now}
            for name in ("Initialized", "Ready", "ContainersReady")
        ]
        status = {"phase": "Running", "startTime": now, "conditions": conditions}
        with contextlib.suppress(NotFound):
            await self._client.patch_status(PODS, pod.metadata.name, status, namespace=pod.metadata.namespace)

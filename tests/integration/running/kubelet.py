"""What the nodes of a test and the garbage collector would do to pods: run them, end them, and sweep up orphans."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tender.api.core import Pod, decode_pod
from tender.api.framework import Framework
from tender.cluster.client import Client
from tender.cluster.errors import Conflict, NotFound
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORKS, PODS


@dataclass
class Kubelet:
    """Declares pods of one namespace running and ready, or failed, and ends those that are deleted.

    Attributes: `fails(pod)` says whether a new pod fails; `born` are the names of all pods ever seen, by uid;
    `most` is how many ran or were to run at one time.
    """

    client: Client
    namespace: str
    fails: Callable[[Pod], bool] = lambda _: False
    born: dict[str, str] = field(default_factory=dict)
    most: int = 0

    def __post_init__(self) -> None:
        self._work: set[asyncio.Task[None]] = set()
        self._owners: set[str] = set()
        self._pods = ListWatch(self.client, PODS, decode_pod, on_change=self._pod_changed, namespace=self.namespace)
        self._frameworks: ListWatch[Framework] = ListWatch(
            self.client,
            FRAMEWORKS,
            Framework.model_validate_json,
            on_change=self._framework_changed,
            namespace=self.namespace,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Kubelet"]:
        followers = [asyncio.create_task(self._pods.run()), asyncio.create_task(self._frameworks.run())]
        try:
            await asyncio.gather(self._pods.synced.wait(), self._frameworks.synced.wait())
            yield self
        finally:
            for task in (*followers, *self._work):
                task.cancel()
            await asyncio.gather(*followers, *self._work, return_exceptions=True)

    @property
    def alive(self) -> list[Pod]:
        """The pods that run or are to run."""
        return [pod for pod in self._pods.objects.values() if not pod.leaving and not pod.terminated]

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        self.most = max(self.most, len(self.alive))
        if new is None:
            return
        self.born.setdefault(new.metadata.uid, new.metadata.name)
        if new.leaving:
            self._start(new, self._end)
        elif new.spec.node_name and new.status.phase == "Pending":
            self._start(new, self._run)

    def _framework_changed(self, old: Framework | None, new: Framework | None) -> None:
        if new is None and old is not None:
            for pod in self._pods.objects.values():
                if pod.controller is not None and pod.controller.uid == old.metadata.uid:
                    self._start(pod, self._end)

    def _start(self, pod: Pod, work: Callable[[Pod], "asyncio.Future[None] | object"]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work(pod))  # type: ignore[arg-type]
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _run(self, pod: Pod) -> None:
        failed = self.fails(pod)
        status = {
            "phase": "Failed" if failed else "Running",
            "conditions": [{"type": "Ready", "status": "False" if failed else "True"}],
        }
        try:
            await self.client.patch_status(PODS, pod.metadata.name, status, namespace=self.namespace)
        except NotFound:
            return

    async def _end(self, pod: Pod) -> None:
        try:
            await self.client.delete(
                PODS, pod.metadata.name, namespace=self.namespace, uid=pod.metadata.uid, grace_seconds=0
            )
        except (NotFound, Conflict):
            return

"""What the API shows of a load, to somebody who is no part of Tender: how many pods and frameworks are ready, and since
when.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec

from tender.api.core import Pod, decode_pod
from tender.cluster.client import Client
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORKS, PODS, Resource

T = TypeVar("T")


class _Condition(msgspec.Struct, frozen=True):
    type: str
    status: str


class _Status(msgspec.Struct, frozen=True):
    conditions: list[_Condition] = []


class _Framework(msgspec.Struct, frozen=True):
    """All that is read of a framework."""

    status: _Status = _Status()

    @property
    def ready(self) -> bool:
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)


class Observer:
    """Watches pods and frameworks. `last_change` is when (monotonic seconds) something became ready last.

    `on_pod` is told of every change of a pod.
    """

    def __init__(self, client: Client, on_pod: Callable[[Pod | None, Pod | None], None]) -> None:
        self._client = client
        self._on_pod = on_pod
        self._changed = asyncio.Event()
        self.ready_pods = 0
        self.ready_frameworks = 0
        self.last_change = 0.0
        self._pods = self._follow(PODS, decode_pod, self._pod_changed)
        self._frameworks = self._follow(FRAMEWORKS, msgspec.json.Decoder(_Framework).decode, self._framework_changed)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """The counts are kept up to date inside."""
        caches = (self._pods, self._frameworks)
        tasks = [asyncio.create_task(cache.run()) for cache in caches]
        try:
            await asyncio.gather(*(cache.synced.wait() for cache in caches))
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until_ready(self, pods: int, frameworks: int) -> None:
        """Wait until so many pods run and are ready, and so many frameworks are."""
        await self._until(lambda: self.ready_pods >= pods and self.ready_frameworks >= frameworks)

    async def until_empty(self) -> None:
        """Wait until nothing is left."""
        await self._until(lambda: not (self._pods.objects or self._frameworks.objects))

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._changed.clear()
            await self._changed.wait()

    def _follow(
        self, resource: Resource, decode: Callable[[bytes], T], on_change: Callable[[T | None, T | None], None]
    ) -> ListWatch[T]:
        return ListWatch(self._client, resource, decode, on_change=on_change)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        self.ready_pods += self._more(old is not None and old.ready, new is not None and new.ready)
        self._on_pod(old, new)

    def _framework_changed(self, old: _Framework | None, new: _Framework | None) -> None:
        self.ready_frameworks += self._more(old is not None and old.ready, new is not None and new.ready)

    def _more(self, before: bool, after: bool) -> int:
        self._changed.set()
        if after and not before:
            self.last_change = time.monotonic()
        return after - before

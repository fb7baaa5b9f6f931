"""Kubernetes Events: what `kubectl describe` shows people about an object.

An event tells of one change of state. They are a courtesy: callers hand them over and go on, they are posted
one after the other in the background, and what cannot be posted is dropped and counted.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from tender.api.meta import CustomResource
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.resources import EVENTS, Resource

log = structlog.get_logger(__name__)

_LONGEST_NOTE = 1024  # bytes; the API server refuses more
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object that an event is about."""

    resource: Resource
    name: str
    namespace: str = ""
    uid: str = ""

    @classmethod
    def to(cls, resource: Resource, target: CustomResource) -> "Regarding":
        """The reference to a custom resource as it is known."""
        metadata = target.metadata
        return cls(resource, metadata.name, metadata.namespace or "", metadata.uid or "")

    @property
    def reference(self) -> dict[str, str]:
        """The reference as the API server takes it."""
        fields = {
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
        }
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class _Entry:
    regarding: Regarding
    reason: str
    note: str
    warning: bool
    action: str
    at: datetime


class EventRecorder:
    """Posts events in the name of `controller` (such as "tender-master"), running as `instance` (its pod's
    name).

    The same reason and note about the same object are not repeated within `window` seconds. At most
    `capacity` events wait; further ones are dropped, counted in `dropped`, as are those that the API server
    refuses.
    """

    def __init__(
        self,
        client: Client,
        *,
        controller: str,
        instance: str,
        window: float = 300.0,
        capacity: int = 1000,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: random.Random | None = None,
    ) -> None:
        self.dropped = 0
        self._client = client
        self._controller = controller
        self._instance = instance
        self._window = window
        self._clock = clock
        self._now = now
        self._rng = rng or random.Random()
        self._capacity = capacity
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue(capacity)
        self._told: dict[tuple[Regarding, str, str], float] = {}  # in the order of time

    def record(
        self,
        regarding: Regarding,
        reason: str,
        note: str,
        *,
        warning: bool = False,
        action: str = "Reconcile",
    ) -> None:
        """Hand over one event; returns at once and never raises. `reason` and `action` are CamelCase
        words.
        """
        if not self._is_news((regarding, reason, note)):
            return
        entry = _Entry(regarding, reason, note, warning, action, self._now())
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Post what was handed over, until cancelled."""
        while True:
            entry = await self._queue.get()
            try:
                await self._client.create(EVENTS, self._event(entry))
            except ApiError as error:
                self.dropped += 1
                log.warning("event not posted", reason=entry.reason, error=str(error))
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        """Return when all that was handed over has been posted or dropped; `run()` has to be running."""
        await self._queue.join()

    def _is_news(self, event: tuple[Regarding, str, str]) -> bool:
        now = self._clock()
        while self._told:
            oldest = next(iter(self._told))
            if now - self._told[oldest] < self._window and len(self._told) <= self._capacity:
                break
            del self._told[oldest]
        if event in self._told:
            return False
        self._told[event] = now
        return True

    def _event(self, entry: _Entry) -> dict[str, Any]:
        suffix = f".{self._rng.getrandbits(64):016x}"
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": entry.regarding.name[: _LONGEST_NAME - len(suffix)] + suffix,
                "namespace": entry.regarding.namespace or "default",
            },
            "eventTime": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"tender.dev/{self._controller}",
            "reportingInstance": self._instance,
            "action": entry.action,
            "reason": entry.reason,
            "regarding": entry.regarding.reference,
            "note": entry.note.encode()[:_LONGEST_NOTE].decode(errors="ignore"),
            "type": "Warning" if entry.warning else "Normal",
        }

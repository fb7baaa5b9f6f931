"""When the status of a framework is written, and the write: news at once, figures a while after they have changed or
with the next news, and changed demands no faster than the master can follow.

A framework that starts changes its figures at every step, and each of them for a moment only. To write a status is the
dearest request that Tender makes (twice a claim, five times a pod: `make bench-frameworks`), so figures wait for what
comes of them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tender.api.framework import Framework, FrameworkStatus
from tender.cluster.client import Client
from tender.cluster.errors import NotFound
from tender.cluster.resources import FRAMEWORKS
from tender.controller.news import is_news
from tender.controller.registry import Key, key_of
from tender.controller.view import View
from tender.frameworks.sdk.revival import Revival


class StatusWriter:
    """Writes statuses as the field manager `manager`; figures `interval` seconds after they began to differ."""

    def __init__(
        self, client: Client, view: View, *, manager: str, interval: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._view = view
        self._manager = manager
        self._interval = interval
        self._clock = clock
        self._differs_since: dict[Key, float] = {}
        self._revivals: dict[Key, Revival] = {}

    def due(self, framework: Framework, status: Mapping[str, Any]) -> tuple[float | None, bool]:
        """When the status must be written if not now, and whether now: news at once, mere figures when they have
        differed for a while, and a changed demand when the framework may change it again.
        """
        future = FrameworkStatus.model_validate(status)
        wanted, present = future.manifest(), framework.status.manifest()
        present.pop("allocation", None)
        key, now = key_of(framework), self._clock()
        if wanted == present:
            self._differs_since.pop(key, None)
            return None, False
        due = self._differs_since.setdefault(key, now) + self._interval
        if now < due and not is_news(wanted, present):
            return due, False
        if framework.status.demand is not None and future.demand_revision != framework.status.demand_revision:
            revival = self._revivals.get(key, Revival())
            if not revival.allowed(now):
                return revival.next_at(now), False
            self._revivals[key] = revival.after(now)
        return None, True

    async def write(self, framework: Framework, status: Mapping[str, Any]) -> None:
        """Write the status now; raises ApiError."""
        self._differs_since.pop(key_of(framework), None)
        try:
            written = await self._client.apply_status(
                FRAMEWORKS,
                framework.metadata.name,
                status,
                namespace=framework.metadata.namespace,
                field_manager=self._manager,
            )
        except NotFound:
            return
        self._view.framework_written(Framework.read(written))

    def forget(self, framework: Key) -> None:
        """The framework is gone."""
        self._differs_since.pop(framework, None)
        self._revivals.pop(framework, None)

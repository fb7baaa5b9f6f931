"""Whether the API server answers: a small read every few seconds, for probes to look at."""

import asyncio
import time
from collections.abc import Callable

import structlog

from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.resources import Resource
from tender.cluster.retry import ONCE

log = structlog.get_logger(__name__)


class Pulse:
    """Reads one object of `resource`, in `namespace` if one is given, every `interval` seconds; `silence()` tells how
    long there was no answer.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        namespace: str | None = None,
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._interval = interval
        self._clock = clock
        self._last = clock()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._client.list_page(self._resource, namespace=self._namespace, limit=1, retry=ONCE)
                self._last = self._clock()
            except ApiError as error:
                log.warning("the API server does not answer", error=str(error))
            await asyncio.sleep(self._interval)

    def silence(self) -> float:
        """Seconds since the last answer."""
        return self._clock() - self._last

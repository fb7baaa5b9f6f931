"""A complete list of the custom resources, at the start and again from time to time.

The first one is what the master starts from: no offer is made before it is complete. The later ones find what a
broken watch did not tell (kopf, unlike the list-watch cache, does not notice what was deleted while it was away).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Gone
from tender.cluster.resources import Resource
from tender.master.registry import Registry

log = structlog.get_logger(__name__)


class Census:
    """Lists every kind in full into its registry. `complete` is set after the first time."""

    def __init__(
        self,
        client: Client,
        registries: Sequence[tuple[Resource, Registry[Any]]],
        interval: float,
        corrected: Callable[[str, int], None],
    ) -> None:
        self._client = client
        self._registries = registries
        self._interval = interval
        self._corrected = corrected
        self.complete = asyncio.Event()

    async def run(self) -> None:
        """Take a census every `interval` seconds; before the first is complete, try every second."""
        while True:
            try:
                for resource, registry in self._registries:
                    await self._count(resource, registry)
                self.complete.set()
            except ApiError as error:
                log.warning("census interrupted", error=str(error))
            await asyncio.sleep(self._interval if self.complete.is_set() else 1.0)

    async def _count(self, resource: Resource, registry: Registry[Any]) -> None:
        manifests: list[dict[str, Any]] = []
        token = ""
        while True:
            try:
                page = await self._client.list_page(resource, continue_token=token)
            except Gone:
                manifests, token = [], ""
                continue
            manifests += [msgspec.json.decode(item) for item in page.items]
            token = page.metadata.continue_
            if not token:
                break
        gone = registry.replace(manifests, page.metadata.resource_version)
        if gone and self.complete.is_set():
            log.warning("objects were gone unnoticed", resource=resource.plural, objects=gone)
            self._corrected(resource.plural, len(gone))

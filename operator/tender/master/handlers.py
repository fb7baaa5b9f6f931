"""The kopf handlers: each hands one change of a custom resource to its registry, and nothing more.

Only low-level event handlers are used: they leave no annotations or finalizers on the objects, and the state that they
feed is compared by version, so a change told twice or late does no harm.
"""

import logging
from collections.abc import Sequence
from typing import Any

import kopf
import structlog

from tender.cluster.resources import Resource
from tender.master.registry import Registry, key_in

log = structlog.get_logger(__name__)

Kinds = Sequence[tuple[Resource, Registry[Any]]]


def register(operator: kopf.OperatorRegistry, kinds: Kinds) -> None:
    """Register a handler for every kind."""
    for resource, registry in kinds:
        _register(operator, resource, registry)


def configure(settings: kopf.OperatorSettings) -> None:
    """Settings under which kopf only watches: no scanning, no peering, no events of its own, no annotations."""
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # it would log every change that is handed on
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 360
    settings.networking.request_timeout = 30
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.persistence.progress_storage = _NoProgress()


def _register(operator: kopf.OperatorRegistry, resource: Resource, registry: Registry[Any]) -> None:
    @kopf.on.event(
        resource.group, resource.version, resource.plural, registry=operator, id=f"{resource.plural}-changed"
    )
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        manifest: dict[str, Any] = dict(event["object"])
        metadata = manifest["metadata"]
        if event["type"] == "DELETED":
            registry.drop(key_in(metadata), metadata["uid"])
        else:
            registry.put(manifest)


class _NoDiffs(kopf.DiffBaseStorage):
    """Extracts nothing of an object: kopf would copy all of it at every event, for handlers of a kind not used here."""

    def build(self, **_: object) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: object) -> None:
        return None

    def store(self, **_: object) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    """Looks for nothing on an object: handlers of events have no progress that could be kept there."""

    def fetch(self, **_: object) -> None:
        return None

    def store(self, **_: object) -> None:
        return None

    def purge(self, **_: object) -> None:
        return None

    def touch(self, **_: object) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence

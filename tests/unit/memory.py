"""An API server in memory, as far as frameworks and what is theirs need one, with the client that writes to it.

It judges as the real one does: a name is given once, a version must be current, the first answer to an offer stays, a
claim never exceeds its slice, and a volume claim stays for as long as a pod uses it. What changes is told to a view
when the test says so, so a cache can lag.
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import msgspec

from tender.api.core import Node
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.api.quantities import parse_resources
from tender.api.role import FrameworkRole
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from tender.cluster.resources import (
    FRAMEWORK_ROLES,
    FRAMEWORKS,
    NODES,
    PODS,
    RESOURCE_OFFERS,
    VOLUME_CLAIMS,
    Resource,
)
from tender.controller.kinds import KINDS
from tender.controller.view import View

Manifest = dict[str, Any]
Listener = Callable[[Any, Any], object]
Refuse = Callable[[str, Resource, str], ApiError | None]

_READ: dict[Resource, Callable[[Manifest], Any]] = {
    FRAMEWORKS: Framework.read,
    RESOURCE_OFFERS: ResourceOffer.read,
    FRAMEWORK_ROLES: FrameworkRole.read,
    NODES: lambda manifest: msgspec.convert(manifest, Node),
    **{resource: kind.read for resource, kind in KINDS.items()},
}
_PROTECTED = "kubernetes.io/pvc-protection"


class ProcessEnded(BaseException):
    """The process that wrote is no more: nothing it does has an effect."""


class MemoryApi:
    """The objects by kind and name, all in one namespace.

    `writes` tells every write of a client as (verb, kind, name), `created_names` those of the pods that were created;
    `on_change` is called after every change.
    """

    def __init__(self) -> None:
        self.objects: dict[Resource, dict[str, Manifest]] = {kind: {} for kind in _READ}
        self.writes: list[tuple[str, str, str]] = []
        self.created_names: list[str] = []
        self.on_change: Callable[[], None] = lambda: None
        self._version = 0
        self._uids = 0

    def put(self, kind: Resource, manifest: Mapping[str, Any]) -> Manifest:
        """Set an object, whoever did it."""
        self._version += 1
        kept: Manifest = copy.deepcopy(dict(manifest))
        metadata = kept["metadata"]
        if not metadata.get("uid"):
            self._uids += 1
            metadata["uid"] = f"uid-{self._uids}"
        metadata["resourceVersion"] = str(self._version)
        self.objects[kind][metadata["name"]] = kept
        self.on_change()
        return kept

    def remove(self, kind: Resource, name: str) -> None:
        """An object is gone for good, and with a pod the volume claims that were deleted while it used them."""
        del self.objects[kind][name]
        if kind is PODS:
            for claim, manifest in list(self.objects[VOLUME_CLAIMS].items()):
                if "deletionTimestamp" in manifest["metadata"] and not self.is_mounted(claim):
                    del self.objects[VOLUME_CLAIMS][claim]
        self.on_change()

    def is_mounted(self, claim: str) -> bool:
        """Whether a pod uses a volume claim."""
        return any(
            volume.get("persistentVolumeClaim", {}).get("claimName") == claim
            for pod in self.objects[PODS].values()
            for volume in pod["spec"].get("volumes", ())
        )

    def read(self, kind: Resource) -> dict[str, Any]:
        """The objects of a kind, as models."""
        return {name: _READ[kind](manifest) for name, manifest in self.objects[kind].items()}


class Cache:
    """What one process is told: `catch_up` tells everything that has changed since the last time.

    `listeners` take the changes of a kind as (old, new).
    """

    def __init__(self, api: MemoryApi, listeners: Mapping[Resource, Listener]) -> None:
        self._api = api
        self._listeners = listeners
        self._told: dict[Resource, dict[str, Any]] = {kind: {} for kind in listeners}

    @property
    def kinds(self) -> tuple[Resource, ...]:
        """The kinds that it tells of."""
        return tuple(self._listeners)

    def catch_up(self, *kinds: Resource) -> None:
        """Tell of the changes of these kinds, by default of all."""
        for kind in kinds or self.kinds:
            before, after = self._told[kind], self._api.read(kind)
            for name in before.keys() | after.keys():
                old, new = before.get(name), after.get(name)
                if old is None or new is None or old.metadata.resource_version != new.metadata.resource_version:
                    self._listeners[kind](old, new)
            self._told[kind] = after


def cache_of(view: View, api: MemoryApi) -> Cache:
    """The caches of a controller."""
    listeners: dict[Resource, Listener] = {
        FRAMEWORKS: view.framework_changed,
        NODES: view.node_changed,
        RESOURCE_OFFERS: view.offer_changed,
        **{kind: partial(view.child_changed, kind) for kind in KINDS},
    }
    return Cache(api, listeners)


class MemoryClient:
    """The verbs that the controller uses.

    `refuse(verb, kind, name)` may give the error of a call; after `lifetime` writes the process that uses it has ended:
    the last write has its effect, and nobody learns of it. `rng` mixes the order in which calls made at once arrive.
    """

    def __init__(
        self,
        api: MemoryApi,
        *,
        refuse: Refuse | None = None,
        lifetime: int | None = None,
        rng: Random | None = None,
    ) -> None:
        self.api = api
        self._rng = rng
        self.refuse = refuse or (lambda *_: None)
        self._left = lifetime

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Manifest:
        await self._arrive("get", resource, name)
        return copy.deepcopy(self._existing(resource, name))

    async def create(self, resource: Resource, body: Manifest, *, metadata_only: bool = False) -> Manifest:
        name = body["metadata"]["name"]
        await self._arrive("create", resource, name)
        if name in self.api.objects[resource]:
            raise AlreadyExists(409, "AlreadyExists", f"{name} exists already")
        if resource is PODS:
            self.api.created_names.append(name)
        self.api.put(resource, {**body, "status": {"phase": "Pending"}} if resource is PODS else body)
        return self._written("create", resource, name)

    async def apply(self, resource: Resource, body: Manifest, *, field_manager: str | None = None) -> Manifest:
        name = body["metadata"]["name"]
        await self._arrive("apply", resource, name)
        present = self.api.objects[resource].get(name, {"metadata": {}})
        applied = {**present, **body, "metadata": {**present["metadata"], **body["metadata"]}}
        if applied != present:
            self.api.put(resource, applied)
        return self._written("apply", resource, name)

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        uid: str | None = None,
        grace_seconds: int | None = None,
    ) -> Manifest:
        await self._arrive("delete", resource, name)
        present = self._existing(resource, name)
        if uid not in {None, present["metadata"]["uid"]}:
            raise Conflict(409, "Conflict", f"{name} has another uid")
        stays = self._marks_of_the_end(resource, name, grace_seconds)
        if stays is None:
            self.api.remove(resource, name)
        else:
            self.api.put(resource, {**present, "metadata": {**present["metadata"], **stays}})
        return self._written("delete", resource, name)

    def _marks_of_the_end(self, resource: Resource, name: str, grace_seconds: int | None) -> Manifest | None:
        """The metadata of an object that is deleted and still there; None for one that goes at once."""
        marks = {"deletionTimestamp": "2026-05-01T12:00:00Z"}
        if resource is PODS and grace_seconds != 0:
            return {**marks, "deletionGracePeriodSeconds": grace_seconds or 30}
        if resource is VOLUME_CLAIMS and self.api.is_mounted(name):
            return {**marks, "deletionGracePeriodSeconds": 0, "finalizers": [_PROTECTED]}
        return None

    async def patch_status(
        self,
        resource: Resource,
        name: str,
        status: Mapping[str, Any],
        *,
        namespace: str | None = None,
        resource_version: str | None = None,
    ) -> Manifest:
        await self._arrive("patch", resource, name)
        present = self._existing(resource, name)
        if resource_version not in {None, present["metadata"]["resourceVersion"]}:
            raise Conflict(409, "Conflict", f"{name} has changed")
        _judge(present, status)
        self.api.put(resource, {**present, "status": {**present.get("status", {}), **status}})
        return self._written("patch", resource, name)

    async def apply_status(
        self,
        resource: Resource,
        name: str,
        status: Mapping[str, Any],
        *,
        namespace: str | None = None,
        field_manager: str | None = None,
    ) -> Manifest:
        await self._arrive("apply", resource, name)
        present = self._existing(resource, name)
        kept = {part: value for part, value in present.get("status", {}).items() if part == "allocation"}
        self.api.put(resource, {**present, "status": {**kept, **status}})
        return self._written("apply", resource, name)

    def _existing(self, resource: Resource, name: str) -> Manifest:
        if name not in self.api.objects[resource]:
            raise NotFound(404, "NotFound", f"{name} is not there")
        return self.api.objects[resource][name]

    async def _arrive(self, verb: str, resource: Resource, name: str) -> None:
        for _ in range(self._rng.randrange(4) if self._rng else 0):
            await asyncio.sleep(0)
        if self._left == 0:
            raise ProcessEnded
        error = self.refuse(verb, resource, name)
        if error is not None:
            raise error

    def _written(self, verb: str, resource: Resource, name: str) -> Manifest:
        self.api.writes.append((verb, resource.kind, name))
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise ProcessEnded
        return copy.deepcopy(self.api.objects[resource].get(name, {}))


def _judge(offer: Manifest, status: Mapping[str, Any]) -> None:
    """The rules that the CRD of ResourceOffer has for an answer."""
    if offer.get("status", {}).get("phase", "Offered") != "Offered":
        raise Invalid(422, "Invalid", "the offer has been answered already")
    for claim in status.get("claims", ()):
        offered = parse_resources(offer["spec"]["slices"][claim["slice"]]["resources"])
        for resource, amount in parse_resources(claim["resources"]).items():
            if amount > offered.get(resource, -1):
                raise Invalid(422, "Invalid", "a claim is larger than its slice")

"""The custom resources of one kind as the master knows them, whoever tells of them first.

kopf delivers changes, a census (a complete list) corrects them, and the master's own writes are known before either
arrives. Versions order the three: what is older than what is known is ignored, and what was deleted does not come
back through a late event. kopf alone would not notice an object that was deleted while its watch was broken.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import pydantic

from tender.api.meta import CustomResource

T = TypeVar("T", bound=CustomResource)
_MOST_TOMBSTONES = 10_000


def key_of(resource: CustomResource) -> str:
    """The key of a resource: "namespace/name", or the name alone for a cluster-scoped kind."""
    return "/".join(part for part in resource.key if part)


def key_in(metadata: Mapping[str, Any]) -> str:
    """The same key, from metadata as the API server sends it."""
    return "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)


class Registry(Generic[T]):
    """Objects by key ("namespace/name"), with a callback for every change.

    `on_change(old, new)` is synchronous; `on_invalid(key, message)` tells of an object that breaks the schema, which
    is then treated as absent. `hold_back(known, manifest)` says whether a newer version is to wait, unread: whoever
    says so puts it again later.
    """

    def __init__(
        self,
        model: type[T],
        on_change: Callable[[T | None, T | None], None],
        on_invalid: Callable[[str, str], None],
        hold_back: Callable[[T, Mapping[str, Any]], bool] = lambda known, manifest: False,
    ) -> None:
        self.model = model
        self.objects: dict[str, T] = {}
        self._on_change = on_change
        self._on_invalid = on_invalid
        self._hold_back = hold_back
        self._invalid: dict[str, int] = {}
        self._gone: dict[str, None] = {}
        self._doubted: set[str] = set()

    def put(self, manifest: Mapping[str, Any]) -> T | None:
        """Take note of an object as the API server sent it; the model of it, or None if it is stale or invalid."""
        metadata = manifest["metadata"]
        key = key_in(metadata)
        if metadata["uid"] in self._gone:
            return None
        known = self.objects.get(key)
        version = int(metadata["resourceVersion"])
        if known is not None and version <= int(known.metadata.resource_version or 0):
            return known
        if version < self._invalid.get(key, 0):
            return None
        if known is not None and self._hold_back(known, manifest):
            return known
        try:
            resource = self.model.read(manifest)
        except pydantic.ValidationError as error:
            self._refuse(key, version, error)
            return None
        self._invalid.pop(key, None)
        self._set(key, resource)
        return resource

    def expect(self, resource: T) -> None:
        """Take note of an object that is about to be created; it has no uid and no version yet."""
        self._set(key_of(resource), resource)

    def forsake(self, key: str) -> None:
        """An expected object was not created after all."""
        known = self.objects.get(key)
        if known is not None and known.metadata.uid is None:
            self._drop(key)

    def doubt(self, key: str) -> None:
        """Nobody knows whether an expected object was created: the next census decides."""
        known = self.objects.get(key)
        if known is not None and known.metadata.uid is None:
            self._doubted.add(key)

    def drop(self, key: str, uid: str | None) -> None:
        """An object was deleted; a later one of the same name is left alone."""
        self._bury(uid)
        self._invalid.pop(key, None)
        known = self.objects.get(key)
        if known is not None and known.metadata.uid in {uid, None}:
            self._drop(key)

    def replace(self, manifests: Sequence[Mapping[str, Any]], version: str) -> list[str]:
        """A census: these were all objects at the list's version. Returns the keys that were gone unnoticed."""
        present = set()
        for manifest in manifests:
            metadata = manifest["metadata"]
            present.add(key_in(metadata))
            self.put(manifest)
        gone = [
            key
            for key, known in self.objects.items()
            if key not in present and self._should_be_listed(key, known, int(version))
        ]
        for key in gone:
            self._bury(self.objects[key].metadata.uid)
            self._drop(key)
        self._doubted -= present
        self._invalid = {key: found for key, found in self._invalid.items() if key in present}
        return gone

    def _should_be_listed(self, key: str, known: T, version: int) -> bool:
        if known.metadata.resource_version is None:
            return key in self._doubted
        return int(known.metadata.resource_version) <= version

    def _set(self, key: str, resource: T) -> None:
        old = self.objects.get(key)
        self.objects[key] = resource
        self._doubted.discard(key)
        self._on_change(old, resource)

    def _drop(self, key: str) -> None:
        old = self.objects.pop(key, None)
        self._doubted.discard(key)
        if old is not None:
            self._on_change(old, None)

    def _bury(self, uid: str | None) -> None:
        if uid is None:
            return
        self._gone[uid] = None
        while len(self._gone) > _MOST_TOMBSTONES:
            del self._gone[next(iter(self._gone))]

    def _refuse(self, key: str, version: int, error: pydantic.ValidationError) -> None:
        if self._invalid.get(key) != version:
            self._invalid[key] = version
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            self._on_invalid(key, f"{field}: {first['msg']}")
        self._drop(key)

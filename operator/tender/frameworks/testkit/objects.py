"""What an API server holds, as manifests by kind and name, and the rules by which it takes what is written.

A name is given once; uids are never used again; every change has a new resourceVersion, and one that changes nothing
has none; the generation counts changes of the spec. Reading gives the models that planners see.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pydantic

from tender.api import core
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.api.reservation import Reservation
from tender.api.timestamps import timestamp
from tender.frameworks.testkit.verdicts import BrokenRule

Manifest = dict[str, Any]
"""An object as decoded JSON."""


def _reader(model: type) -> Callable[[Manifest], Any]:
    return lambda manifest: msgspec.convert(manifest, model)


_READ: dict[str, Callable[[Manifest], Any]] = {
    "Framework": Framework.read,
    "ResourceOffer": ResourceOffer.read,
    "Reservation": Reservation.read,
    "Node": _reader(core.Node),
    "Pod": _reader(core.Pod),
    "PersistentVolumeClaim": _reader(core.VolumeClaim),
    "ConfigMap": _reader(core.ConfigMap),
    "ControllerRevision": _reader(core.ControllerRevision),
}


class Objects:
    """The objects of one namespace, and the nodes."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Manifest]] = {}
        self._version = 0
        self._uids = 0

    def find(self, kind: str, name: str) -> Manifest | None:
        """An object as it is now, not to be changed; None if there is none."""
        return self._objects.get(kind, {}).get(name)

    def names(self, kind: str) -> list[str]:
        """The names of the objects of a kind, sorted."""
        return sorted(self._objects.get(kind, {}))

    def read(self, kind: str) -> list[Any]:
        """The objects of a kind as the models that planners see, by name; other kinds as their metadata."""
        read = _READ.get(kind, _reader(core.Child))
        return [read(manifest) for _, manifest in sorted(self._objects.get(kind, {}).items())]

    def create(self, manifest: Mapping[str, Any], now: float) -> Manifest:
        """Make a new object. Raises KeyError if its name is taken, BrokenRule if it is not valid."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if name in self._objects.get(kind, {}):
            raise KeyError(name)
        self._uids += 1
        made = copy.deepcopy(dict(manifest))
        made["metadata"] = {
            **made["metadata"],
            "uid": made["metadata"].get("uid") or f"uid-{self._uids}",
            "generation": 1,
            "creationTimestamp": timestamp(int(now)),
        }
        return self._put(kind, name, made)

    def apply(self, manifest: Mapping[str, Any], now: float) -> bool:
        """Have an object be like this: what the manifest says is so, what it does not speak of stays. Whether that
        changed anything.
        """
        present = self.find(manifest["kind"], manifest["metadata"]["name"])
        if present is None:
            self.create(manifest, now)
            return True
        return self._change(present, merged(present, manifest))

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> bool:
        """Merge into an object (RFC 7386: None removes). Whether that changed anything. Raises KeyError if there is
        none.
        """
        present = self._objects[kind][name]
        return self._change(present, merged(present, patch))

    def set_status(self, kind: str, name: str, status: Mapping[str, Any]) -> bool:
        """Replace the whole status of an object. Whether that changed anything."""
        present = self._objects[kind][name]
        return self._change(present, {**present, "status": copy.deepcopy(dict(status))})

    def remove(self, kind: str, name: str) -> None:
        """An object is gone for good."""
        del self._objects[kind][name]

    def _change(self, present: Manifest, wanted: Manifest) -> bool:
        if wanted == present:
            return False
        if wanted.get("spec") != present.get("spec"):
            generation = present["metadata"].get("generation", 1) + 1
            wanted = {**wanted, "metadata": {**wanted["metadata"], "generation": generation}}
        self._put(present["kind"], present["metadata"]["name"], wanted)
        return True

    def _put(self, kind: str, name: str, manifest: Manifest) -> Manifest:
        self._version += 1
        manifest = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(self._version)}}
        try:
            if kind in _READ:
                _READ[kind](manifest)
        except (pydantic.ValidationError, msgspec.ValidationError) as error:
            raise BrokenRule(f"the API server refuses {kind} {name}: {error}") from None
        self._objects.setdefault(kind, {})[name] = manifest
        return manifest


def merged(present: Mapping[str, Any], patch: Mapping[str, Any]) -> Manifest:
    """A manifest with a merge patch applied to it (RFC 7386)."""
    result = dict(present)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = copy.deepcopy(value)
    return result

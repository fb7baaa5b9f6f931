"""The versions of a framework that are recorded, each in a ControllerRevision: numbers, manifests, and which may go.

A version is what was recorded of a spec, as a JSON value; its name follows from that value, so that recording it twice
makes one object. Numbers grow: the version that is wanted has the highest, and gets it again when an earlier version
comes back, as with Deployments. What was recorded never changes; the API server would not let it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tender.api.core import ControllerRevision
from tender.api.framework import Framework
from tender.frameworks.sdk.model import Remove
from tender.frameworks.sdk.ownership import digest, joined_name, owned_metadata

Revisions = Iterable[ControllerRevision]


def version_name(framework: Framework, data: Mapping[str, Any]) -> str:
    """The name of the ControllerRevision that records this."""
    return joined_name(framework.metadata.name, digest(data))


def named(name: str, revisions: Revisions) -> ControllerRevision | None:
    """The recorded version of this name, or None."""
    return next((one for one in revisions if one.metadata.name == name), None)


def numbered(number: int, revisions: Revisions) -> ControllerRevision | None:
    """The recorded version of this number, or None."""
    return next((one for one in revisions if one.revision == number), None)


def numbers(revisions: Revisions) -> str:
    """The numbers that there are, for people."""
    return ", ".join(str(number) for number in sorted({one.revision for one in revisions})) or "none"


def to_record(
    framework: Framework, data: Mapping[str, Any], revisions: Revisions, labels: Mapping[str, str] | None = None
) -> tuple[Mapping[str, Any], ...]:
    """The manifest that records this as the newest version; nothing if it is recorded so already."""
    name = version_name(framework, data)
    present = named(name, revisions)
    highest = max((one.revision for one in revisions if one.metadata.name != name), default=0)
    if present is not None and present.revision > highest:
        return ()
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": owned_metadata(framework, name, labels),
        "data": data if present is None else present.data,
        "revision": highest + 1,
    }
    return (manifest,)


def to_forget(revisions: Revisions, limit: int, in_use: Collection[str]) -> tuple[Remove, ...]:
    """The versions beyond the newest `limit`, besides those whose names are in use."""
    former = sorted(
        (one for one in revisions if one.metadata.name not in in_use), key=lambda one: one.revision, reverse=True
    )
    return tuple(
        Remove(
            "ControllerRevision",
            one.metadata.name,
            one.metadata.uid,
            f"version {one.revision} is beyond the {limit} former versions to be kept",
        )
        for one in former[limit:]
    )

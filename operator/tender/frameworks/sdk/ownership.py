"""What a framework's objects besides its pods have in common: whose they are, and whether they are as wanted.

An object of which only the metadata is seen (a Service) carries a hash of the manifest that was last applied to it.
Where that differs from the hash of what is wanted now, or is missing, the object is applied anew.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tender.api.core import ObjectMeta
from tender.api.framework import Framework
from tender.api.names import ANNOTATION_APPLIED, API_VERSION, LABEL_FRAMEWORK

_LONGEST_NAME = 63
_DIGITS = 10


def owner_of(framework: Framework) -> dict[str, Any]:
    """The ownerReference of what belongs to the framework and goes away with it."""
    return {
        "apiVersion": API_VERSION,
        "kind": Framework.KIND,
        "name": framework.metadata.name,
        "uid": framework.metadata.uid,
        "controller": True,
    }


def owned_metadata(framework: Framework, name: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The metadata of an object of this name that belongs to the framework; `labels` beside the framework's."""
    return {
        "name": name,
        "namespace": framework.metadata.namespace,
        "labels": {**(labels or {}), LABEL_FRAMEWORK: framework.metadata.name},
        "ownerReferences": [owner_of(framework)],
    }


def digest(value: Any) -> str:
    """Ten hexadecimal digits that differ for JSON values that differ; the order of fields does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def joined_name(framework: str, distinction: str) -> str:
    """Both with a hyphen between, in at most 63 characters; what has to be cut is told apart by a hash of the whole."""
    whole = f"{framework}-{distinction}"
    if len(whole) <= _LONGEST_NAME:
        return whole
    return f"{framework[: _LONGEST_NAME - _DIGITS - 1].rstrip('-.')}-{digest(whole)}"


def marked(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with a hash of itself in the annotation `tender.dev/applied`."""
    metadata = dict(manifest["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION_APPLIED: digest(manifest)}
    return {**manifest, "metadata": metadata}


def as_marked(present: ObjectMeta, wanted: Mapping[str, Any]) -> bool:
    """Whether the object that is there was last applied as this marked manifest says."""
    annotations: Mapping[str, str] = wanted["metadata"]["annotations"]
    return present.annotations.get(ANNOTATION_APPLIED) == annotations[ANNOTATION_APPLIED]

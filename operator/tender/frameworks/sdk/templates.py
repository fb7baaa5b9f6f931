"""From a pod template to a shape of task: what a pod of it takes, which nodes suit it, and the hash of its revision."""

from collections.abc import Mapping
from typing import Any

import pydantic

from tender.api.framework import DemandEntry, Framework
from tender.api.placement import Constraints
from tender.api.requests import template_requests
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.ownership import digest

_NAME_FOR_CHECKS = "task"


def bare(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with nothing but what pods take from it: spec, labels and annotations, without fields that are null.

    It has the same revision, and is what is recorded of a template.
    """
    parts = taken(template)
    metadata = {part: parts[part] for part in ("labels", "annotations") if parts[part]}
    return {"metadata": metadata, "spec": parts["spec"]}


def template_revision(template: Mapping[str, Any]) -> str:
    """A hash of what pods take from a template; any change of that makes a new revision."""
    return digest(taken(template))


def shape_of(
    framework: Framework,
    template: Mapping[str, Any],
    *,
    count: int,
    name: str | None = None,
    revision: str | None = None,
    constraints: Constraints = (),
    group: str = "",
    peers: tuple[str, ...] = (),
) -> Shape:
    """The shape of the template's pods; `name` and `revision` are the template's hash where they are not given.

    Raises ValueError, naming the field of the template, for one that nobody could place.
    """
    spec = template["spec"]
    requests = template_requests(spec)
    choice = {"nodeSelector": spec.get("nodeSelector") or {}, "tolerations": spec.get("tolerations") or []}
    try:
        DemandEntry.model_validate({"name": _NAME_FOR_CHECKS, "requests": {"pods": 1}, "count": 0, **choice})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"spec.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    own = [toleration.manifest() for toleration in framework.spec.tolerations]
    revision = revision or template_revision(template)
    return Shape(
        name=name or revision,
        count=count,
        requests=requests,
        template=template,
        revision=revision,
        node_selector=dict(choice["nodeSelector"]),
        tolerations=tuple(own + list(choice["tolerations"])),
        constraints=constraints,
        group=group,
        peers=peers,
    )


def taken(template: Mapping[str, Any]) -> dict[str, Any]:
    """What pods take from a template, as `spec`, `labels` and `annotations`; fields that are null count as absent."""
    metadata = template.get("metadata") or {}
    parts = {"spec": template["spec"], **{part: metadata.get(part) or {} for part in ("labels", "annotations")}}
    return {name: _without_nulls(part) for name, part in parts.items()}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value

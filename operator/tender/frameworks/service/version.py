"""The versions of a service: what is recorded of its spec, and which one a rollback or a halt goes back to.

A version is the template with the constraints and the strategies that apply to it. Pods are told apart by the hash of
the template alone: a change of the rest makes a version of its own, and restarts nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from tender.api.core import ControllerRevision, Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_REVISION
from tender.api.service import ServiceSpec
from tender.frameworks.sdk.model import Seen
from tender.frameworks.sdk.templates import bare, template_revision
from tender.frameworks.sdk.versions import version_name

_STRATEGIES = ("constraints", "update_strategy", "backoff", "unreachable")


@dataclass(frozen=True, slots=True)
class Version:
    """One version: `spec` is the service's with what the version says, `name` that of the ControllerRevision."""

    spec: ServiceSpec
    revision: str
    name: str


def specified(framework: Framework, spec: ServiceSpec) -> Version:
    """The version that the spec's fields make."""
    return Version(spec, template_revision(spec.template), version_name(framework, recorded_data(spec)))


def recorded_data(spec: ServiceSpec) -> dict[str, Any]:
    """What is recorded of a spec. Defaults are left out: written out, they make no other version."""
    strategies = spec.model_dump(mode="json", by_alias=True, include=set(_STRATEGIES), exclude_defaults=True)
    return {**strategies, "template": bare(spec.template)}


def recorded(spec: ServiceSpec, revision: ControllerRevision) -> Version | None:
    """The version that was recorded, with all that is not part of a version as in `spec`; None if it is none."""
    if not isinstance(revision.data, Mapping):
        return None
    try:
        former = ServiceSpec.model_validate(revision.data)
    except pydantic.ValidationError:
        return None
    parts = ("template", *_STRATEGIES)
    combined = spec.model_copy(update={part: getattr(former, part) for part in parts})
    return Version(combined, template_revision(former.template), revision.metadata.name)


def standing(seen: Seen, spec: ServiceSpec, target: Version | None) -> Version | None:
    """The version that ran before `target`, for pods that are lost while nothing is exchanged.

    It is the newest other one that pods are of; where there are none, the one that pods were last launched of; where
    that is not recorded, `target`.
    """
    of_target = target.revision if target is not None else None
    with_pods = {revision_of(pod) for pod in seen.pods} - {of_target}
    newest_first = sorted(seen.revisions, key=lambda one: one.revision, reverse=True)
    last = seen.framework.status.revision
    chosen = [one for one in newest_first if one.metadata.labels.get(LABEL_REVISION) in with_pods]
    chosen += [one for one in newest_first if last and one.metadata.labels.get(LABEL_REVISION) == last != of_target]
    versions = (recorded(spec, one) for one in chosen)
    return next((one for one in versions if one is not None), target)


def in_use(seen: Seen, *versions: Version | None) -> frozenset[str]:
    """The names of the recorded versions that may not be forgotten: these, and the newest of each that pods are of."""
    names = {one.name for one in versions if one is not None}
    newest = {
        one.metadata.labels.get(LABEL_REVISION): one.metadata.name
        for one in sorted(seen.revisions, key=lambda one: one.revision)
    }
    return frozenset(names | {newest[revision] for pod in seen.pods if (revision := revision_of(pod)) in newest})


def revision_of(pod: Pod) -> str | None:
    """The hash of the template that the pod was made from."""
    return pod.metadata.labels.get(LABEL_REVISION)

"""What a service is on the way to: which version, of how many pods, and whether something holds it up.

It is held up
- by mistakes that a person has to mend: a version that is not recorded, a template that nobody could place,
  dependencies in a circle;
- by `paused`;
- by dependencies that are not ready, but only as long as the newest generation has not been rolled out to its end:
  after that a missing pod was lost, and lost pods are replaced whatever becomes of the dependencies.

While it is held up no pods are exchanged, and lost ones are replaced by pods of the version that ran before. A mistake
or a dependency also holds back pods that were not there before: there are never more than the last generation that was
rolled out had (`status.settledReplicas`), or than there are now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tender.api.conditions import State
from tender.api.core import Pod
from tender.api.service import ServiceSpec
from tender.frameworks.sdk.constraints import mistakes
from tender.frameworks.sdk.dependencies import dependencies_of
from tender.frameworks.sdk.model import Seen
from tender.frameworks.sdk.templates import shape_of
from tender.frameworks.sdk.versions import numbered, numbers
from tender.frameworks.service.version import Version, recorded, revision_of, specified, standing

Told = tuple[State, str, str]
"""What people are told: the condition, its reason and its message."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a service is on the way to.

    `target` is the version that the spec asks for, `run` the one that pods are launched of; None where there is none
    that could be. `replicas` is how many pods there are to be, `held` says that no pods are exchanged, and `told` why,
    if that holds anything back.
    """

    target: Version | None
    run: Version | None
    replicas: int
    held: bool = False
    told: Told | None = None


def target_of(seen: Seen, spec: ServiceSpec) -> Version | Told:
    """The version that the spec asks for, or what is wrong with it."""
    if spec.rollback_to is None:
        target: Version | None = specified(seen.framework, spec)
        place = "spec.service.template"
    else:
        revision = numbered(spec.rollback_to, seen.revisions)
        target = recorded(spec, revision) if revision is not None else None
        place = f"version {spec.rollback_to}: template"
    if target is None:
        there_are = f"recorded are {numbers(seen.revisions)}"
        message = f"spec.service.rollbackTo: there is no version {spec.rollback_to}, {there_are}; what runs stays"
        return "Stalled", "NoSuchVersion", message
    if wrong := _what_is_wrong(seen, target):
        return "Stalled", "InvalidTemplate", f"{place}: {wrong}"
    if mistaken := mistakes(target.spec.constraints):
        return "Stalled", "InvalidConstraint", f"spec.service.constraints: {mistaken}"
    return target


def course_of(seen: Seen, spec: ServiceSpec, target: Version | Told, active: Sequence[Pod]) -> Course:
    """What the service is on the way to; `active` are the pods that count for it."""
    had = max(seen.framework.status.settled_replicas or 0, len(active))
    if isinstance(target, tuple):
        run = standing(seen, spec, None)
        return Course(None, run if run and not _what_is_wrong(seen, run) else None, had, True, target)
    dependencies = dependencies_of(seen.framework, seen.frameworks)
    settled = seen.framework.status.settled_generation == seen.framework.metadata.generation
    waits = bool(dependencies.message) and not settled
    if not (waits or dependencies.cycle or spec.paused):
        return Course(target, target, spec.replicas)
    run = standing(seen, spec, target) or target
    replicas = min(spec.replicas, had) if waits else spec.replicas
    others = any(revision_of(pod) != target.revision for pod in active)
    if dependencies.cycle:
        told: Told | None = ("Stalled", "DependencyCycle", dependencies.message)
    elif not (others or run.revision != target.revision or replicas < spec.replicas):
        told = None
    elif waits:
        told = ("Reconciling", "WaitingForDependencies", f"spec.dependsOn: {dependencies.message}")
    else:
        told = ("Reconciling", "Paused", "the newest template waits until spec.service.paused is false")
    return Course(target, run, replicas, True, told)


def _what_is_wrong(seen: Seen, version: Version) -> str:
    """Why nobody could place the version's pods; empty if somebody could."""
    try:
        shape_of(seen.framework, version.spec.template, count=0)
    except ValueError as error:
        return str(error)
    return ""

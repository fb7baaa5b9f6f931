"""What a service wants next: the planner of `spec.service`.

It puts the parts together: what is asked for and what holds it up (`course`), what there is (`presence`), how pods are
exchanged (`update`, `selection`), how long failures are waited out (`backoff`, `failures`), what is recorded
(`version`), the Kubernetes Service in front (`exposure`), and what people are told (`told`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tender.api.core import Pod
from tender.api.names import LABEL_FRAMEWORK, LABEL_REVISION
from tender.api.service import ServiceSpec
from tender.api.timestamps import timestamp
from tender.frameworks.sdk.model import Plan, Remove, Seen, Shape, Stop
from tender.frameworks.sdk.templates import shape_of
from tender.frameworks.sdk.versions import named, to_forget, to_record
from tender.frameworks.service.backoff import Backoff, recorded_backoff
from tender.frameworks.service.course import Course, Told, course_of, target_of
from tender.frameworks.service.exposure import exposed
from tender.frameworks.service.failures import failed, note_of, youngest
from tender.frameworks.service.presence import Presence, bearing_silence, presence_of
from tender.frameworks.service.room import no_place
from tender.frameworks.service.selection import Selection, to_exchange
from tender.frameworks.service.told import Situation, notes_of, state_of
from tender.frameworks.service.update import Bounds, bounds_of, exchanged, surplus, wanted_new
from tender.frameworks.service.version import Version, in_use, recorded_data, revision_of


def plan_service(seen: Seen) -> Plan:
    """The plan of a service."""
    framework, now = seen.framework, seen.now
    spec = framework.spec.service
    if spec is None:
        raise ValueError(f"framework {framework.metadata.name}: spec.service is not set")
    target = target_of(seen, spec)
    presence = presence_of(seen, spec.unreachable if isinstance(target, tuple) else target.spec.unreachable)
    course = course_of(seen, spec, target, presence.active)
    run = course.run
    if run is None:
        return _nothing_to_run(seen, course, presence)
    keep, forget = _versions(seen, spec, course, run)
    new = [pod for pod in presence.of(run.revision) if not to_exchange(pod)]
    old = [pod for pod in presence.active if revision_of(pod) != run.revision or to_exchange(pod)]
    bounds = bounds_of(course.replicas, run.spec.update_strategy)
    by = Selection(run.spec, presence.active, seen.nodes, presence.silent)
    wanted, stops = _exchange(course, presence, new, old, bounds, by)
    stops += surplus(presence.inactive, len(presence.inactive) - course.replicas, by)
    shape = _shape(seen, run, presence, wanted, len(new))
    failures = failed(pod for pod in presence.ended if revision_of(pod) == run.revision)
    before = recorded_backoff(framework.status, run.revision, run.spec.backoff)
    backoff = before.after(youngest=youngest(failures, now), now=now)
    service = exposed(framework, run.spec, seen.services)
    missing = max(0, wanted - len(new))
    situation = Situation(
        framework=framework,
        course=course,
        presence=presence,
        new=new,
        old=old,
        bounds=bounds,
        missing=missing,
        stopping=len(stops),
        failed=failures,
        backoff_before=before,
        backoff=backoff,
        exposure_mistake=service.mistake,
        no_place=no_place(framework, shape, seen.nodes) if missing else None,
        now=now,
    )
    state = state_of(situation)
    holding = backoff.until > now
    wakes = (
        backoff.until if holding else backoff.forgotten_at if backoff.failures else None,
        presence.wake_at,
        situation.wake_at,
    )
    return Plan(
        shapes=(shape,),
        stops=(
            *(Stop(pod.metadata.name, pod.metadata.uid, "the pod has ended") for pod in presence.ended),
            *(
                Stop(pod.metadata.name, pod.metadata.uid, f"node {pod.spec.node_name} does not answer", 0)
                for pod in presence.given_up
            ),
            *stops,
        ),
        status={
            **_figures(seen, presence, course),
            **_settled(seen, course, state),
            **_running(seen, run),
            **_backoff_status(backoff),
        },
        state=state,
        hold_until=backoff.until if holding else 0.0,
        wake_at=min((at for at in wakes if at is not None), default=None),
        notes=(*note_of(failures, before, backoff, now), *notes_of(situation, state)),
        keep=(*keep, *service.keep),
        remove=(*forget, *service.remove),
    )


def _nothing_to_run(seen: Seen, course: Course, presence: Presence) -> Plan:
    """The plan where no version is known that pods could be launched of: what there is stays as it is."""
    status = {**_figures(seen, presence, course), **_settled(seen, course, None)}
    told = course.told or ("Stalled", "NoSuchVersion", "no version is recorded")
    return Plan(shapes=(), stops=(), status=status, state=told, wake_at=presence.wake_at)


def _exchange(
    course: Course, presence: Presence, new: list[Pod], old: list[Pod], bounds: Bounds, by: Selection
) -> tuple[int, list[Stop]]:
    """How many of the pods that stay (`new`) there are to be, and which pods go for them.

    While nothing is exchanged, pods of the newest version that a change has brought beyond the replicas may stay.
    """
    replicas = course.replicas
    if not course.held:
        return wanted_new(replicas, len(old), bounds), exchanged(new, old, replicas, bounds, by)
    there_are = len(presence.active)
    newest = len(presence.of(course.target.revision)) if course.target is not None else 0
    beyond = min(newest, bounds.most - replicas) if newest < there_are else 0
    return len(new) + max(0, replicas - there_are), surplus(presence.active, there_are - replicas - beyond, by)


def _shape(seen: Seen, run: Version, presence: Presence, wanted: int, new: int) -> Shape:
    """The shape of the pods; pods that are kept besides are in its count, since whoever matches offers counts them."""
    shape = shape_of(
        seen.framework,
        run.spec.template,
        count=wanted + presence.of_task(run.revision) - new,
        constraints=run.spec.constraints,
        peers=presence.peers,
    )
    return replace(shape, template=bearing_silence(run.spec.template, run.spec.unreachable))


def _versions(
    seen: Seen, spec: ServiceSpec, course: Course, run: Version
) -> tuple[tuple[Mapping[str, Any], ...], tuple[Remove, ...]]:
    """The version that is to be recorded, and those that are to be forgotten once it is."""
    target = course.target
    if target is None:
        return (), ()
    keep: tuple[Mapping[str, Any], ...] = ()
    if spec.rollback_to is None:
        labels = {LABEL_REVISION: target.revision}
        keep = to_record(seen.framework, recorded_data(target.spec), seen.revisions, labels)
    if keep:
        return keep, ()
    return (), to_forget(seen.revisions, spec.revision_history_limit, in_use(seen, target, run))


def _figures(seen: Seen, presence: Presence, course: Course) -> dict[str, Any]:
    target = course.target
    return {
        "replicas": len(presence.live),
        "readyReplicas": len(presence.ready),
        "updatedReplicas": len(presence.of(target.revision)) if target is not None else 0,
        "selector": f"{LABEL_FRAMEWORK}={seen.framework.metadata.name}",
    }


def _settled(seen: Seen, course: Course, state: Told | None) -> dict[str, Any]:
    """The newest generation that was rolled out to its end."""
    status = seen.framework.status
    generation, replicas = status.settled_generation, status.settled_replicas
    if state is not None and state[0] == "Ready":
        generation, replicas = seen.framework.metadata.generation, course.replicas
    told = {"settledGeneration": generation, "settledReplicas": replicas}
    return {name: value for name, value in told.items() if value is not None}


def _running(seen: Seen, run: Version) -> dict[str, Any]:
    """Which version pods are launched of; its number once it is recorded."""
    recorded = named(run.name, seen.revisions)
    number = {} if recorded is None else {"version": recorded.revision}
    return {"revision": run.revision, **number}


def _backoff_status(backoff: Backoff) -> dict[str, Any]:
    if not backoff.failures:
        return {}
    return {"backoff": {"failures": backoff.failures, "until": timestamp(backoff.until)}}

"""What a stateful service wants next: the planner of `spec.stateful`. It puts the parts of this package together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tender.api.framework import Framework
from tender.api.stateful import DECOMMISSION, DEPLOY, UPDATE, StatefulSpec, StatefulStatus
from tender.api.timestamps import timestamp
from tender.frameworks.sdk.model import Plan, Seen, Stop
from tender.frameworks.sdk.ownership import owned_metadata
from tender.frameworks.stateful.acting import act
from tender.frameworks.stateful.assignments import Assignment, assign
from tender.frameworks.stateful.course import Course, Progress, Run, recorded_runs
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.demand import queued_after, reserving_since, shapes
from tender.frameworks.stateful.exposure import headless_service
from tender.frameworks.stateful.following import follow_all
from tender.frameworks.stateful.history import Settled, forgotten, settle
from tender.frameworks.stateful.instances import Instance, gather, instance_labels, strangers
from tender.frameworks.stateful.orders import PodAnswers, answer_pods
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.recording import next_record, run_for_hook
from tender.frameworks.stateful.records import Record
from tender.frameworks.stateful.recovery import last_replacement, to_replace
from tender.frameworks.stateful.requests import PlanAnswers, answer_plans
from tender.frameworks.stateful.scene import Scene
from tender.frameworks.stateful.steps import courses, why_not_ready
from tender.frameworks.stateful.targets import Target
from tender.frameworks.stateful.told import figures, notes_of, state, stateful_status

LOOK_AGAIN_SECONDS = 30.0
"""How soon one that waits for others looks again whether it still has to."""


def plan_stateful(seen: Seen, *, reserve_discipline: int = 0) -> Plan:
    """The plan of a stateful service. `reserve_discipline`: how many services of the namespace may ask for places at a
    time; 0: all.
    """
    spec = seen.framework.spec.stateful
    if spec is None:
        raise ValueError(f"framework {seen.framework.metadata.name}: spec.stateful is not set")
    settled = settle(seen)
    if settled.target is None:
        return _before_the_first(seen, settled)
    scene, instances = _scene(seen, spec, settled, settled.target)
    status = seen.framework.status.stateful or StatefulStatus()
    overrides = Overrides.read(status)
    first = seen.framework.status.settled_generation is None
    all_courses = courses(scene.target, instances, scene.runs, first=first)
    answers = _answer(scene, spec, status, overrides, all_courses, instances)
    progress = follow_all(_in_turn(all_courses, overrides), overrides)
    rollout = progress[0]
    replaced_at = max(last_replacement(instances), _epoch(status.replaced_at))
    moved, next_move = to_replace(instances, spec.recovery, replaced_at, seen.now)
    orders = (*answers.plans.orders, *answers.pods.orders)
    assignments = assign(scene.target, instances, all_courses, progress, overrides, orders, moved)
    outcome = _each(scene, instances, assignments)
    runs = _with_hooks(scene, instances, answers.plans.runs)
    reserving = reserving_since(scene, instances, rollout, status.reserving_since)
    queued = queued_after(scene, instances, reserving, reserve_discipline)
    told = _told(scene, instances, answers, runs, progress, first=first)
    others = [one for one in progress[1:] if one.state not in ("Complete", "Pending")]
    final = state(settled, rollout, others, outcome.deeds, queued)
    wakes = [deeds.wake_at for deeds in outcome.deeds.values()]
    wakes += [next_move, seen.now + LOOK_AGAIN_SECONDS if queued else None]
    strange = strangers(seen, instances)
    return Plan(
        shapes=() if queued else shapes(scene, instances, assignments, outcome.deeds),
        stops=(
            *(stop for deeds in outcome.deeds.values() for stop in deeds.stops),
            *(
                Stop(pod.metadata.name, pod.metadata.uid, "it is no pod of the service")
                for pod in strange
                if not pod.leaving
            ),
        ),
        status={
            **figures(seen, scene.target, settled, instances),
            **_settled_generation(seen.framework, settled, rollout),
            "stateful": {
                **stateful_status(
                    settled,
                    scene.target,
                    instances,
                    outcome.deeds,
                    [one.status for one in told],
                    answers.pods.overrides,
                    (answers.plans.results, answers.pods.results),
                ),
                **({"replacedAt": timestamp(int(replaced_at))} if replaced_at else {}),
                **({"reservingSince": timestamp(int(reserving))} if reserving is not None else {}),
            },
        },
        state=final,
        wake_at=min((at for at in wakes if at is not None), default=None),
        notes=notes_of(seen, final, outcome.records, instances),
        keep=(
            *settled.keep,
            *headless_service(seen, scene.target),
            *outcome.keep,
            *(one for deeds in outcome.deeds.values() for one in deeds.keep),
        ),
        remove=(
            *(one for deeds in outcome.deeds.values() for one in deeds.remove),
            *forgotten(settled.history, _running(instances)),
        ),
        launches=tuple(launch for deeds in outcome.deeds.values() for launch in deeds.launches),
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    plans: PlanAnswers
    pods: PodAnswers


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is done for each pod; the records that change, and their manifests."""

    deeds: Mapping[str, Deeds]
    records: Mapping[str, Record]
    keep: tuple[Mapping[str, Any], ...]


def _before_the_first(seen: Seen, settled: Settled) -> Plan:
    """The plan before any target is recorded: nothing runs, and the first one is recorded if it may be."""
    reason: tuple[Any, str, str] = ("Reconciling", "NewTarget", "the spec becomes the first target")
    if settled.problem:
        reason = ("Stalled", "InvalidTarget", settled.problem)
    elif settled.waiting.cycle:
        reason = ("Stalled", "DependencyCycle", settled.waiting.message)
    elif settled.waiting.message:
        reason = ("Reconciling", "WaitingForDependencies", settled.waiting.message)
    status: dict[str, Any] = {"replicas": 0, "readyReplicas": 0, "updatedReplicas": 0}
    if settled.problem:
        failed = {"name": DEPLOY, "status": "Error", "message": settled.problem[:1024]}
        status["stateful"] = {"plans": [failed]}
    return Plan(shapes=(), stops=(), status=status, state=reason, keep=settled.keep)


def _scene(seen: Seen, spec: StatefulSpec, settled: Settled, target: Target) -> tuple[Scene, dict[str, Instance]]:
    plans = {request.id: request.plan for request in spec.plan_requests}
    custom = {plan.name for plan in target.plans if plan.name not in (DEPLOY, UPDATE)}
    runs = {name: run for name, run in recorded_runs(seen.framework.status.stateful).items() if name in custom}
    return Scene(seen, target, settled.history, runs, plans), gather(seen, target)


def _answer(
    scene: Scene,
    spec: StatefulSpec,
    status: StatefulStatus,
    overrides: Overrides,
    all_courses: tuple[Course, ...],
    instances: Mapping[str, Instance],
) -> _Answers:
    records = {name: one.record.requests for name, one in instances.items() if one.record is not None}
    parameters = {plan.name: plan.parameters for plan in scene.target.plans if plan.name not in (DEPLOY, UPDATE)}
    plans = answer_plans(
        spec.plan_requests, status.plan_requests, overrides, scene.runs, all_courses, parameters, records, scene.now
    )
    pods = answer_pods(spec.pod_requests, status.pod_requests, plans.overrides, instances.keys(), records)
    return _Answers(plans, pods)


def _in_turn(all_courses: tuple[Course, ...], overrides: Overrides) -> tuple[Course, ...]:
    """The plans to follow now: pods are removed only when the others are as they should be."""
    (rollout,) = follow_all(all_courses[:1], overrides)
    if rollout.state == "Complete":
        return all_courses
    return tuple(course for course in all_courses if course.name != DECOMMISSION)


def _each(scene: Scene, instances: Mapping[str, Instance], assignments: Mapping[str, Assignment]) -> _Outcome:
    deeds: dict[str, Deeds] = {}
    records: dict[str, Record] = {}
    keep = []
    for name, one in instances.items():
        wanted = assignments[name]
        record = next_record(scene, one, wanted)
        if record is None:
            deeds[name] = act(scene, one, wanted)
            continue
        records[name] = record
        metadata = owned_metadata(scene.framework, one.pod_name, instance_labels(one.set_name, one.index))
        keep.append(record.manifest(metadata))
        after = replace(one, record=record)
        ready = one.pod is not None and one.pod.ready and record.at_rest
        # What is asked of offers must not change for one turn and back.
        asks = one.place is None and one.pod is None and one.record is not None and not record.replacing
        deeds[name] = Deeds(
            status="Running" if ready else "Starting", message="" if ready else why_not_ready(after), needs_place=asks
        )
    return _Outcome(deeds, records, tuple(keep))


def _with_hooks(scene: Scene, instances: Mapping[str, Instance], runs: Mapping[str, Run]) -> dict[str, Run]:
    """The runs with those that follow the replacement of a pod; one at a time for each plan."""
    started = dict(runs)
    for one in instances.values():
        run = run_for_hook(scene, one)
        if run is not None and (run.plan not in started or started[run.plan].ended):
            known = started.get(run.plan)
            started[run.plan] = known if known is not None and known.id == run.id else run
    return started


def _told(
    scene: Scene,
    instances: Mapping[str, Instance],
    answers: _Answers,
    runs: Mapping[str, Run],
    progress: tuple[Progress, ...],
    *,
    first: bool,
) -> tuple[Progress, ...]:
    """The plans as people are told of them: with what was answered in this turn."""
    overrides = answers.pods.overrides
    if runs == scene.runs and overrides == Overrides.read(scene.framework.status.stateful):
        return progress
    return follow_all(_in_turn(courses(scene.target, instances, runs, first=first), overrides), overrides)


def _settled_generation(framework: Framework, settled: Settled, rollout: Progress) -> dict[str, Any]:
    """The generation that was rolled out to its end: this one, if it was, or the one before."""
    known = framework.status.settled_generation
    if settled.current and rollout.state == "Complete" and framework.metadata.generation is not None:
        known = framework.metadata.generation
    return {} if known is None else {"settledGeneration": known}


def _running(instances: Mapping[str, Instance]) -> list[tuple[str, str]]:
    return [
        (one.set_name, one.record.revision)
        for one in instances.values()
        if one.record is not None and one.record.revision
    ]


def _epoch(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0

"""What people are told of a stateful service: its state and what it waits for, its plans, and where each pod stands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tender.api.conditions import State, own_conditions
from tender.api.names import LABEL_FRAMEWORK, LABEL_PART, LABEL_REVISION
from tender.api.stateful import DECOMMISSION, InstanceStatus, PlanStatus, RequestResult
from tender.frameworks.sdk.model import Note, Seen
from tender.frameworks.stateful.course import Progress
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.history import Settled
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.records import Record
from tender.frameworks.stateful.targets import Target

_MOST_PODS = 512
_LONGEST_MESSAGE = 512
_MOST_NAMED = 4
_FINE = ("Running", "Paused")


def figures(seen: Seen, target: Target, settled: Settled, instances: Mapping[str, Instance]) -> dict[str, Any]:
    """The fields of the status that all kinds of framework have. Pods of side tasks do not count."""
    pods = [one.pod for one in instances.values() if one.pod is not None]
    live = [pod for pod in pods if not pod.terminated and not pod.leaving]
    revisions = {target.revision_of(one.name) for one in target.pods}
    number = settled.history.number
    return {
        "replicas": len(live),
        "readyReplicas": sum(pod.ready for pod in live),
        "updatedReplicas": sum(pod.metadata.labels.get(LABEL_REVISION) in revisions for pod in live),
        "revision": target.revision,
        "selector": f"{LABEL_FRAMEWORK}={seen.framework.metadata.name},{LABEL_PART}=pod",
        **({"version": number} if number is not None else {}),
    }


def state(
    settled: Settled,
    rollout: Progress,
    others: Iterable[Progress],
    pods: Mapping[str, Deeds],
    queued: Sequence[str],
) -> tuple[State, str, str]:
    """The state as a word, why as a word, and what it waits for."""
    waits = _waits(pods)
    if settled.problem:
        return "Stalled", "InvalidTarget", f"{settled.problem}; until then the former target stays"
    if settled.waiting.cycle:
        return "Stalled", "DependencyCycle", settled.waiting.message
    if queued:
        first = f"waiting until {', '.join(queued)} have their places, by the discipline of reserving"
        return "Reconciling", "WaitingForOthers", _joined(first, waits)
    if settled.waiting.waiting:
        return "Reconciling", "WaitingForDependencies", settled.waiting.message
    if not settled.current:
        return "Reconciling", "NewTarget", "the spec has changed and becomes the target"
    if rollout.state == "Waiting":
        return "Reconciling", "Paused", _joined(f"plan {rollout.plan} waits: {rollout.status.message}", waits)
    if rollout.state != "Complete":
        return "Reconciling", "RollingOut", _joined(f"plan {rollout.plan} is under way", waits)
    for one in others:
        if one.plan == DECOMMISSION:
            return "Reconciling", "Decommissioning", _joined("pods beyond the count are removed", waits)
    if waits:
        return "Reconciling", "Recovering", "; ".join(waits)
    return "Ready", "AsSpecified", f"all {len(pods)} pods are as specified"


def stateful_status(
    settled: Settled,
    target: Target,
    instances: Mapping[str, Instance],
    pods: Mapping[str, Deeds],
    plans: Sequence[PlanStatus],
    overrides: Overrides,
    results: tuple[Sequence[RequestResult], Sequence[RequestResult]],
) -> dict[str, Any]:
    """`status.stateful`, without its times. `results` are those of plan requests and of pod requests."""
    plan_statuses = [one.manifest() for one in plans]
    if settled.problem and plan_statuses:
        plan_statuses[0] |= {"status": "Error", "message": settled.problem[:1024]}
    where = sorted((_instance(one, pods[name]) for name, one in instances.items()), key=lambda one: one.status in _FINE)
    status: dict[str, Any] = {
        "revision": target.revision,
        "plans": plan_statuses,
        "pods": [one.manifest() for one in where[:_MOST_PODS]],
        **overrides.fields(),
    }
    for name, of in zip(("planRequests", "podRequests"), results, strict=True):
        if of:
            status[name] = [one.manifest() for one in of]
    return status


def notes_of(
    seen: Seen, final: tuple[Any, str, str], records: Mapping[str, Record], instances: Mapping[str, Instance]
) -> tuple[Note, ...]:
    """What people should read as events: a change of the state, and what befalls single pods."""
    notes = []
    before = next((one for one in own_conditions(seen.framework.status.conditions) if one.status == "True"), None)
    if before is None or (before.type, before.reason) != final[:2]:
        notes.append(Note(final[1], final[2], "Warning" if final[0] == "Stalled" else "Normal"))
    for name, record in records.items():
        known = instances[name].record or Record()
        if record.replacing and not known.replacing:
            notes.append(Note("Replacing", f"Pod {instances[name].pod_name} gives up its place ({record.replacing})"))
        for task, failures in record.failures.items():
            earlier = known.failures.get(task)
            if earlier is None or earlier.pod != failures.pod:
                which = f"Task {task} of pod" if task else "Pod"
                wait = max(0, round(failures.until - seen.now))
                text = f"{which} {instances[name].pod_name} has failed; it is started again in {wait} s"
                notes.append(Note("PodFailed", text, "Warning"))
    return tuple(notes)


def _instance(one: Instance, deeds: Deeds) -> InstanceStatus:
    fields: dict[str, Any] = {"name": one.name, "status": deeds.status}
    if one.place is not None:
        fields["node"] = one.place.spec.node
    if one.record is not None and one.record.revision:
        fields["revision"] = one.record.revision
    if deeds.message:
        fields["message"] = _cut(deeds.message)
    return InstanceStatus(**fields)


def _waits(pods: Mapping[str, Deeds]) -> list[str]:
    """What pods wait for, those that wait for the same thing together."""
    names: dict[str, list[str]] = {}
    for name, deeds in pods.items():
        if deeds.status not in (*_FINE, "Pending"):
            names.setdefault(deeds.message or deeds.status, []).append(name)
    waits = [f"{', '.join(_some(of))}: {message}" for message, of in names.items()]
    return waits if len(waits) <= _MOST_NAMED else [*waits[:_MOST_NAMED], f"and {len(waits) - _MOST_NAMED} more"]


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]


def _joined(first: str, waits: Sequence[str]) -> str:
    return "; ".join((first, *waits))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"

"""What is done for a pod whose record is as it should be: volumes, place, the pod itself and its side tasks.

Everything follows from the record and from what is seen: a pod that is not as recorded ends, and one that is missing is
launched in its place.
"""

from tender.api.core import Pod
from tender.api.names import LABEL_REVISION
from tender.api.quantities import Resources
from tender.api.reservation import Reservation
from tender.api.stateful import PodSet
from tender.frameworks.sdk.model import Stop
from tender.frameworks.stateful.assignments import Assignment, TaskWish
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.places import (
    give_up_places,
    grown,
    is_large_enough,
    lacks,
    place_of_pod,
    shrunk,
    why_not_on,
)
from tender.frameworks.stateful.pods import is_idle, launch_pod, launch_task
from tender.frameworks.stateful.recording import why_failed, why_not_enlarged
from tender.frameworks.stateful.records import POD, Failures, Record
from tender.frameworks.stateful.removal import moved_away, removed
from tender.frameworks.stateful.scene import Scene
from tender.frameworks.stateful.scheduling import STUCK_SECONDS, stuck_since
from tender.frameworks.stateful.steps import is_run_of, times, why_not_ready
from tender.frameworks.stateful.volumes import missing_claims


def act(scene: Scene, one: Instance, wanted: Assignment) -> Deeds:
    """What is to be done for a pod whose record does not change in this turn."""
    record = one.record
    if record.removing if record is not None else wanted.remove:
        return removed(scene, one)
    if record is None:
        return _unrecorded(one)
    if record.replacing:
        return moved_away(scene, one, record)
    deeds = Deeds()
    deeds.remove += give_up_places(one.surplus, "the pod has another place")
    pod_set = scene.pod_set(one)
    if pod_set is None:
        deeds.status, deeds.message = "Error", f"configuration {record.revision} is not recorded any more"
        return deeds
    if one.place is None:
        _without_place(scene, one, deeds)
    else:
        deeds.keep += missing_claims(scene.framework, one, pod_set)
        _fit_place(scene, one, wanted, deeds)
    _side_tasks(scene, one, pod_set, wanted, deeds)
    _main_pod(scene, one, record, pod_set, wanted, deeds)
    return deeds


def needs_in_all(scene: Scene, one: Instance, wanted: Assignment) -> Resources:
    """What the place has to hold: for what the pod is to run, and for what it is about to change to."""
    needs = scene.needs(one, of_target=False)
    if wanted.begin:
        newest = scene.needs(one, of_target=True)
        needs = {name: max(needs.get(name, 0), newest.get(name, 0)) for name in {**needs, **newest}}
    return needs


def _unrecorded(one: Instance) -> Deeds:
    """A pod that nothing was begun for; what is there already is taken over when its step is active."""
    return Deeds(status="Pending", message="" if one.bare else "what is there of it is taken over when its turn comes")


def _without_place(scene: Scene, one: Instance, deeds: Deeds) -> None:
    kept = place_of_pod(scene.framework, one)
    if kept is not None:
        deeds.keep.append(kept)
    elif one.pod is None and not any(claim.metadata.deletion_timestamp for claim in one.volumes):
        deeds.needs_place = True


def _fit_place(scene: Scene, one: Instance, wanted: Assignment, deeds: Deeds) -> None:
    record = one.record
    needs = needs_in_all(scene, one, wanted)
    larger = grown(scene.framework, one, needs)
    if larger is not None:
        deeds.keep.append(larger)
    elif record is not None and record.settled and record.revision == wanted.revision and not one.tasks:
        smaller = shrunk(scene.framework, one, needs)
        if smaller is not None:
            deeds.keep.append(smaller)


def _main_pod(scene: Scene, one: Instance, record: Record, pod_set: PodSet, wanted: Assignment, deeds: Deeds) -> None:
    pod = one.pod
    if not record.revision:
        deeds.status, deeds.message = "Reserved", "it is not started yet: side tasks come first"
        if one.place is None:
            deeds.status, deeds.message = "Pending", why_not_ready(one)
        return
    if pod is None:
        _launch(scene, one, record, pod_set, wanted, deeds)
        return
    node = why_not_on(one.place.spec.node, one.node) if one.place is not None else ""
    why = _why_to_stop(one, record, pod_set, pod, wanted)
    if pod.leaving:
        deeds.status, deeds.message = "Stopping", node or "its former pod is ending"
    elif why and (not node or pod.terminated):
        deeds.stops.append(Stop(pod.metadata.name, pod.metadata.uid, why))
        deeds.status, deeds.message = "Stopping", why
    elif node and (why or not pod.ready):
        deeds.status, deeds.message = "NodeLost", node
    elif is_idle(pod):
        deeds.status, deeds.message = "Paused", "its containers idle until a pod request Resume"
    elif pod.ready:
        deeds.status, deeds.message = ("Arriving", _why_not_arrived(pod_set)) if record.arriving else ("Running", "")
        if wanted.begin and record.revision != wanted.revision and (lacking := why_not_enlarged(scene, one)):
            deeds.status, deeds.message = "Enlarging", lacking
    else:
        deeds.status, deeds.message = "Starting", why_not_ready(one)
        since = stuck_since(one)
        if since is not None:
            deeds.wait_until(since + STUCK_SECONDS)


def _why_not_arrived(pod_set: PodSet) -> str:
    return f"plan {pod_set.on_replace} is to be started for it, and still runs for another pod"


def _why_to_stop(one: Instance, record: Record, pod_set: PodSet, pod: Pod, wanted: Assignment) -> str:
    if pod.metadata.uid == record.restart:
        return "it is to start again"
    failed = why_failed(pod, pod_set)
    if failed:
        return failed
    if pod.metadata.labels.get(LABEL_REVISION) != record.revision:
        return "it has a new configuration"
    if is_idle(pod) != wanted.idle:
        return "the pod is paused" if wanted.idle else "the pod is resumed"
    return ""


def _launch(scene: Scene, one: Instance, record: Record, pod_set: PodSet, wanted: Assignment, deeds: Deeds) -> None:
    failures = record.failures.get(POD, Failures())
    deeds.status = "Waiting"
    if one.place is None:
        deeds.message = why_not_ready(one)
    elif record.settled and not (wanted.supported or record.cycle or record.restart):
        deeds.message = "its pod is gone, and plan recovery is paused"
    elif reason := _why_no_launch(scene, one, pod_set):
        deeds.message = reason
    elif failures.until > scene.now:
        deeds.status = "BackingOff"
        deeds.message = f"its pod has failed {times(failures.count)}; it is started again after a wait"
        deeds.wait_until(failures.until)
    else:
        deeds.status, deeds.message = "Starting", f"its pod starts on {one.place.spec.node}"
        deeds.launches.append(launch_pod(scene.framework, scene.seen.offers, one, pod_set, idle=wanted.idle))


def _why_no_launch(scene: Scene, one: Instance, pod_set: PodSet) -> str:
    """Why nothing can be launched into the place now, as a sentence; empty if it can."""
    place = one.place
    if place is None:
        return "it has no place yet"
    if missing_claims(scene.framework, one, pod_set):
        return "its volumes are being made"
    going = [claim.metadata.name for claim in one.volumes if claim.metadata.deletion_timestamp is not None]
    if going:
        return f"volume {going[0]} is being removed"
    if node := why_not_on(place.spec.node, one.node):
        return node
    if (lacking := lacks(place)) and not _is_larger(place, scene.needs(one, of_target=False)):
        return f"its place on {place.spec.node} does not hold: {lacking}"
    if scene.seen.refused is not None and scene.seen.refused.until > scene.now:
        return f"the API server refuses the pods: {scene.seen.refused.why}"
    return ""


def _is_larger(place: Reservation, needs: Resources) -> bool:
    """Whether the place was enlarged for something that is still to come: what lacks then is not needed yet."""
    return is_large_enough(place, needs) and any(
        amount > needs.get(name, 0) for name, amount in place.spec.amounts.items()
    )


def _side_tasks(scene: Scene, one: Instance, pod_set: PodSet, wanted: Assignment, deeds: Deeds) -> None:
    for task, pod in one.tasks.items():
        if pod.leaving:
            continue
        wish = next(
            (one for one in wanted.tasks if one.task.name == task and is_run_of(pod, one.plan, one.token)), None
        )
        if pod.terminated:
            deeds.stops.append(Stop(pod.metadata.name, pod.metadata.uid, f"the task has {pod.status.phase.lower()}"))
        elif wish is None:
            deeds.stops.append(Stop(pod.metadata.name, pod.metadata.uid, "the task is not wanted any more"))
    wish = next((wish for wish in wanted.tasks if wish.active), None)
    if wish is not None and not one.tasks and one.place is not None:
        _launch_task(scene, one, pod_set, wish, deeds)


def _launch_task(scene: Scene, one: Instance, pod_set: PodSet, wish: TaskWish, deeds: Deeds) -> None:
    record = one.record
    failures = record.failures.get(wish.task.name, Failures()) if record is not None else Failures()
    if failures.until > scene.now:
        deeds.wait_until(failures.until)
        return
    if one.place is None or not is_large_enough(one.place, scene.needs(one, of_target=False)):
        return
    if not _why_no_launch(scene, one, pod_set):
        deeds.launches.append(
            launch_task(
                scene.framework,
                scene.seen.offers,
                one,
                pod_set,
                wish.task,
                token=wish.token,
                plan=wish.run_of,
                parameters=wish.parameters,
            )
        )

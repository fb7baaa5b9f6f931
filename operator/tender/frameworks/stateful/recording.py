"""What is recorded of a pod next: facts that were seen of it, what was ordered, and what its active steps begin.

A pod whose record changes has nothing else done in the same turn. So whatever is done is done by what is recorded, and
a crash between two writes has the next turn see the same and go on from there.
"""

from dataclasses import replace

from tender.api.core import Pod
from tender.api.names import LABEL_PLAN, LABEL_REVISION
from tender.api.stateful import PodSet
from tender.frameworks.sdk.ownership import digest
from tender.frameworks.stateful.assignments import Assignment, plan_of_order
from tender.frameworks.stateful.course import Run
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.orders import Order
from tender.frameworks.stateful.places import is_confirmed, is_large_enough, lacks, why_not_on
from tender.frameworks.stateful.pods import is_idle
from tender.frameworks.stateful.records import POD, UNSCHEDULABLE, Failures, Record
from tender.frameworks.stateful.scene import Scene
from tender.frameworks.stateful.scheduling import given_up
from tender.frameworks.stateful.steps import done_key

AVOID_SECONDS = 600.0
"""How long a node is not tried again on which kube-scheduler could not bind the pod."""


def next_record(scene: Scene, one: Instance, wanted: Assignment) -> Record | None:
    """The record as it should be; None if it is, or if there is to be none.

    Facts come before orders and these before what steps begin, one of them in a turn: what a step asks for is worked
    out from the record as it is seen.
    """
    if one.record is None:
        return _first(scene, one, wanted)
    if one.record.removing:
        return None
    if wanted.remove:
        return replace(one.record, removing=True)
    for record in (_facts(scene, one, one.record), _orders(scene, one, one.record, wanted)):
        if record != one.record:
            return record
    record = _next(scene, one, one.record, wanted)
    return record if record != one.record else None


def run_for_hook(scene: Scene, one: Instance) -> Run | None:
    """The run of the plan that is to follow when the pod has arrived at its new place; None: there is none."""
    record = one.record
    pod_set = scene.target.sets.get(one.set_name)
    plan = scene.target.plan(pod_set.on_replace) if pod_set is not None and pod_set.on_replace is not None else None
    if record is None or not record.arriving or record.arriving == UNSCHEDULABLE or plan is None:
        return None
    if not _runs_as_recorded(one, record):
        return None
    which = digest([one.name, record.arriving, record.replaced, record.replaced_at])
    return Run(plan.name, f"replaced-{one.name}-{which}", float(int(scene.now)), {**plan.parameters, "POD": one.name})


def why_not_enlarged(scene: Scene, one: Instance) -> str:
    """What the place lacks for the target's configuration; empty if it may begin."""
    place = one.place
    if place is None:
        return ""
    needs = scene.needs(one, of_target=True)
    if is_large_enough(place, needs) and is_confirmed(place):
        return ""
    more = f": {lacks(place)}" if lacks(place) else ""
    return f"waiting for its place on {place.spec.node} to become as large as the new configuration needs{more}"


def _first(scene: Scene, one: Instance, wanted: Assignment) -> Record | None:
    if not wanted.places:
        return None
    files = scene.target.files(one.set_name, one.index)
    return Record(files, revision=wanted.revision if wanted.begin else "", rendered=wanted.revision)


def _orders(scene: Scene, one: Instance, record: Record, wanted: Assignment) -> Record:
    for order in wanted.orders:
        record = _ordered(scene, one, record, order)
    return record


def _next(scene: Scene, one: Instance, record: Record, wanted: Assignment) -> Record:
    if record.replacing:
        return _vacated(scene, one, record)
    if wanted.replace:
        return replace(record, replacing=wanted.replace, replaced=record.address, replaced_at=scene.now)
    if one.place is not None and given_up(one, scene.now):
        avoid = {name: until for name, until in record.avoid.items() if until > scene.now}
        avoid[one.place.spec.node] = scene.now + AVOID_SECONDS
        return replace(record, replacing=UNSCHEDULABLE, avoid=avoid)
    return _begun(scene, one, record, wanted)


def _facts(scene: Scene, one: Instance, record: Record) -> Record:
    for task, side in one.tasks.items():
        record = _task_fact(scene, record, task, side)
    pod = one.pod
    if pod is None or pod.leaving:
        return record
    if why_failed(pod, scene.pod_set(one)) and record.revision:
        known = record.failures.get(POD, Failures())
        if known.pod != pod.metadata.uid and pod.metadata.uid != record.restart:
            return record.failed(POD, pod.metadata.uid, scene.now, at_once=record.settled)
        return record
    return _ready_fact(scene, one, record) if _runs_as_recorded(one, record) else record


def _task_fact(scene: Scene, record: Record, task: str, pod: Pod) -> Record:
    if pod.status.phase == "Succeeded":
        key = done_key_of(pod, task)
        done = {**record.done, key: pod.metadata.labels.get(LABEL_REVISION, "")}
        return replace(record.recovered(task), done=done)
    known = record.failures.get(task, Failures())
    if pod.status.phase == "Failed" and not pod.leaving and known.pod != pod.metadata.uid:
        return record.failed(task, pod.metadata.uid, scene.now)
    return record


def done_key_of(pod: Pod, task: str) -> str:
    """By what the record tells that the side task of this pod was done."""
    plan = pod.metadata.labels.get(LABEL_PLAN)
    return f"{plan}/{task}" if plan else task


def why_failed(pod: Pod, pod_set: PodSet | None) -> str:
    """Why the pod has to start again as a whole; empty: it has not."""
    if pod.terminated:
        return ": ".join(part for part in (pod.status.reason, pod.status.message) if part) or "it has ended"
    statuses = pod.status.container_statuses
    if pod_set is None or len(statuses) == 1:  # the kubelet starts a single container again
        return ""
    for status in statuses:
        ended = status.state.terminated or (status.last_state.terminated if status.restart_count else None)
        if status.name not in pod_set.non_essential and (ended is not None or status.restart_count):
            cause = f" ({ended.reason or f'exit code {ended.exit_code}'})" if ended is not None else ""
            return f"its container {status.name} has ended{cause}"
    return ""


def _runs_as_recorded(one: Instance, record: Record) -> bool:
    pod = one.pod
    return (
        pod is not None
        and pod.ready
        and not pod.leaving
        and not is_idle(pod)
        and pod.metadata.labels.get(LABEL_REVISION) == record.revision
        and pod.metadata.uid != record.restart
        and not record.again
        and record.failures.get(POD, Failures()).pod != pod.metadata.uid
    )


def _ready_fact(scene: Scene, one: Instance, record: Record) -> Record:
    pod = one.pod
    assert pod is not None  # noqa: S101 - only a pod that runs is ready
    hook = run_for_hook(scene, one)
    if hook is not None and scene.runs.get(hook.plan, hook).id != hook.id:
        return record  # another run of that plan goes first
    if hook is not None and hook.plan not in scene.runs:
        return record  # the run is recorded first
    record = replace(
        record,
        ready_revision=record.revision,
        node=pod.spec.node_name or record.node,
        address=pod.status.pod_ip or record.address,
        restart="",
    )
    if record.cycle:
        plan, _, run = record.cycle.partition(" ")
        record = replace(record, cycle="", done={**record.done, done_key(plan, ""): run})
    if record.arriving:
        target = scene.recorded(one)
        files = target.files(one.set_name, one.index) if target is not None else record.files
        record = replace(record, arriving="", replaced="", files=files)
    return record


def _ordered(scene: Scene, one: Instance, record: Record, order: Order) -> Record:
    if order.id in record.requests:
        return record
    record = record.taken_up(order)
    plan = plan_of_order(order, scene.plans)
    if order.task is not None:
        task = scene.target.task(one.set_name, order.task)
        keys = {done_key(plan, order.task)}
        if task is not None and task.goal == "Once":
            keys = {key for key in record.done if key == order.task or key.endswith(f"/{order.task}")}
        return _without_done(record.recovered(order.task), keys)
    record = record.recovered(POD)
    if order.action == "Replace":
        if record.replacing:
            return record
        return replace(record, replacing=order.id, replaced=record.address or record.replaced, restart="")
    if plan in ("deploy", "update"):
        return replace(record, again=True)
    if plan and plan in scene.runs:
        return _without_done(record, {done_key(plan, "")})
    pod = one.pod
    return replace(record, restart=pod.metadata.uid) if pod is not None and not pod.leaving else record


def _without_done(record: Record, keys: set[str]) -> Record:
    return replace(record, done={key: token for key, token in record.done.items() if key not in keys})


def _vacated(scene: Scene, one: Instance, record: Record) -> Record:
    """Once nothing is left of what it had: the pod may go to a new place, with the address of the former one known."""
    if not one.bare:
        return record
    arriving = record.replacing if record.replacing != UNSCHEDULABLE else record.arriving
    target = scene.recorded(one)
    files = record.files
    if target is not None:
        files = target.files(one.set_name, one.index, record.replaced)
    return replace(record.recovered(POD), replacing="", arriving=arriving, restart="", node="", files=files)


def _begun(scene: Scene, one: Instance, record: Record, wanted: Assignment) -> Record:
    running = one.pod is not None and not one.pod.leaving
    if one.place is not None and running and why_not_on(one.place.spec.node, one.node):
        return record  # it could not come back there
    uid = one.pod.metadata.uid if one.pod is not None and running else ""
    if wanted.begin and record.revision != wanted.revision:
        if why_not_enlarged(scene, one):
            return record
        files = scene.target.files(one.set_name, one.index, record.replaced)
        return replace(
            record.recovered(POD),
            files=files,
            revision=wanted.revision,
            rendered=wanted.revision,
            ready_revision="",
            again=False,
        )
    if wanted.begin and record.again:
        return replace(record.recovered(POD), again=False, ready_revision="", restart=uid)
    if wanted.cycle and record.cycle != wanted.cycle:
        return replace(record, cycle=wanted.cycle, restart=uid)
    if not record.revision and record.rendered != wanted.revision and wanted.places:
        return replace(record, files=scene.target.files(one.set_name, one.index), rendered=wanted.revision)
    return record

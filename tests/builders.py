"""Builders of the objects that the parts of Tender look at, as the models that they are read into.

Every builder gives a valid, ordinary object; a test names only what it is about. Times are epoch seconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tender.api import core
from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_FRAMEWORK, LABEL_OFFER, LABEL_REVISION, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.reservation import Reservation
from tender.api.role import FrameworkRole
from tender.frameworks.sdk import Seen, Shape

NOON = 1_777_636_800.0
"""The time at which most tests take place: 2026-05-01T12:00:00Z."""
NAMESPACE = "shop"
CPU = "500m"
MEMORY = "128Mi"

Manifest = dict[str, Any]


def timestamp(at: float) -> str:
    """A time as the API server writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def given(**fields: Any) -> Manifest:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def pod_spec(cpu: str = CPU, memory: str = MEMORY, **fields: Any) -> Manifest:
    """The spec of a pod with one container."""
    requests = {"cpu": cpu, "memory": memory}
    return {"containers": [{"name": "app", "image": "app:1", "resources": {"requests": requests}}], **fields}


def template(cpu: str = CPU, memory: str = MEMORY, *, image: str = "app:1", **fields: Any) -> Manifest:
    """A pod template; `image` tells revisions apart, `fields` go into its spec."""
    spec = pod_spec(cpu, memory, **fields)
    spec["containers"][0]["image"] = image
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


def framework(
    name: str = "web",
    *,
    uid: str | None = None,
    version: int = 1,
    generation: int = 1,
    namespace: str = NAMESPACE,
    created: float = NOON,
    deleted: float | None = None,
    replicas: int = 3,
    service: Manifest | None = None,
    status: Manifest | None = None,
    **spec: Any,
) -> Framework:
    """A service of `replicas` pods, unless the spec says `external`; `service` is its pod template."""
    if "external" not in spec:
        spec["service"] = {"replicas": replicas, "template": service or template()}
    return Framework.read(
        {
            "apiVersion": API_VERSION,
            "kind": "Framework",
            "metadata": given(
                name=name,
                namespace=namespace,
                uid=uid or f"uid-of-{name}",
                resourceVersion=str(version),
                generation=generation,
                creationTimestamp=timestamp(created),
                deletionTimestamp=None if deleted is None else timestamp(deleted),
            ),
            "spec": spec,
            "status": status or {},
        }
    )


def external(name: str = "spark", *, demand: list[Manifest] | None = None, **fields: Any) -> Framework:
    """A framework whose offers a controller of its own answers."""
    return framework(name, external={}, status=given(demand=demand), **fields)


def demand(name: str = "a", count: int = 1, *, requests: Mapping[str, Any] | None = None, **fields: Any) -> Manifest:
    """One entry of a demand."""
    return {"name": name, "count": count, "requests": requests or {"cpu": CPU, "memory": MEMORY}, **fields}


def owner_of(name: str = "web", uid: str | None = None) -> Manifest:
    """The ownerReference of what belongs to a framework."""
    uid = uid or f"uid-of-{name}"
    return {"apiVersion": API_VERSION, "kind": "Framework", "name": name, "uid": uid, "controller": True}


def pod(
    name: str = "web-1",
    *,
    of: str | None = "web",
    owners: list[Manifest] | None = None,
    namespace: str = NAMESPACE,
    node: str = "node-1",
    uid: str | None = None,
    version: int = 1,
    offer: str | None = None,
    task: str | None = None,
    revision: str | None = None,
    labels: Mapping[str, str] | None = None,
    created: float = NOON - 3600,
    deleted: float | None = None,
    phase: str = "Running",
    ready: bool = True,
    reason: str = "",
    message: str = "",
    spec: Manifest | None = None,
) -> core.Pod:
    """A pod of the framework `of` (None: of nobody), by default running and ready for an hour."""
    if owners is None:
        owners = [owner_of(of)] if of else []
    marks = given(**{LABEL_FRAMEWORK: of, LABEL_OFFER: offer, LABEL_TASK: task, LABEL_REVISION: revision})
    running = phase == "Running" and ready
    manifest = {
        "metadata": given(
            name=name,
            namespace=namespace,
            uid=uid or f"uid-of-{name}",
            resourceVersion=str(version),
            creationTimestamp=timestamp(created),
            deletionTimestamp=None if deleted is None else timestamp(deleted),
            labels={**marks, **(labels or {})},
            ownerReferences=owners,
        ),
        "spec": {**(spec or pod_spec()), "nodeName": node},
        "status": {
            "phase": phase,
            "reason": reason,
            "message": message,
            "conditions": [{"type": "Ready", "status": "True" if running else "False"}],
        },
    }
    return msgspec.convert(manifest, core.Pod)


def node(
    name: str = "node-1",
    *,
    cpu: str = "4",
    memory: str = "8Gi",
    pods: str = "110",
    ready: str = "True",
    since: float | None = None,
    cordoned: bool = False,
    deleted: float | None = None,
    labels: Mapping[str, str] | None = None,
    taints: list[Manifest] | None = None,
) -> core.Node:
    """A node that is ready and open to pods; `since` is when it last became ready or ceased to be."""
    condition = given(type="Ready", status=ready, lastTransitionTime=None if since is None else timestamp(since))
    manifest = {
        "metadata": given(
            name=name,
            uid=f"uid-of-{name}",
            labels=dict(labels or {}),
            deletionTimestamp=None if deleted is None else timestamp(deleted),
        ),
        "spec": {"unschedulable": cordoned, "taints": taints or []},
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
            "conditions": [condition],
        },
    }
    return msgspec.convert(manifest, core.Node)


def slice_on(
    node: str = "node-1", cpu: str = "2", memory: str = "4Gi", *, pods: str | None = "110", **tasks: int
) -> Manifest:
    """A slice of an offer; keywords beyond the resources count the tasks that it was made for."""
    made_for = {"tasks": tasks} if tasks else {}
    return {"node": node, "resources": given(cpu=cpu, memory=memory, pods=pods), **made_for}


def claim_of(slice_: int = 0, *, cpu: str = CPU, memory: str = MEMORY, pods: str = "1", **tasks: int) -> Manifest:
    """A claim of a part of one slice, for these tasks."""
    return {"slice": slice_, "resources": {"cpu": cpu, "memory": memory, "pods": pods}, "tasks": tasks}


def offer(
    *slices: Manifest,
    name: str = "web-bcdfghjk",
    of: str = "web",
    owner_uid: str | None = None,
    role: str = "default",
    demand_revision: str | None = None,
    term: int | None = None,
    namespace: str = NAMESPACE,
    uid: str | None = None,
    version: int = 1,
    expires: float = NOON + 60,
    phase: str = "Offered",
    claims: list[Manifest] | None = None,
    refused: int | None = None,
    answered: float | None = None,
) -> ResourceOffer:
    """An offer to the framework `of`, by default open, of one slice."""
    if claims is not None:
        phase = "Claimed"
    elif refused is not None:
        phase = "Declined"
    if phase != "Offered" and answered is None:
        answered = NOON
    return ResourceOffer.read(
        {
            "apiVersion": API_VERSION,
            "kind": "ResourceOffer",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": uid or f"uid-of-{name}",
                "resourceVersion": str(version),
                "ownerReferences": [owner_of(of, owner_uid)],
            },
            "spec": given(
                framework=of,
                role=role,
                slices=list(slices) or [slice_on()],
                expiresAt=timestamp(expires),
                demandRevision=demand_revision,
                term=term,
            ),
            "status": given(
                phase=phase,
                claims=claims,
                refuseSeconds=refused,
                answeredAt=None if answered is None else timestamp(answered),
            ),
        }
    )


def role(
    name: str = "shops",
    *,
    parent: str | None = None,
    weight: float = 1,
    quota: Manifest | None = None,
    uid: str | None = None,
    version: int = 1,
) -> FrameworkRole:
    """A role at the top of the tree, unless it says otherwise."""
    return FrameworkRole.read(
        {
            "apiVersion": API_VERSION,
            "kind": "FrameworkRole",
            "metadata": {
                "name": name,
                "uid": uid or f"uid-of-{name}",
                "resourceVersion": str(version),
                "generation": 1,
            },
            "spec": given(parent=parent, weight=weight, quota=quota),
        }
    )


def reservation(
    name: str = "kept",
    *,
    for_role: str = "shops",
    on: str = "node-1",
    namespace: str = NAMESPACE,
    uid: str | None = None,
    version: int = 1,
    created: float = NOON,
    deleted: float | None = None,
    resources: Mapping[str, Any] | None = None,
    status: Manifest | None = None,
    **spec: Any,
) -> Reservation:
    """A CPU of a node, kept for a role, unless it says otherwise."""
    return Reservation.read(
        {
            "apiVersion": API_VERSION,
            "kind": "Reservation",
            "metadata": given(
                name=name,
                namespace=namespace,
                uid=uid or f"uid-of-{name}",
                resourceVersion=str(version),
                generation=1,
                creationTimestamp=timestamp(created),
                deletionTimestamp=None if deleted is None else timestamp(deleted),
            ),
            "spec": {"role": for_role, "node": on, "resources": resources or {"cpu": "1"}, **spec},
            "status": status or {},
        }
    )


def shape(
    name: str = "a",
    count: int = 1,
    *,
    cpu: int = 500,
    memory: int = 128 * 1024**2,
    service: Manifest | None = None,
    requests: Mapping[str, int] | None = None,
    revision: str = "r1",
    **fields: Any,
) -> Shape:
    """A shape of task that wants 500m of CPU and 128Mi, as a planner would make it of a template."""
    amounts = {"cpu": cpu, "memory": memory, "pods": 1} if requests is None else requests
    return Shape(name, count, amounts, service or template(), revision, **fields)


def seen(of: Framework, *pods: core.Pod, now: float = NOON, **more: Any) -> Seen:
    """What a turn of the framework looks at; keywords are further fields of `Seen`."""
    return Seen(**{"framework": of, "pods": pods, "offers": (), "launched": frozenset(), "now": now, **more})

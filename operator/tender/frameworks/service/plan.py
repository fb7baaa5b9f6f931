"""What a service wants next: the planner of `spec.service`.

Replicas of the newest template are wanted, and pods of older ones are exchanged for them one for one: one pod more
than the replicas may exist while a change rolls out, and an old pod goes only when the others are enough. Pods that
have failed are removed and launched anew after a wait (`backoff`).
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pydantic

from tender.api.conditions import State
from tender.api.core import Pod
from tender.api.framework import DemandEntry, Framework
from tender.api.names import LABEL_FRAMEWORK, LABEL_REVISION
from tender.api.requests import template_requests
from tender.api.timestamps import timestamp
from tender.frameworks.sdk.model import Note, Plan, Seen, Shape, Stop
from tender.frameworks.service.backoff import Backoff


def plan_service(seen: Seen) -> Plan:
    """The plan of a service."""
    framework, pods, now = seen.framework, seen.pods, seen.now
    service = framework.spec.service
    if service is None:
        raise ValueError(f"framework {framework.metadata.name}: spec.service is not set")
    revision = template_revision(service.template)
    replicas = service.replicas
    live = [pod for pod in pods if not pod.terminated and not pod.leaving]
    new = [pod for pod in live if pod.metadata.labels.get(LABEL_REVISION) == revision]
    old = [pod for pod in live if pod.metadata.labels.get(LABEL_REVISION) != revision]
    ended = [pod for pod in pods if pod.terminated and not pod.leaving]
    failed = [pod for pod in ended if pod.metadata.labels.get(LABEL_REVISION) == revision]
    backoff = _backoff(framework, revision).after(youngest=_youngest(failed, now), now=now)
    status = {
        "replicas": len(live),
        "readyReplicas": sum(pod.ready for pod in live),
        "updatedReplicas": len(new),
        "revision": revision,
        "selector": f"{LABEL_FRAMEWORK}={framework.metadata.name}",
        **_backoff_status(backoff),
    }
    wanted = min(replicas, replicas + 1 - len(old)) if old else replicas
    try:
        shape = _shape(framework, service.template, revision, max(0, wanted))
    except ValueError as error:
        return Plan(
            shapes=(), stops=(), status=status, state=("Stalled", "InvalidTemplate", f"spec.service.template: {error}")
        )
    holding = backoff.until > now
    return Plan(
        shapes=(shape,),
        stops=(
            *(Stop(pod.metadata.name, pod.metadata.uid, "the pod has ended") for pod in ended),
            *_surplus(new, old, replicas),
        ),
        status=status,
        state=_state(replicas, len(new), len(old), sum(pod.ready for pod in new), backoff, now),
        hold_until=backoff.until if holding else 0.0,
        wake_at=backoff.until if holding else backoff.forgotten_at if backoff.failures else None,
        notes=_notes(framework, failed, backoff, now),
    )


def template_revision(template: dict[str, Any]) -> str:
    """A hash of what pods take from a template; any change of that makes a new revision."""
    metadata = template.get("metadata") or {}
    taken = {"spec": template["spec"], **{part: metadata.get(part) or {} for part in ("labels", "annotations")}}
    text = json.dumps(taken, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _shape(framework: Framework, template: dict[str, Any], revision: str, count: int) -> Shape:
    """The shape of the pods. Raises ValueError, naming the field of the template, for one that nobody could place."""
    spec = template["spec"]
    requests = template_requests(spec)
    choice = {"nodeSelector": spec.get("nodeSelector") or {}, "tolerations": spec.get("tolerations") or []}
    try:
        DemandEntry.model_validate({"name": revision, "requests": {"pods": 1}, "count": 0, **choice})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"spec.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    own = [toleration.manifest() for toleration in framework.spec.tolerations]
    return Shape(
        name=revision,
        count=count,
        requests=requests,
        template=template,
        revision=revision,
        node_selector=dict(choice["nodeSelector"]),
        tolerations=tuple(own + list(choice["tolerations"])),
    )


def _surplus(new: list[Pod], old: list[Pod], replicas: int) -> list[Stop]:
    """The pods to remove: beyond the replicas the least useful ones, and old ones that new ones have replaced."""
    beyond = max(0, len(new) - replicas)
    stops = [Stop(pod.metadata.name, pod.metadata.uid, "scaled down") for pod in _least_useful(new)[:beyond]]
    spare = sum(pod.ready for pod in (*new, *old)) - replicas
    for pod in _least_useful(old):
        if not pod.ready:
            stops.append(Stop(pod.metadata.name, pod.metadata.uid, "replaced by a newer revision"))
        elif spare > 0:
            spare -= 1
            stops.append(Stop(pod.metadata.name, pod.metadata.uid, "replaced by a newer revision"))
    return stops


def _least_useful(pods: Iterable[Pod]) -> list[Pod]:
    """Pods that are not ready first, then the youngest first."""
    by_age = sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name), reverse=True)
    return sorted(by_age, key=lambda pod: pod.ready)


def _state(replicas: int, new: int, old: int, ready: int, backoff: Backoff, now: float) -> tuple[State, str, str]:
    if backoff.until > now:
        return (
            "Reconciling",
            "BackingOff",
            f"pods have failed {backoff.failures} times in a row; waiting to launch again",
        )
    if old:
        return "Reconciling", "RollingOut", "exchanging pods for the newest template"
    if new > replicas:
        return "Reconciling", "ScalingDown", f"scaling down to {replicas}"
    if new < replicas:
        return "Reconciling", "Launching", f"launching {_pods(replicas)} as offers come"
    if ready < replicas:
        return "Reconciling", "Starting", f"waiting for {_pods(replicas)} to be ready"
    return "Ready", "AsSpecified", f"{replicas} of {replicas} pods are ready"


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _notes(framework: Framework, failed: list[Pod], backoff: Backoff, now: float) -> tuple[Note, ...]:
    if not failed or backoff == _backoff(framework, None):
        return ()
    pod = failed[0]
    cause = ": ".join(part for part in (pod.status.reason, pod.status.message) if part) or pod.status.phase
    wait = max(0, round(backoff.until - now))
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return (
        Note("PodFailed", f"Pod {pod.metadata.name}{more} has ended ({cause}); launching again in {wait} s", "Warning"),
    )


def _youngest(pods: Iterable[Pod], now: float) -> float | None:
    """When the youngest of these pods was made; None when there are none."""
    times = (pod.metadata.creation_timestamp for pod in pods)
    return max((datetime.fromisoformat(time).timestamp() if time else now for time in times), default=None)


def _backoff(framework: Framework, revision: str | None) -> Backoff:
    status = framework.status
    if status.backoff is None or (revision is not None and status.revision != revision):
        return Backoff()
    until = status.backoff.until
    return Backoff(status.backoff.failures, until.timestamp() if until is not None else 0.0)


def _backoff_status(backoff: Backoff) -> dict[str, Any]:
    if not backoff.failures:
        return {}
    return {"backoff": {"failures": backoff.failures, "until": timestamp(backoff.until)}}

"""What a service wants next: the planner of `spec.service`.

Replicas of the newest template are wanted, and pods of older ones are exchanged for them one for one: one pod more
than the replicas may exist while a change rolls out, and an old pod goes only when the others are enough. Pods that
have failed are removed and launched anew after a wait (`backoff`).
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tender.api.conditions import State
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK, LABEL_REVISION
from tender.api.quantities import Resources
from tender.api.requests import template_requests
from tender.frameworks.sdk.model import Note, Plan, Shape, Stop
from tender.frameworks.service.backoff import Backoff


def plan_service(framework: Framework, pods: tuple[Pod, ...], now: float) -> Plan:
    """The plan of a service. `pods` are all that the framework owns; `now` is in epoch seconds."""
    service = framework.spec.service
    if service is None:
        raise ValueError(f"framework {framework.metadata.name}: spec.service is not set")
    revision = template_revision(service.template)
    try:
        requests = template_requests(service.template["spec"])
    except ValueError as error:
        return Plan(
            shapes=(), stops=(), status={}, state=("Stalled", "InvalidTemplate", f"spec.service.template: {error}")
        )
    failed = [pod for pod in pods if pod.terminated and not pod.leaving]
    live = [pod for pod in pods if not pod.terminated and not pod.leaving]
    new = [pod for pod in live if pod.metadata.labels.get(LABEL_REVISION) == revision]
    old = [pod for pod in live if pod.metadata.labels.get(LABEL_REVISION) != revision]
    replicas = service.replicas
    wanted = min(replicas, replicas + 1 - len(old)) if old else replicas
    backoff = _backoff(framework, revision).after(failed=bool(failed), now=now)
    stops = [
        *(Stop(pod.metadata.name, pod.metadata.uid, "the pod has ended") for pod in failed),
        *_surplus(new, old, replicas),
    ]
    ready = sum(pod.ready for pod in live)
    updated_and_ready = sum(pod.ready for pod in new)
    holding = backoff.until > now
    return Plan(
        shapes=(_shape(framework, service.template, revision, max(0, wanted), requests),),
        stops=tuple(stops),
        status={
            "replicas": len(live),
            "readyReplicas": ready,
            "updatedReplicas": len(new),
            "revision": revision,
            "selector": f"{LABEL_FRAMEWORK}={framework.metadata.name}",
            **_backoff_status(backoff),
        },
        state=_state(replicas, len(new), len(old), updated_and_ready, backoff, now),
        hold_until=backoff.until if holding else 0.0,
        wake_at=backoff.until if holding else None,
        notes=_notes(framework, failed, backoff, now),
    )


def template_revision(template: dict[str, Any]) -> str:
    """A hash of what a pod template says; any change of it makes a new revision."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _shape(framework: Framework, template: dict[str, Any], revision: str, count: int, requests: Resources) -> Shape:
    spec = template["spec"]
    own = [toleration.manifest() for toleration in framework.spec.tolerations]
    return Shape(
        name=revision,
        count=count,
        requests=requests,
        template=template,
        revision=revision,
        node_selector=dict(spec.get("nodeSelector") or {}),
        tolerations=tuple(own + list(spec.get("tolerations") or [])),
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
        return "Reconciling", "Launching", f"launching {replicas} pods as offers come"
    if ready < replicas:
        return "Reconciling", "Starting", f"waiting for {replicas} pods to be ready"
    return "Ready", "AsSpecified", f"{replicas} of {replicas} pods are ready"


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


def _backoff(framework: Framework, revision: str | None) -> Backoff:
    status = framework.status
    if status.backoff is None or (revision is not None and status.revision != revision):
        return Backoff()
    until = status.backoff.until
    return Backoff(status.backoff.failures, until.timestamp() if until is not None else 0.0)


def _backoff_status(backoff: Backoff) -> dict[str, Any]:
    if not backoff.failures:
        return {}
    until = datetime.fromtimestamp(backoff.until, UTC).isoformat().replace("+00:00", "Z")
    return {"backoff": {"failures": backoff.failures, "until": until}}

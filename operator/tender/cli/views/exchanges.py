"""Whether a pod that people have asked something of has come to where it should: judgements of pods and frameworks."""

from collections.abc import Mapping, Sequence
from typing import Any

from tender.cli.views.standing import Standing
from tender.cli.views.standings import carried_out, settled, stateful_status

Object = Mapping[str, Any]
Seen = Sequence[Mapping[str, Object]]
"""Pods, and frameworks."""

_STANDS_AS = {"Pause": "Paused", "Resume": "Running"}


def exchanged(framework: str, uid: str, seen: Seen) -> Standing:
    """Until the pod `uid` of a service is gone, and the service ready without it."""
    pods, frameworks = seen
    service = next(iter(frameworks.values()), None)
    standing = settled(framework, 0)(service)
    there = any(pod["metadata"]["uid"] == uid for pod in pods.values())
    if there and service is not None and is_paused(service):
        return Standing(f"{framework} is paused: it exchanges no pods until spec.service.paused is false", failed=True)
    return Standing(standing.text, done=standing.done and not there, failed=standing.failed)


def instance_back(framework: str, instance: str, request: str, action: str, uid: str | None, seen: Seen) -> Standing:
    """Until a request is carried out and the pod of a stateful service is back: another one than `uid`, and ready.

    A pod that is paused or resumed stays the same in its place; there it counts what the status says of it.
    """
    pods, frameworks = seen
    service = next(iter(frameworks.values()), None)
    before = carried_out(framework, "podRequests", request)(service)
    if service is None or not before.done:
        return before
    of_status = (one for one in stateful_status(service).get("pods", ()) if one["name"] == instance)
    status: Object = next(of_status, {})
    pod = next(iter(pods.values()), None)
    another = pod is not None and pod["metadata"]["uid"] != uid and is_ready(pod)
    wanted = _STANDS_AS.get(action)
    message = f": {status['message']}" if status.get("message") else ""
    text = f"{instance}: {status.get('status', 'unknown')}{message}"
    return Standing(text, done=another and status.get("status") == (wanted or "Running"))


def is_paused(service: Object) -> bool:
    """Whether a framework is a service that exchanges no pods."""
    return bool((service["spec"].get("service") or {}).get("paused"))


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready and stays."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]

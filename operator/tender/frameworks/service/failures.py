"""Pods of a service that have failed, and containers that do not get on: which count, and what is told of them.

A pod that ends by itself has failed, however it ended. One that is deleted has not, and neither has one that was ended
because its node is being emptied or is gone (the condition DisruptionTarget), other than by eviction for want of room.
A container that the kubelet starts again and again ends no pod: it is named to people, and that is all.
"""

from collections.abc import Iterable, Sequence

from tender.api.core import ContainerStatus, Pod
from tender.frameworks.sdk.model import Note
from tender.frameworks.sdk.silence import created_at
from tender.frameworks.service.backoff import Backoff

_EVICTED = "Evicted"
_STARTING = ("", "ContainerCreating", "PodInitializing")
_MOST_NAMED = 3


def failed(ended: Iterable[Pod]) -> list[Pod]:
    """Those of the pods that have ended that launches wait for."""
    return [pod for pod in ended if pod.status.reason == _EVICTED or not _disrupted(pod)]


def youngest(pods: Iterable[Pod], now: float) -> float | None:
    """When the youngest of these pods was made; None when there are none."""
    return max((created_at(pod, now) for pod in pods), default=None)


def cause_of(pod: Pod) -> str:
    """Why a pod has ended, for people."""
    return ": ".join(part for part in (pod.status.reason, pod.status.message) if part) or pod.status.phase


def note_of(pods: Sequence[Pod], before: Backoff, after: Backoff, now: float) -> tuple[Note, ...]:
    """What people are told of a failure, once."""
    if not pods or before == after:
        return ()
    wait = max(0, round(after.until - now))
    more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
    text = f"Pod {pods[0].metadata.name}{more} has ended ({cause_of(pods[0])}); launching again in {wait} s"
    return (Note("PodFailed", text, "Warning"),)


def troubles(pods: Iterable[Pod]) -> str:
    """What keeps pods from getting ready, for people: the first few of those that say so; empty if none does.

    Nothing in it changes with time alone, as the kubelet's own messages do.
    """
    told = [text for pod in pods if not pod.ready and (text := _trouble(pod))]
    more = f"; {len(told) - _MOST_NAMED} more pods" if len(told) > _MOST_NAMED else ""
    return "; ".join(told[:_MOST_NAMED]) + more


def _trouble(pod: Pod) -> str:
    for one in pod.status.container_statuses:
        text = _trouble_of_container(one)
        if text:
            return f"container {one.name} of pod {pod.metadata.name}: {text}"
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"pod {pod.metadata.name} is not bound: {condition.message or condition.reason}"
    return ""


def _trouble_of_container(one: ContainerStatus) -> str:
    waiting, ended = one.state.waiting, one.state.terminated or one.last_state.terminated
    how = f"exit code {ended.exit_code}" + (f", {ended.reason}" if ended.reason else "") if ended is not None else ""
    if waiting is not None and waiting.reason not in _STARTING:
        return f"{waiting.reason} (last {how})" if how else waiting.reason
    if one.state.terminated is not None:
        return f"ended with {how}"
    return ""


def _disrupted(pod: Pod) -> bool:
    return any(one.type == "DisruptionTarget" and one.status == "True" for one in pod.status.conditions)

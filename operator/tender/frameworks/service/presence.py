"""The pods of a service, sorted by what is to be made of them, with nodes that do not answer taken into account.

A node that is silent for `unreachable.inactiveAfter` makes its pods inactive: they are kept, and others are launched in
their place. After `expungeAfter` they are given up: forgotten at once, without waiting for a kubelet to agree. If the
node is back before that, there are more pods than wanted, and scaling down removes some.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tender.api.core import Pod
from tender.api.names import LABEL_TASK
from tender.api.service import UnreachableStrategy
from tender.frameworks.sdk.model import Seen
from tender.frameworks.sdk.silence import next_change, silent_since
from tender.frameworks.service.version import revision_of

_EVICTED_AFTER_SECONDS = 300
"""When Kubernetes deletes pods of silent nodes, unless they say how long they put up with it."""
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


@dataclass(frozen=True)
class Presence:
    """The pods of a service. `active` count for its replicas, `inactive` are kept besides; `given_up` are forgotten;
    `ended` have come to their end and were not deleted. `silent` names the pods whose nodes do not answer.
    """

    pods: tuple[Pod, ...]
    active: tuple[Pod, ...]
    inactive: tuple[Pod, ...]
    given_up: tuple[Pod, ...]
    ended: tuple[Pod, ...]
    silent: frozenset[str]
    wake_at: float | None

    @cached_property
    def live(self) -> tuple[Pod, ...]:
        """The pods that have neither ended nor been deleted."""
        return tuple(pod for pod in self.pods if not pod.terminated and not pod.leaving)

    @cached_property
    def ready(self) -> tuple[Pod, ...]:
        """The active pods that are ready."""
        return tuple(pod for pod in self.active if pod.ready)

    def of(self, revision: str | None) -> list[Pod]:
        """The active pods of a template."""
        return [pod for pod in self.active if revision_of(pod) == revision]

    def of_task(self, task: str) -> int:
        """How many live pods count for the task where demand and offers are matched."""
        return sum(pod.metadata.labels.get(LABEL_TASK) == task for pod in self.live)

    @property
    def peers(self) -> tuple[str, ...]:
        """The node of every pod that runs, those being deleted included, and those that were given up not."""
        given_up = {pod.metadata.name for pod in self.given_up}
        return tuple(
            pod.spec.node_name
            for pod in self.pods
            if pod.spec.node_name and not pod.terminated and pod.metadata.name not in given_up
        )


def presence_of(seen: Seen, strategy: UnreachableStrategy) -> Presence:
    """The pods of the framework, sorted."""
    silent: set[str] = set()
    active, inactive, given_up = [], [], []
    for pod in seen.pods:
        since = silent_since(pod, seen.nodes, seen.now) if not pod.terminated else None
        if since is not None:
            silent.add(pod.metadata.name)
        silence = -1.0 if since is None else seen.now - since
        if since is not None and silence >= strategy.expunge_seconds:
            given_up.append(pod)
        elif pod.terminated or pod.leaving:
            continue
        elif since is not None and silence >= strategy.inactive_seconds:
            inactive.append(pod)
        else:
            active.append(pod)
    return Presence(
        pods=seen.pods,
        active=tuple(active),
        inactive=tuple(inactive),
        given_up=tuple(given_up),
        ended=tuple(pod for pod in seen.pods if pod.terminated and not pod.leaving),
        silent=frozenset(silent),
        wake_at=next_change(
            (pod for pod in seen.pods if not pod.terminated),
            seen.nodes,
            seen.now,
            strategy.inactive_seconds,
            strategy.expunge_seconds,
        ),
    )


def bearing_silence(template: Mapping[str, Any], strategy: UnreachableStrategy) -> Mapping[str, Any]:
    """The template, its pods put up with a silent node for as long as they are not given up.

    Without that, Kubernetes would delete them after 300 s. What the template says itself of these taints stays.
    """
    seconds = -int(-strategy.expunge_seconds // 1)
    own = list(template["spec"].get("tolerations") or [])
    lacking = [key for key in _TAINTS if not any(_is_about(toleration, key) for toleration in own)]
    if seconds <= _EVICTED_AFTER_SECONDS or not lacking:
        return template
    more = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds} for key in lacking]
    return {**template, "spec": {**template["spec"], "tolerations": own + more}}


def _is_about(toleration: Mapping[str, Any], taint: str) -> bool:
    return toleration.get("key") in (taint, None, "") and toleration.get("effect") in ("NoExecute", None, "")

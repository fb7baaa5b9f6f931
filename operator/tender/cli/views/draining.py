"""What is to be done next so that a node loses its pods of frameworks, and how far that has come.

A service exchanges its pods itself, within the bounds of its updateStrategy, once they are marked. Pods of stateful
services have their places on the node: they are evicted and come back when the node does, or, if so wished, are
replaced and lose their volumes. Either happens one after the other in each framework, and only while all its pods on
other nodes are ready. Pods of other frameworks are evicted, and their disruption budgets hold.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tender.api.names import GROUP, LABEL_EXCHANGE, LABEL_INSTANCE, LABEL_PART
from tender.cli.views.exchanges import is_paused, is_ready
from tender.cli.views.standing import Standing
from tender.cli.views.words import counted

Object = Mapping[str, Any]
Stateful = Literal["stop", "replace"]
"""What becomes of pods of stateful services."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do to a pod: mark it for its service to exchange, evict it, or have its instance replaced."""

    act: Literal["mark", "evict", "replace"]
    pod: Object
    framework: str
    instance: str = ""


@dataclass(frozen=True)
class Scene:
    """The pods of frameworks in the cluster, and the frameworks by "namespace/name"."""

    node: str
    pods: Sequence[Object]
    frameworks: Mapping[str, Object]

    @property
    def here(self) -> list[Object]:
        """The pods of frameworks that are on the node and have not ended."""
        on_node = (one for one in self.pods if one["spec"].get("nodeName") == self.node)
        return [one for one in on_node if owner_of(one) is not None and not _ended(one)]

    def framework_of(self, pod: Object) -> Object | None:
        """The framework that a pod belongs to."""
        return self.frameworks.get(f"{pod['metadata']['namespace']}/{owner_of(pod)}")

    def others_ready(self, pod: Object) -> bool:
        """Whether all pods of the same framework on other nodes are ready, and none is on its way out."""
        same = [
            one
            for one in self.pods
            if owner_of(one) == owner_of(pod)
            and one["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and one["metadata"].get("labels", {}).get(LABEL_PART) != "task"
            and not _ended(one)
        ]
        elsewhere = [one for one in same if one["spec"].get("nodeName") != self.node]
        return all(map(is_ready, elsewhere)) and not any("deletionTimestamp" in one["metadata"] for one in same)


def owner_of(pod: Object) -> str | None:
    """The name of the Framework that controls a pod."""
    owners = pod["metadata"].get("ownerReferences", ())
    of_tender = (one for one in owners if one.get("controller") and one["apiVersion"].startswith(f"{GROUP}/"))
    return next((one["name"] for one in of_tender if one["kind"] == "Framework"), None)


def next_steps(scene: Scene, stateful: Stateful, asked: Iterable[str] = ()) -> list[Step]:
    """What can be done now; `asked` are uids of pods whose replacement was asked for before."""
    steps: list[Step] = []
    busy: set[tuple[str, str | None]] = set()
    requested = set(asked)
    for pod in scene.here:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            continue
        framework, name = scene.framework_of(pod), owner_of(pod) or ""
        spec = framework["spec"] if framework is not None else {}
        if spec.get("service") is not None:
            if LABEL_EXCHANGE not in metadata.get("labels", {}):
                steps.append(Step("mark", pod, name))
        elif spec.get("stateful") is None:
            steps.append(Step("evict", pod, name))
        elif (metadata["namespace"], name) not in busy and scene.others_ready(pod):
            if _is_task(pod) or metadata["uid"] in requested:
                continue
            busy.add((metadata["namespace"], name))
            instance = metadata.get("labels", {}).get(LABEL_INSTANCE, "")
            steps.append(Step("evict" if stateful == "stop" else "replace", pod, name, instance))
    return steps


def standing(scene: Scene) -> Standing:
    """How far the node is: done when no pod of a framework is on it any more."""
    here = scene.here
    if not here:
        return Standing(f"node {scene.node}: no pods of frameworks are left", done=True)
    by_framework = Counter(f"{one['metadata']['namespace']}/{owner_of(one)}" for one in here)
    told = [f"{name} {number}{_holding(scene.frameworks.get(name))}" for name, number in sorted(by_framework.items())]
    return Standing(f"node {scene.node}: {counted(len(here), 'pod')} of frameworks left ({', '.join(told)})")


def left_over(pods: Iterable[Object]) -> list[str]:
    """The other pods of a node, those of DaemonSets and of the kubelet itself left out."""
    return [
        f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        for one in pods
        if owner_of(one) is None and not _ended(one) and not _stays(one)
    ]


def _holding(framework: Object | None) -> str:
    return ", paused: it exchanges no pods" if framework is not None and is_paused(framework) else ""


def _stays(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences", ())
    return any(one["kind"] in ("DaemonSet", "Node") for one in owners)


def _is_task(pod: Object) -> bool:
    return bool(pod["metadata"].get("labels", {}).get(LABEL_PART) == "task")


def _ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")

"""Pods that nobody can end any more: their framework is gone, they are being deleted, and their node does not answer.

Kubernetes deletes them for good when the kubelet says that they have ended, or when their node object goes; until then
their volumes stay too, and a framework that was uninstalled would not be gone. Where the framework is still there, its
planner decides (`Stop.grace_seconds`).
"""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime

from tender.api.core import Node, Pod
from tender.api.framework import Framework

SILENT_SECONDS = 60.0
"""How long a node may be silent until the pods of frameworks that are gone are given up."""


def orphans(
    pods: Iterable[Pod], frameworks: Container[str], unreadable: Container[str], nodes: Mapping[str, Node], now: float
) -> list[Pod]:
    """Those of the pods that are to be given up.

    `frameworks` are the uids of those that there are, `unreadable` the "namespace/name" of those that are there and
    that nobody understands; `now` is in epoch seconds. A pod that no framework owns is nobody's concern here.
    """
    return [
        pod
        for pod in pods
        if pod.leaving and _has_no_framework(pod, frameworks, unreadable) and _is_lost(pod.spec.node_name, nodes, now)
    ]


def _has_no_framework(pod: Pod, frameworks: Container[str], unreadable: Container[str]) -> bool:
    """Whether the framework that owned the pod is gone."""
    owner = pod.controller
    if owner is None or owner.kind != Framework.KIND:
        return False
    return owner.uid not in frameworks and f"{pod.metadata.namespace}/{owner.name}" not in unreadable


def _is_lost(name: str, nodes: Mapping[str, Node], now: float) -> bool:
    """Whether nothing that happens on the node of this name is heard of any more."""
    node = nodes.get(name)
    if node is None:
        return True
    since = node.silent_since
    return since is not None and now - datetime.fromisoformat(since).timestamp() > SILENT_SECONDS

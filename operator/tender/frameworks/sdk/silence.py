"""Nodes that do not answer: since when, and what that says of their pods.

Time is counted from what the cluster says of the node (the Ready condition's last change), so it runs on while nobody
looks. A node that is not there any more has been silent for ever.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from tender.api.core import Node, Pod

GONE = -math.inf
"""Since when a node that is not there any more has been silent (epoch seconds)."""
_NEWS_SECONDS = 30.0
"""A pod this young may be on a node that the cache has not heard of yet."""


def silent_since(pod: Pod, nodes: Mapping[str, Node], now: float) -> float | None:
    """Since when (epoch seconds) the pod's node has been silent; None while it answers, and where nobody knows.

    `nodes` are all of the cluster by name; an empty one says that they are not known.
    """
    if not pod.spec.node_name or not nodes:
        return None
    node = nodes.get(pod.spec.node_name)
    if node is None:
        return GONE if now >= created_at(pod, now) + _NEWS_SECONDS else None
    since = node_silent_since(node)
    return None if since is None else min(now, since)


def node_silent_since(node: Node) -> float | None:
    """Since when (epoch seconds) a node has been silent; None while it answers, and where it was never said."""
    if node.ready or node.silent_since is None:
        return None
    return datetime.fromisoformat(node.silent_since).timestamp()


def created_at(pod: Pod, now: float) -> float:
    """When the pod was made (epoch seconds); `now` for one that does not say."""
    made = pod.metadata.creation_timestamp
    return datetime.fromisoformat(made).timestamp() if made else now


def next_change(pods: Iterable[Pod], nodes: Mapping[str, Node], now: float, *after: float) -> float | None:
    """When (epoch seconds) the first of the pods has been silent for one of the times `after` (seconds); None: never.

    A pod that is on a node nobody has heard of yet is looked at again when it is old enough to tell.
    """
    times = []
    for pod in pods:
        since = silent_since(pod, nodes, now)
        if since is not None:
            times += [since + seconds for seconds in after if since + seconds > now]
        elif nodes and pod.spec.node_name and pod.spec.node_name not in nodes:
            times.append(created_at(pod, now) + _NEWS_SECONDS)
    return min(times, default=None)

"""How a pod gets to the node of its offer: born bound, or pinned for kube-scheduler to bind.

A pod with `spec.nodeName` is bound by the write that creates it. Volumes that wait for their first consumer, and
resource claims, are the exception: kube-scheduler has to help with them, so such a pod is pinned to its node instead.
"""

from collections.abc import Collection, Mapping
from typing import Any

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def needs_scheduler(spec: Mapping[str, Any], *, bound: Collection[str] = ()) -> bool:
    """Whether kube-scheduler must bind the pod, because something besides the node has to be found for it.

    `bound` names the PersistentVolumeClaims that are known to have their volumes, where the node can reach them.
    """
    if spec.get("resourceClaims"):
        return True
    volumes: list[Mapping[str, Any]] = spec.get("volumes") or []
    claims = [volume["persistentVolumeClaim"] for volume in volumes if "persistentVolumeClaim" in volume]
    return any("ephemeral" in volume for volume in volumes) or any(
        (claim or {}).get("claimName") not in bound for claim in claims
    )


def place(spec: Mapping[str, Any], node: str, *, bound: Collection[str] = ()) -> dict[str, Any]:
    """The pod's spec with its node in it, besides what its own affinity requires. `bound` as in `needs_scheduler`."""
    if not needs_scheduler(spec, bound=bound):
        return {**spec, "nodeName": node}
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    required = dict(node_affinity.get(_REQUIRED) or {})
    terms: list[Mapping[str, Any]] = required.get("nodeSelectorTerms") or [{}]
    pin = {"key": "metadata.name", "operator": "In", "values": [node]}
    # Any one of the terms suffices, so each has to name the node.
    required["nodeSelectorTerms"] = [{**term, "matchFields": [*(term.get("matchFields") or ()), pin]} for term in terms]
    node_affinity[_REQUIRED] = required
    affinity["nodeAffinity"] = node_affinity
    return {**spec, "affinity": affinity}

"""From a claim that was won to the pods it made room for.

A pod's name follows from the claim alone (offer, slice, number), so a crash between any two writes neither loses nor
doubles a pod: whoever comes back makes the same names, and the API server refuses the second of each.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK, LABEL_OFFER, LABEL_REVISION, LABEL_ROLE, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.quantities import Resources
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.ownership import owner_of
from tender.frameworks.sdk.placing import place

LAUNCH_SECONDS = 45
"""How long after its claim a pod may be launched; the master takes back what was not after 60 s."""
_LONGEST_PREFIX = 40


def pod_names(offer: ResourceOffer) -> Iterator[tuple[str, int, str]]:
    """The pods that a claimed offer has room for: name, index of the slice, and name of the task."""
    prefix = f"{offer.spec.framework[:_LONGEST_PREFIX].rstrip('-')}-{_distinction(offer)}"
    for claim in offer.status.claims:
        number = 0
        for task, count in sorted(claim.tasks.items()):
            for _ in range(count):
                yield f"{prefix}-{claim.slice}-{number}", claim.slice, task
                number += 1


def _distinction(offer: ResourceOffer) -> str:
    """What tells the offer from all others whose pods have names of the same beginning, without a hyphen."""
    name, framework = offer.metadata.name, offer.spec.framework
    own, _, suffix = name.rpartition("-")
    if own == framework and len(framework) <= _LONGEST_PREFIX:
        return suffix
    return hashlib.sha256(name.encode()).hexdigest()[:10]


def pod_manifest(framework: Framework, shape: Shape, offer: ResourceOffer, name: str, node: str) -> dict[str, Any]:
    """The pod of this shape, placed on the node, owned by the framework and labelled for the master's accounts."""
    metadata: Mapping[str, Any] = shape.template.get("metadata") or {}
    labels = {
        **(metadata.get("labels") or {}),
        **shape.labels,
        LABEL_FRAMEWORK: framework.metadata.name,
        LABEL_OFFER: offer.metadata.name,
        LABEL_ROLE: offer.spec.role,
        LABEL_TASK: shape.name,
        LABEL_REVISION: shape.revision,
    }
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": framework.metadata.namespace,
            "labels": labels,
            "ownerReferences": [owner_of(framework)],
        },
        "spec": place(_with_tolerations(shape), node),
    }
    if metadata.get("annotations"):
        manifest["metadata"]["annotations"] = metadata["annotations"]
    return manifest


def needs_of(requests: Resources, offered: Resources) -> dict[str, int]:
    """What one task takes of a slice. A slice that does not count pods has room for any number."""
    return {
        resource: amount
        for resource, amount in requests.items()
        if amount > 0 and (resource != "pods" or resource in offered)
    }


def _with_tolerations(shape: Shape) -> dict[str, Any]:
    spec = dict(shape.template["spec"])
    if shape.tolerations:
        own = list(spec.get("tolerations") or [])
        spec["tolerations"] = own + [dict(one) for one in shape.tolerations if dict(one) not in own]
    return spec

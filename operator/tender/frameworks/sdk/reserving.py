"""From a claim that was won to a Reservation, for tasks whose place outlasts their pods; and what others' places keep.

A Reservation's name follows from the claim, as a pod's does, so that whoever comes back after a crash makes the same
one. It is of what was claimed, the room for a pod included: then it takes nothing from anybody, and a node that is full
of other pods still takes this one back.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_FRAMEWORK, LABEL_INSTANCE, LABEL_OFFER
from tender.api.offer import ResourceOffer
from tender.api.quantities import Resources, format_resources
from tender.api.requests import pod_requests
from tender.api.reservation import Reservation
from tender.frameworks.sdk.launching import needs_of
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.ownership import owner_of

_LONGEST_PREFIX = 52

Kept = Mapping[str, Resources]
"""What is kept on a node for instances that do not use it, by instance."""


def reservation_manifest(
    framework: Framework, shape: Shape, instance: str, offer: ResourceOffer, index: int, pod: str
) -> dict[str, Any]:
    """The Reservation for a task claimed on slice `index` of an offer; `pod` is the name that its pod would have."""
    prefix = f"{framework.metadata.name}-{instance}"[:_LONGEST_PREFIX].rstrip("-")
    one = offer.spec.slices[index]
    return {
        "apiVersion": API_VERSION,
        "kind": Reservation.KIND,
        "metadata": {
            "name": f"{prefix}-{hashlib.sha256(pod.encode()).hexdigest()[:10]}",
            "namespace": framework.metadata.namespace,
            "labels": {
                **shape.labels,
                LABEL_FRAMEWORK: framework.metadata.name,
                LABEL_INSTANCE: instance,
                LABEL_OFFER: offer.metadata.name,
            },
            "ownerReferences": [owner_of(framework)],
        },
        "spec": {
            "role": offer.spec.role,
            "framework": framework.metadata.name,
            "node": one.node,
            "resources": format_resources(needs_of(shape.requests, one.amounts)),
        },
    }


def instances_with_place(reservations: Iterable[Reservation]) -> frozenset[str]:
    """The instances that a Reservation keeps a place for, also one that is not used now."""
    return frozenset(one.metadata.labels[LABEL_INSTANCE] for one in reservations if _keeps(one))


def kept_unused(
    reservations: Iterable[Reservation], pods: Iterable[Pod], standing: Iterable[str]
) -> dict[str, dict[str, Resources]]:
    """What the framework's own Reservations keep and nobody uses, by node and instance.

    The master offers that to the framework as well, which must not make a place for another task of it. `standing`
    names the claimed offers that hold room still: what was claimed for a Reservation is not on offer.
    """
    live: dict[tuple[str, str], list[Pod]] = {}
    for pod in pods:
        instance = pod.metadata.labels.get(LABEL_INSTANCE)
        if instance is not None and not pod.terminated:
            live.setdefault((pod.spec.node_name, instance), []).append(pod)
    covered = frozenset(standing)
    kept: dict[str, dict[str, Resources]] = {}
    for one in reservations:
        if not _keeps(one) or one.metadata.labels.get(LABEL_OFFER) in covered:
            continue
        node, instance = one.spec.node, one.metadata.labels[LABEL_INSTANCE]
        # A pod that kube-scheduler has yet to bind does not say its node, but will be on the one of its place.
        users = [*live.get((node, instance), ()), *live.get(("", instance), ())]
        unused = _less(one.spec.amounts, users)
        if unused:
            kept.setdefault(node, {})[instance] = unused
    return kept


def _keeps(reservation: Reservation) -> bool:
    """Whether a Reservation is one that was made for an instance, and is to stay."""
    metadata = reservation.metadata
    return LABEL_INSTANCE in metadata.labels and metadata.deletion_timestamp is None


def _less(amounts: Resources, pods: Iterable[Pod]) -> dict[str, int]:
    """What pods leave of a Reservation. Of a pod that was only just made no more is known than that it is there."""
    left = dict(amounts)
    for pod in pods:
        if not pod.spec.containers:
            return {}
        for resource, amount in pod_requests(pod.spec).items():
            left[resource] = left.get(resource, 0) - amount
    return {resource: amount for resource, amount in left.items() if amount > 0}

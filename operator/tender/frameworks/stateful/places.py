"""The places of pods: a Reservation each, made from the claim that was won for it, and as large as it has to be.

A pod with a place needs no offer: it is launched there, also while no master runs. A place grows before its pod gets a
configuration that needs more, and shrinks after one that needs less.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tender.api.conditions import READY, find_condition
from tender.api.core import Node
from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_ROLE
from tender.api.placement import NODE_NAME, Constraint
from tender.api.quantities import Resources, format_resources, parse_resources
from tender.api.requests import pod_requests, template_requests
from tender.api.reservation import Reservation
from tender.api.stateful import PodSet, SideTask
from tender.frameworks.sdk.model import Remove, Shape
from tender.frameworks.sdk.ownership import owned_metadata
from tender.frameworks.sdk.templates import shape_of
from tender.frameworks.stateful.instances import Instance, instance_labels


def needs_of(pod_set: PodSet, tasks: Sequence[SideTask]) -> dict[str, int]:
    """What the place of one pod has to hold: the pod, and the largest of its side tasks, which run one at a time."""
    total = template_requests(pod_set.template["spec"])
    largest: dict[str, int] = {}
    for task in tasks:
        for name, amount in template_requests(task.template["spec"]).items():
            largest[name] = max(largest.get(name, 0), amount)
    # A demand is for one pod at a time, so the place is offered with room for one: that of a side task is besides.
    largest.pop("pods", None)
    return {name: total.get(name, 0) + largest.get(name, 0) for name in {**total, **largest}}


def shape_for(
    framework: Framework, one: Instance, pod_set: PodSet, needs: Resources, peers: Sequence[str], now: float
) -> Shape:
    """What is asked of offers for the place of one pod. Peers are the nodes of the other places of its set."""
    avoid = one.record.avoid if one.record is not None else {}
    constraints = [*pod_set.constraints, *(_not_on(node) for node, until in sorted(avoid.items()) if until > now)]
    if one.bound_volumes and one.record is not None and one.record.node:
        # Its volumes have data, and may be reached from there alone.
        constraints.append(Constraint.model_construct(key=NODE_NAME, operator="Is", value=one.record.node))
    shape = shape_of(framework, pod_set.template, count=1, name=one.name, revision="place")
    return Shape(
        name=one.name,
        count=1,
        requests=needs,
        template=shape.template,
        revision=shape.revision,
        node_selector=shape.node_selector,
        tolerations=shape.tolerations,
        constraints=tuple(constraints),
        group=pod_set.name,
        peers=tuple(peers),
        reserved_as=one.name,
        labels=instance_labels(one.set_name, one.index),
    )


def is_large_enough(place: Reservation, needs: Resources) -> bool:
    """Whether the place has all that is needed. One that does not count pods has room for any number."""
    amounts = place.spec.amounts
    return all(amounts.get(name, 0) >= amount for name, amount in needs.items() if name != "pods" or name in amounts)


def lacks(place: Reservation) -> str:
    """What the master says is lacking in the place as it is now; empty: nothing, as far as it has said."""
    ready = find_condition(place.status.conditions, READY)
    if ready is None or ready.status == "True" or place.status.observed_generation != place.metadata.generation:
        return ""
    return ready.message or ready.reason


def is_confirmed(place: Reservation) -> bool:
    """Whether the place holds as it says now; one that was made from a claim does, before the master has seen it."""
    seen = place.status.observed_generation
    return seen is None or (seen == place.metadata.generation and not lacks(place))


def grown(framework: Framework, one: Instance, needs: Resources) -> dict[str, Any] | None:
    """The place made as large as needed, or None if it is."""
    place = one.place
    if place is None or is_large_enough(place, needs):
        return None
    amounts = place.spec.amounts
    return _resized(
        framework, place, {name: max(amounts.get(name, 0), needs.get(name, 0)) for name in {**amounts, **needs}}
    )


def shrunk(framework: Framework, one: Instance, needs: Resources) -> dict[str, Any] | None:
    """The place made as small as needed, or None if it is, or if more than that is still in use."""
    place = one.place
    if place is None or not is_large_enough(place, needs):
        return None
    amounts = place.spec.amounts
    wanted = {name: needs[name] for name in amounts if needs.get(name)}
    used = parse_resources(place.status.used)
    if wanted == dict(amounts) or any(amount > wanted.get(name, 0) for name, amount in used.items() if name in amounts):
        return None
    return _resized(framework, place, wanted)


def place_of_pod(framework: Framework, one: Instance) -> dict[str, Any] | None:
    """A place where a pod runs that has lost its own: what runs there is counted into it, so it takes nothing."""
    pod = one.pod
    if pod is None or pod.terminated or pod.leaving or not pod.spec.node_name or not pod.spec.containers:
        return None
    role = pod.metadata.labels.get(LABEL_ROLE, framework.spec.role)
    spec = {
        "role": role,
        "framework": framework.metadata.name,
        "node": pod.spec.node_name,
        "resources": format_resources(pod_requests(pod.spec)),
    }
    labels = instance_labels(one.set_name, one.index)
    return _manifest(owned_metadata(framework, one.pod_name, labels), spec)


def give_up_places(places: Sequence[Reservation], why: str) -> list[Remove]:
    """The removal of Reservations."""
    return [
        Remove(Reservation.KIND, one.metadata.name, one.metadata.uid or "", why)
        for one in places
        if one.metadata.deletion_timestamp is None
    ]


def why_not_on(name: str, node: Node | None) -> str:
    """Why no pod can be launched on the node; empty if one can."""
    if node is None:
        return f"its node {name} is gone: it waits for the node to come back, or for a pod request Replace"
    if node.leaving:
        return f"its node {name} is being removed from the cluster"
    if not node.ready:
        return f"its node {name} is not ready: it waits for the node, or for a pod request Replace"
    if node.spec.unschedulable:
        return f"its node {name} is cordoned: it waits for `kubectl uncordon`, or for a pod request Replace"
    return ""


def _resized(framework: Framework, place: Reservation, amounts: Resources) -> dict[str, Any]:
    metadata = owned_metadata(framework, place.metadata.name, place.metadata.labels)
    return _manifest(metadata, {**place.spec.manifest(), "resources": format_resources(amounts)})


def _manifest(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": Reservation.KIND, "metadata": metadata, "spec": spec}


def _not_on(node: str) -> Constraint:
    return Constraint.model_construct(key=NODE_NAME, operator="Unlike", value=node.replace(".", r"\."))

"""One turn of a framework: from what is seen to what is to be done, as a pure function.

Claims that were won come first: their missing pods are launched, as far as the plan still wants them. What is missing
after that is matched to the open offers. A turn may be taken at any time and any number of times; doing what it says
brings the framework closer to its plan, and a turn that finds everything as planned says nothing to do.
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tender.api.conditions import set_state
from tender.api.core import Pod
from tender.api.names import LABEL_OFFER, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.quantities import format_resources
from tender.frameworks.sdk.launching import LAUNCH_SECONDS, pod_manifest, pod_names
from tender.frameworks.sdk.matching import match
from tender.frameworks.sdk.model import Launch, Plan, Planner, Seen, Shape, Stop, Turn


def take_turn(planner: Planner, seen: Seen) -> Turn:
    """What the framework does next."""
    plan = planner(seen)
    shapes = {shape.name: shape for shape in plan.shapes}
    placed = _placed(seen.pods)
    missing = {shape.name: shape.count for shape in plan.shapes}
    for (task, _), count in placed.items():
        if task in missing:
            missing[task] -= count
    claimed = [offer for offer in seen.offers if _may_launch(offer, seen.now)]
    refused_until = seen.refused.until if seen.refused and seen.refused.until > seen.now else None
    hold_until = max(plan.hold_until, refused_until or 0.0)
    launches = _launches(seen, shapes, missing, placed, claimed) if seen.now >= hold_until else ()
    hold = max(0, math.ceil(hold_until - seen.now))
    open_offers = [
        offer
        for offer in seen.offers
        if offer.status.phase == "Offered" and offer.spec.expires_at.timestamp() > seen.now
    ]
    return Turn(
        answers=match(plan.shapes, missing, open_offers, hold, placed),
        launches=(*launches, *plan.launches),
        stops=_stops(plan, seen.pods, {offer.metadata.name for offer in claimed}),
        status=_status(plan, seen),
        notes=plan.notes,
        wake_at=min((at for at in (plan.wake_at, refused_until) if at is not None), default=None),
        keep=plan.keep,
        remove=plan.remove,
    )


def _placed(pods: tuple[Pod, ...]) -> Counter[tuple[str, str]]:
    """How many tasks there are, by name and node."""
    return Counter(
        (pod.metadata.labels.get(LABEL_TASK, ""), pod.spec.node_name)
        for pod in pods
        if not pod.terminated and not pod.leaving
    )


def _may_launch(offer: ResourceOffer, now: float) -> bool:
    """Whether pods may be launched from the offer: it was won, and not too long ago."""
    answered = offer.status.answered_at
    return offer.status.phase == "Claimed" and (answered is None or now <= answered.timestamp() + LAUNCH_SECONDS)


def _launches(
    seen: Seen,
    shapes: Mapping[str, Shape],
    missing: dict[str, int],
    placed: Counter[tuple[str, str]],
    claimed: list[ResourceOffer],
) -> tuple[Launch, ...]:
    """The pods that claims made room for and that are not there yet. Takes them off `missing`, adds to `placed`."""
    existing = {pod.metadata.name for pod in seen.pods} | seen.launched
    launches = []
    for offer in claimed:
        for name, index, task in pod_names(offer):
            if name in existing or missing.get(task, 0) <= 0:
                continue
            node = offer.spec.slices[index].node
            missing[task] -= 1
            placed[task, node] += 1
            launches.append(Launch(offer.metadata.name, pod_manifest(seen.framework, shapes[task], offer, name, node)))
    return tuple(launches)


def _stops(plan: Plan, pods: tuple[Pod, ...], claimed: set[str]) -> tuple[Stop, ...]:
    """The plan's stops, less failed pods of claims that may launch still: their names tell that they were launched."""
    kept = {pod.metadata.name for pod in pods if pod.terminated and pod.metadata.labels.get(LABEL_OFFER) in claimed}
    return tuple(stop for stop in plan.stops if stop.pod not in kept)


def _status(plan: Plan, seen: Seen) -> dict[str, Any]:
    framework = seen.framework
    state, reason, message = plan.state
    if seen.refused and state != "Ready":
        state, reason, message = "Stalled", "LaunchRefused", f"the API server refuses the pods: {seen.refused.why}"
    conditions = set_state(
        framework.status.conditions,
        state,
        reason=reason,
        message=message,
        generation=framework.metadata.generation,
        now=datetime.fromtimestamp(int(seen.now), UTC),
    )
    return {
        "observedGeneration": framework.metadata.generation,
        "conditions": [condition.manifest() for condition in conditions],
        "demand": [_demand(shape) for shape in plan.shapes if shape.count > 0],
        **plan.status,
    }


def _demand(shape: Shape) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": shape.name,
        "count": shape.count,
        "requests": format_resources({name: amount for name, amount in shape.requests.items() if name != "pods"}),
    }
    if shape.node_selector:
        entry["nodeSelector"] = dict(shape.node_selector)
    if shape.tolerations:
        entry["tolerations"] = [dict(one) for one in shape.tolerations]
    if shape.max_per_node is not None:
        entry["maxPerNode"] = shape.max_per_node
    return entry

"""One turn of a framework: from what is seen to what is to be done, as a pure function.

Claims that were won come first: their missing pods are launched, as far as the plan still wants them. What is missing
after that is matched to the open offers. A turn may be taken at any time and any number of times; doing what it says
brings the framework closer to its plan, and a turn that finds everything as planned says nothing to do.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tender.api.conditions import own_conditions, set_state
from tender.api.core import Pod
from tender.api.names import LABEL_OFFER, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.frameworks.sdk.demand import demand_entry
from tender.frameworks.sdk.launching import LAUNCH_SECONDS, pod_manifest, pod_names
from tender.frameworks.sdk.matching import match
from tender.frameworks.sdk.model import Answer, Claim, Launch, Plan, Planner, Seen, Shape, Stop, Turn
from tender.frameworks.sdk.ports import HostPort, ports_of_pod, ports_of_template
from tender.frameworks.sdk.reserving import instances_with_place, kept_unused, reservation_manifest
from tender.frameworks.sdk.terms import late_offers
from tender.frameworks.sdk.waiting import still_waiting
from tender.frameworks.sdk.wants import Surroundings


def take_turn(planner: Planner, seen: Seen) -> Turn:
    """What the framework does next."""
    plan = planner(seen)
    missing = _missing(plan.shapes, seen)
    claimed = [offer for offer in seen.offers if _may_launch(offer, seen.now)]
    refused_until = seen.refused.until if seen.refused and seen.refused.until > seen.now else None
    hold_until = max(plan.hold_until, refused_until or 0.0)
    won = _won(plan.shapes, missing, seen, claimed, launches=seen.now >= hold_until)
    late = late_offers(seen.offers)
    open_offers = [
        offer
        for offer in seen.offers
        if offer.status.phase == "Offered"
        and offer.spec.expires_at.timestamp() > seen.now
        and offer.metadata.name not in late
    ]
    matched = match(
        won.shapes,
        won.missing,
        open_offers,
        max(0, math.ceil(hold_until - seen.now)),
        won.placed,
        _surroundings(seen, won, claimed),
        [offer for offer in seen.offers if offer.status.phase in ("Claimed", "Declined")],
    )
    waiting = still_waiting(
        seen.framework.status.waiting,
        sum(count for count in won.missing.values() if count > 0),
        matched.refusals,
        placed=bool(won.launches or won.keep),
        of_use=_of_use(matched.answers, open_offers),
        nodes=seen.nodes or None,
        now=seen.now,
    )
    return Turn(
        answers=matched.answers,
        launches=(*won.launches, *plan.launches),
        stops=_stops(plan, seen.pods, {offer.metadata.name for offer in claimed}),
        status=_status(plan, seen, waiting),
        notes=plan.notes,
        wake_at=min((at for at in (plan.wake_at, refused_until) if at is not None), default=None),
        keep=(*plan.keep, *won.keep),
        remove=plan.remove,
    )


def _missing(shapes: Iterable[Shape], seen: Seen) -> dict[str, int]:
    """How many tasks of each shape are neither there nor have a place kept for them."""
    there: Counter[str] = Counter()
    for (task, _), count in _placed(seen.pods).items():
        there[task] += count
    with_place = instances_with_place(seen.reservations)
    return {shape.name: 0 if shape.reserved_as in with_place else shape.count - there[shape.name] for shape in shapes}


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


@dataclass(frozen=True, slots=True)
class _Won:
    """What claims made room for and is not there yet, and how things are with that.

    The `shapes` have it among their peers, `placed` counts it by shape and node, and `missing` does not any more.
    """

    launches: tuple[Launch, ...]
    keep: tuple[Mapping[str, Any], ...]
    shapes: tuple[Shape, ...]
    missing: Mapping[str, int]
    placed: Mapping[tuple[str, str], int]
    ports: Mapping[str, tuple[HostPort, ...]]


def _won(
    shapes: tuple[Shape, ...], missing: dict[str, int], seen: Seen, claimed: list[ResourceOffer], *, launches: bool
) -> _Won:
    """The pods and Reservations that claims made room for; pods only if there are to be `launches`."""
    by_name = {shape.name: shape for shape in shapes}
    existing = {pod.metadata.name for pod in seen.pods} | seen.launched
    missing, placed, ports = dict(missing), _placed(seen.pods), _ports(seen.pods)
    joined: dict[str, list[str]] = {}
    launched: list[Launch] = []
    keep: list[Mapping[str, Any]] = []
    for offer in claimed:
        for name, index, task in pod_names(offer):
            if missing.get(task, 0) <= 0:
                continue
            shape, node = by_name[task], offer.spec.slices[index].node
            if shape.reserved_as is not None:
                keep.append(reservation_manifest(seen.framework, shape, shape.reserved_as, offer, index, name))
                missing |= {one.name: 0 for one in shapes if one.reserved_as == shape.reserved_as}
            elif name in existing or not launches:
                continue
            else:
                launched.append(Launch(offer.metadata.name, pod_manifest(seen.framework, shape, offer, name, node)))
                missing[task] -= 1
            placed[task, node] += 1
            joined.setdefault(shape.group, []).append(node)
            ports[node] = (*ports.get(node, ()), *ports_of_template(shape.template["spec"]))
    return _Won(
        launches=tuple(launched),
        keep=tuple(keep),
        shapes=tuple(replace(one, peers=(*one.peers, *joined.get(one.group, ()))) for one in shapes),
        missing=missing,
        placed=placed,
        ports=ports,
    )


def _ports(pods: Iterable[Pod]) -> dict[str, tuple[HostPort, ...]]:
    """The ports of nodes that pods have taken, those that are leaving included."""
    ports: dict[str, tuple[HostPort, ...]] = {}
    for pod in pods:
        taken = () if pod.terminated else ports_of_pod(pod.spec)
        if taken:
            ports[pod.spec.node_name] = (*ports.get(pod.spec.node_name, ()), *taken)
    return ports


def _surroundings(seen: Seen, won: _Won, standing: Iterable[ResourceOffer]) -> Surroundings:
    spec = seen.framework.spec
    return Surroundings(
        nodes=seen.nodes,
        node_selector=spec.node_selector,
        roles=frozenset(spec.all_roles),
        kept=kept_unused(seen.reservations, seen.pods, [offer.metadata.name for offer in standing]),
        ports=won.ports,
    )


def _of_use(answers: Iterable[Answer], offers: Iterable[ResourceOffer]) -> frozenset[str]:
    """The nodes of which something is claimed."""
    claimed = {answer.offer: answer.claims for answer in answers if isinstance(answer, Claim)}
    return frozenset(
        offer.spec.slices[claim["slice"]].node for offer in offers for claim in claimed.get(offer.metadata.name, ())
    )


def _stops(plan: Plan, pods: tuple[Pod, ...], claimed: set[str]) -> tuple[Stop, ...]:
    """The plan's stops, less failed pods of claims that may launch still: their names tell that they were launched."""
    kept = {pod.metadata.name for pod in pods if pod.terminated and pod.metadata.labels.get(LABEL_OFFER) in claimed}
    return tuple(stop for stop in plan.stops if stop.pod not in kept)


def _status(plan: Plan, seen: Seen, waiting: Mapping[str, Any] | None) -> dict[str, Any]:
    framework = seen.framework
    state, reason, message = plan.state
    if seen.refused and state != "Ready":
        state, reason, message = "Stalled", "LaunchRefused", f"the API server refuses the pods: {seen.refused.why}"
    conditions = set_state(
        own_conditions(framework.status.conditions),
        state,
        reason=reason,
        message=message,
        generation=framework.metadata.generation,
        now=datetime.fromtimestamp(int(seen.now), UTC),
    )
    return {
        "observedGeneration": framework.metadata.generation,
        "conditions": [condition.manifest() for condition in conditions],
        "demand": [demand_entry(shape) for shape in plan.shapes if shape.count > 0],
        **({} if waiting is None else {"waiting": waiting}),
        **plan.status,
    }

"""Places that are lacking: since when, whether the service may ask for them now, and what it asks for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tender.api.requests import template_requests
from tender.frameworks.sdk.constraints import Group, Spread, forbidden_by_itself, value_of
from tender.frameworks.sdk.model import Shape
from tender.frameworks.stateful.acting import needs_in_all
from tender.frameworks.stateful.assignments import Assignment
from tender.frameworks.stateful.course import Progress
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.discipline import Lacking, goes_after
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.places import shape_for
from tender.frameworks.stateful.scene import Scene

MOST_AT_A_TIME = 64
"""For how many pods places are asked for at a time; a demand has at most 128 entries."""


def reserving_since(
    scene: Scene, instances: Mapping[str, Instance], rollout: Progress, since: datetime | None
) -> float | None:
    """Since when (epoch seconds) places are lacking; None while none is, or while people hold the rollout back."""
    lacking = any(
        one.place is None and (one.record is not None or rollout.state not in ("Waiting", "Error"))
        for name, one in instances.items()
        if one.set_name in scene.target.sets and one.index < scene.target.sets[one.set_name].count
    )
    if not lacking:
        return None
    return since.timestamp() if since is not None else scene.now


def queued_after(
    scene: Scene, instances: Mapping[str, Instance], reserving: float | None, limit: int
) -> tuple[str, ...]:
    """The services that are to have their places before this one may ask; `reserving` since when places are lacking."""
    if reserving is None:
        return ()
    own = Lacking(scene.framework, reserving, any(one.place is not None for one in instances.values()))
    return goes_after(own, scene.seen.frameworks, now=scene.now, limit=limit)


def shapes(
    scene: Scene, instances: Mapping[str, Instance], assignments: Mapping[str, Assignment], deeds: Mapping[str, Deeds]
) -> tuple[Shape, ...]:
    """What is asked of offers: a place for each pod that needs one, away from those of its set as they require."""
    asked: list[Shape] = []
    unused = _unused(scene, instances)
    for name, one in instances.items():
        if len(asked) == MOST_AT_A_TIME:
            break
        pod_set = scene.pod_set(one)
        if not deeds[name].needs_place or pod_set is None:
            continue
        newest = scene.target.sets.get(one.set_name, pod_set)
        peers = [
            other.place.spec.node
            for other in instances.values()
            if other.set_name == one.set_name and other.name != name and other.place is not None
        ]
        placed = pod_set.model_copy(update={"constraints": newest.constraints})
        needs = needs_in_all(scene, one, assignments[name])
        shape = shape_for(scene.framework, one, placed, needs, peers, scene.now)
        asked.append(replace(shape, spare=_spare(scene, shape, unused)))
    return tuple(asked)


def _unused(scene: Scene, instances: Mapping[str, Instance]) -> dict[str, Counter[str]]:
    """What places keep besides their pods, such as the room for side tasks, by node."""
    unused: dict[str, Counter[str]] = {}
    for one in instances.values():
        pod_set = scene.pod_set(one)
        if one.place is not None and pod_set is not None:
            pod = template_requests(pod_set.template["spec"])
            rest = {name: amount - pod.get(name, 0) for name, amount in one.place.spec.amounts.items()}
            unused.setdefault(one.place.spec.node, Counter()).update({k: v for k, v in rest.items() if v > 0})
    return unused


def _spare(scene: Scene, shape: Shape, unused: Mapping[str, Counter[str]]) -> dict[str, int]:
    """How much of an offer may be kept for others already, at most, on the nodes where the task may be.

    The master offers a framework first what it has reserved on a node and does not use, as part of what is asked for.
    """
    nodes = scene.seen.nodes
    group = Group(shape.peers, nodes)
    spare: dict[str, int] = {}
    for node, amounts in unused.items():
        forbidden = any(
            forbidden_by_itself(one, node, nodes)
            or Spread(one, group, frozenset()).forbidden(value_of(one.key, node, nodes) or "")
            for one in shape.constraints
            if one.operator != "GroupBy"
        )
        if not forbidden:
            spare = {name: max(spare.get(name, 0), amounts[name]) for name in {**spare, **amounts}}
    return spare

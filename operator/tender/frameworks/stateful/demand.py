"""Places that are lacking: since when, whether the service may ask for them now, and what it asks for."""

from collections.abc import Mapping
from datetime import datetime

from tender.frameworks.sdk.model import Shape
from tender.frameworks.stateful.acting import needs_in_all
from tender.frameworks.stateful.assignments import Assignment
from tender.frameworks.stateful.course import Progress
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.discipline import Lacking, goes_after
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.places import shape_for
from tender.frameworks.stateful.scene import Scene


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
    asked = []
    for name, one in instances.items():
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
        asked.append(shape_for(scene.framework, one, placed, needs, peers, scene.now))
    return tuple(asked)

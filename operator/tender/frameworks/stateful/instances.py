"""What there is of each pod: its record, the pod itself, those of its side tasks, its place and its volumes.

An instance is known by set and number, such as node-0. There is one for each pod that the target asks for, and one for
each that anything is left of.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from tender.api.core import Node, Pod, VolumeClaim
from tender.api.names import LABEL_INSTANCE, LABEL_SET
from tender.api.reservation import Reservation
from tender.frameworks.sdk.model import Seen
from tender.frameworks.stateful.records import Record
from tender.frameworks.stateful.rendering import pod_name
from tender.frameworks.stateful.targets import Target, instance_names

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Instance:
    """One pod of the service with all that is its own. `node` is that of its place, None if it is gone or there is no
    place; `record_uid` that of the ConfigMap. `tasks` are pods of side tasks by the task's name.
    """

    set_name: str
    index: int
    pod_name: str
    record: Record | None = None
    record_uid: str = ""
    pod: Pod | None = None
    tasks: Mapping[str, Pod] = field(default_factory=dict)
    place: Reservation | None = None
    surplus: tuple[Reservation, ...] = ()
    volumes: tuple[VolumeClaim, ...] = ()
    node: Node | None = None

    @property
    def name(self) -> str:
        """Set and number."""
        return f"{self.set_name}-{self.index}"

    @property
    def bound_volumes(self) -> frozenset[str]:
        """The names of its claims that have their volumes: there may be data in them."""
        return frozenset(claim.metadata.name for claim in self.volumes if claim.bound)

    @property
    def bare(self) -> bool:
        """Whether nothing is left of it but perhaps its record."""
        return not (self.pod or self.tasks or self.place or self.surplus or self.volumes)


def gather(seen: Seen, target: Target) -> dict[str, Instance]:
    """All instances by name: those that the target asks for, in its order, then those that are not wanted any more."""
    framework = seen.framework.metadata.name
    records = {one.metadata.labels[LABEL_INSTANCE]: one for one in seen.config_maps if _named(one.metadata.labels)}
    pods = _by_instance(seen.pods, lambda pod: pod.metadata.labels)
    places = _by_instance(seen.reservations, lambda place: place.metadata.labels)
    volumes = _by_instance(seen.volume_claims, lambda claim: claim.metadata.labels)
    wanted = dict.fromkeys(instance_names(target.pods))
    left = sorted({*records, *pods, *places, *volumes} - wanted.keys(), key=_order)
    instances = {}
    for name in (*wanted, *left):
        set_name, index = split(name)
        own = pod_name(framework, set_name, index)
        by_name = {pod.metadata.name: pod for pod in pods.get(name, ())}
        config_map = records.get(name)
        record = Record.read(config_map) if config_map is not None else None
        pod = by_name.get(own)
        place, surplus = _choose(places.get(name, []), pod, record)
        instances[name] = Instance(
            set_name=set_name,
            index=index,
            pod_name=own,
            record=record,
            record_uid=config_map.metadata.uid if config_map is not None else "",
            pod=pod,
            tasks={one[len(own) + 1 :]: by_name[one] for one in sorted(by_name) if one.startswith(f"{own}-")},
            place=place,
            surplus=surplus,
            volumes=tuple(sorted(volumes.get(name, ()), key=lambda claim: claim.metadata.name)),
            node=seen.nodes.get(place.spec.node) if place is not None else None,
        )
    return instances


def strangers(seen: Seen, instances: Mapping[str, Instance]) -> list[Pod]:
    """Pods of the framework that are of no instance."""
    known = {pod.metadata.uid for one in instances.values() for pod in (one.pod, *one.tasks.values()) if pod}
    return [pod for pod in seen.pods if pod.metadata.uid not in known]


def split(name: str) -> tuple[str, int]:
    """Set and number of an instance's name."""
    set_name, _, index = name.rpartition("-")
    return set_name, int(index)


def instance_labels(set_name: str, index: int) -> dict[str, str]:
    """The labels of what belongs to one pod."""
    return {LABEL_SET: set_name, LABEL_INSTANCE: f"{set_name}-{index}"}


def _named(labels: Mapping[str, str]) -> bool:
    set_name, _, index = labels.get(LABEL_INSTANCE, "").rpartition("-")
    return bool(set_name) and index.isdecimal()


def _by_instance(objects: Iterable[T], labels: Callable[[T], Mapping[str, str]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for one in objects:
        if _named(labels(one)):
            found[labels(one)[LABEL_INSTANCE]].append(one)
    return found


def _order(name: str) -> tuple[str, int]:
    return split(name)


def _choose(
    places: list[Reservation], pod: Pod | None, record: Record | None
) -> tuple[Reservation | None, tuple[Reservation, ...]]:
    """The place of an instance: the one that it runs in, or ran in, or else the oldest; and those it has no use for."""
    node = pod.spec.node_name if pod is not None else ""
    before = record.node if record is not None and not record.arriving else ""

    def rank(place: Reservation) -> tuple[bool, bool, str, str]:
        made = place.metadata.creation_timestamp
        return (
            place.spec.node != node,
            place.spec.node != before,
            made.isoformat() if made is not None else "",
            place.metadata.name,
        )

    ordered = sorted(places, key=rank)
    return (ordered[0], tuple(ordered[1:])) if ordered else (None, ())

"""The values that pass between a framework's planner, the SDK's turn and the executor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tender.api.conditions import State
from tender.api.core import Child, ConfigMap, ControllerRevision, Node, Pod, VolumeClaim
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.api.placement import Constraint
from tender.api.quantities import Resources
from tender.api.reservation import Reservation


@dataclass(frozen=True, slots=True)
class Refused:
    """The API server refuses the framework's pods: why, and until when (epoch seconds) no more are launched."""

    why: str
    until: float


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a turn looks at: the framework, what is its own, and the time (epoch seconds).

    `launched` names pods that were created from claims still standing, also those that are gone again. `nodes` are all
    of the cluster, by name; `frameworks` those of the same namespace, by name, this one included.
    """

    framework: Framework
    pods: tuple[Pod, ...]
    offers: tuple[ResourceOffer, ...]
    launched: frozenset[str]
    now: float
    refused: Refused | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    frameworks: Mapping[str, Framework] = field(default_factory=dict)
    reservations: tuple[Reservation, ...] = ()
    volume_claims: tuple[VolumeClaim, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    revisions: tuple[ControllerRevision, ...] = ()
    services: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of task: a pod template, what one pod of it requests, and how many are wanted in all.

    `name` is the demand's name; pods carry it in the label `tender.dev/task`. `count` includes those that run.
    `constraints` count over all tasks of the same `group`: `peers` are the nodes of those that there are, one entry for
    each task. With `reserved_as` what is claimed for the task is not launched: it is kept by a Reservation with that
    value in the label `tender.dev/instance`, and the planner launches into it when it sees it. The demand asks for
    `spare` besides what one pod requests: so much of an offer may be what is kept for others already.
    """

    name: str
    count: int
    requests: Resources
    template: Mapping[str, Any]
    revision: str
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    max_per_node: int | None = None
    constraints: tuple[Constraint, ...] = ()
    group: str = ""
    peers: tuple[str, ...] = ()
    reserved_as: str | None = None
    spare: Resources = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """Delete a pod; `uid` makes sure that it is this one and not a later one of the same name.

    `grace_seconds` 0 forgets it at once, for a pod whose node does not answer; None: as its spec says.
    """

    pod: str
    uid: str
    why: str
    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete another object of the framework, such as a Reservation that is given up."""

    kind: str
    name: str
    uid: str
    why: str


@dataclass(frozen=True, slots=True)
class Launch:
    """Create this pod; a claim of `offer` made room for it, or a Reservation (`offer` is empty)."""

    offer: str
    pod: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should read as an event of the framework. `kind` is Normal or Warning."""

    reason: str
    message: str
    kind: str = "Normal"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a framework wants at the moment.

    `hold_until` (epoch seconds) puts launches off, after failures; `wake_at` asks to be planned again then.
    `status` holds the fields of `Framework.status` that the planner sets, `state` the kstatus triple as
    (condition, reason, message). `keep` are objects besides pods that have to be like this (whole manifests for
    server-side apply; a planner lists those that are not), `remove` those that have to go, and `launches` pods for
    which the framework holds room already. What is kept is written before anything is launched, stopped or removed. A
    planner acts on what it sees recorded, never on what it is about to record: a crash between two writes then loses
    nothing.
    """

    shapes: tuple[Shape, ...]
    stops: tuple[Stop, ...]
    status: Mapping[str, Any]
    state: tuple[State, str, str]
    hold_until: float = 0.0
    wake_at: float | None = None
    notes: tuple[Note, ...] = ()
    keep: tuple[Mapping[str, Any], ...] = ()
    remove: tuple[Remove, ...] = ()
    launches: tuple[Launch, ...] = ()


class Planner(Protocol):
    """The first function that a framework's author writes."""

    def __call__(self, seen: Seen) -> Plan:
        """What the framework wants, given what is seen."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim these parts of an offer; `claims` has the form of `ResourceOffer.status.claims`.

    The rest is not refused: an offer that refuses stays after its launches, and a controller that starts while it may
    launch still could not tell a pod that has come and gone from one that was never made.
    """

    offer: str
    claims: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Decline:
    """Refuse an offer, and what it holds for so many seconds."""

    offer: str
    refuse_seconds: int
    why: str


Answer = Claim | Decline


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done next: first what is kept, the answers and the status, then launches, stops and removals.

    `status` is the whole part of `Framework.status` that belongs to the controller.
    """

    answers: tuple[Answer, ...]
    launches: tuple[Launch, ...]
    stops: tuple[Stop, ...]
    status: Mapping[str, Any]
    notes: tuple[Note, ...]
    wake_at: float | None
    keep: tuple[Mapping[str, Any], ...] = ()
    remove: tuple[Remove, ...] = ()

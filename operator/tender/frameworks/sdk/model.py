"""The values that pass between a framework's planner, the SDK's turn and the executor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tender.api.conditions import State
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.offer import ResourceOffer
from tender.api.quantities import Resources


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of task: a pod template, what one pod of it requests, and how many are wanted in all.

    `name` is the demand's name; pods carry it in the label `tender.dev/task`. `count` includes those that run.
    """

    name: str
    count: int
    requests: Resources
    template: Mapping[str, Any]
    revision: str
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    max_per_node: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Delete a pod; `uid` makes sure that it is this one and not a later one of the same name."""

    pod: str
    uid: str
    why: str


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
    (condition, reason, message).
    """

    shapes: tuple[Shape, ...]
    stops: tuple[Stop, ...]
    status: Mapping[str, Any]
    state: tuple[State, str, str]
    hold_until: float = 0.0
    wake_at: float | None = None
    notes: tuple[Note, ...] = ()


class Planner(Protocol):
    """The first function that a framework's author writes."""

    def __call__(self, framework: Framework, pods: tuple[Pod, ...], now: float) -> Plan:
        """What the framework wants, given its pods; `now` is in epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """The API server refuses the framework's pods: why, and until when (epoch seconds) no more are launched."""

    why: str
    until: float


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a turn looks at: the framework, the pods and offers that are its own, and the time (epoch seconds).

    `launched` names pods that were created from claims still standing, also those that are gone again.
    """

    framework: Framework
    pods: tuple[Pod, ...]
    offers: tuple[ResourceOffer, ...]
    launched: frozenset[str]
    now: float
    refused: Refused | None = None


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
class Launch:
    """Create this pod, for which a claim of `offer` made room."""

    offer: str
    pod: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done next, in this order: answers, launches, stops, then the status.

    `status` is the whole part of `Framework.status` that belongs to the controller.
    """

    answers: tuple[Answer, ...]
    launches: tuple[Launch, ...]
    stops: tuple[Stop, ...]
    status: Mapping[str, Any]
    notes: tuple[Note, ...]
    wake_at: float | None

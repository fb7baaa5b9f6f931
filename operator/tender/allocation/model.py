"""The values of the first level: nodes, roles, frameworks, charges, refusals, and what a cycle answers.

Amounts are integers (milli-CPU, bytes, counts) by resource name; times are seconds on the caller's clock. The master
makes these values from cluster objects; nothing here knows where they came from.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from tender.api.quantities import Resources


class Reason(StrEnum):
    """Why a node was not offered to a framework. A node counts once, under the first reason that applies."""

    SUPPRESSED = "Suppressed"
    """The framework has declared that it needs nothing, or takes no part for now."""
    THROTTLED = "Throttled"
    """The framework has held what it was offered without using it, and waits before it is offered anything again."""
    UNAVAILABLE = "Unavailable"
    """The node is not ready, cordoned or leaving."""
    TAINTED = "Tainted"
    """The node has a taint that the framework does not tolerate."""
    UNSUITABLE = "Unsuitable"
    """The node lacks a label of the node selector, or holds as many of the tasks as it may."""
    QUOTA = "Quota"
    """The limit of the role, or of one above it, is used up."""
    HEADROOM = "Headroom"
    """What is free is kept for guarantees."""
    RESERVED = "Reserved"
    """What is free is reserved for another role."""
    FILTERED = "Filtered"
    """The framework has refused as much on this node a short time ago."""
    TOO_SMALL = "TooSmall"
    """What is free is less than the minimum offer."""
    EXHAUSTED = "Exhausted"
    """Not enough was free when the cycle began."""
    SHARE_ORDER = "ShareOrder"
    """Enough was free, and went to frameworks that hold less than their share."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node, as Kubernetes defines it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True, slots=True)
class Toleration:
    """A toleration of a framework or of one of its tasks, as Kubernetes defines it. An empty key tolerates all keys."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node: what it can hold in all, and what a framework may choose it by.

    `unavailable` says in words why nothing new may start there (not ready, cordoned, leaving); empty if it may.
    """

    name: str
    allocatable: Resources
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A node of the role tree. `weight` > 0; a `limit` binds the role and everything below it."""

    name: str
    parent: str | None = None
    weight: float = 1.0
    guarantee: Resources = field(default_factory=dict)
    limit: Resources = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demand:
    """One shape of task that a framework wants: `count` is how many in all, those it runs included."""

    name: str
    requests: Resources
    count: int
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    max_per_node: int | None = None


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: `demand` None means "offer me all that I am entitled to", an empty tuple "I need nothing".

    It takes part in `role` and in the `further_roles`; each offer is made in one of them. `minimum` lists the sets of
    which an offer holds at least one; None stands for the settings', () for anything.
    `capabilities` names the scarce resources whose nodes it may be offered without having asked for them in a demand.
    `inactive` says in words why it is offered nothing whatever its demand (being deleted, ...); empty if it is.
    `inactive_reason` is what that counts as.
    """

    name: str
    role: str
    demand: tuple[Demand, ...] | None = None
    minimum: tuple[Resources, ...] | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    capabilities: frozenset[str] = frozenset()
    inactive: str = ""
    inactive_reason: Reason = Reason.SUPPRESSED
    further_roles: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """All roles that it takes part in."""
        return (self.role, *self.further_roles)


class Member(NamedTuple):
    """A framework in one of its roles."""

    framework: str
    role: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Resources of one node that somebody holds: a pod, a claim not yet seen as pods, or an outstanding offer.

    `framework` None stands for pods outside every framework. `tasks` counts tasks by the name of their demand. `role`
    is the role it is charged to, which the framework may have left since; None stands for the framework's first.
    """

    node: str
    resources: Resources
    framework: str | None = None
    tasks: Mapping[str, int] = field(default_factory=dict)
    offered: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A filter: until `until`, the framework is not offered, on any of these nodes, what is contained in the amounts.

    `nodes` gives the refused amounts by node: one answer refuses all slices of its offer.
    """

    framework: str
    until: float
    nodes: Mapping[str, Resources]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Resources of one node kept for a role and the roles below it; if `framework` is given, for that one alone.

    `refines` is the key of a reservation on the same node that this one is a part of, for a role below that one's: what
    is kept here is kept there no longer.
    """

    node: str
    resources: Resources
    role: str
    framework: str | None = None
    refines: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The knobs of a cycle.

    Nodes that have a scarce resource are offered only to frameworks that ask for it. `sorter` says how the next
    framework is found: by dominant share (`drf`), or by lot, with chances in proportion to the weights (`random`).
    """

    minimum_offer: tuple[Resources, ...] = ({"cpu": 10}, {"memory": 32 * 1024**2})
    unshared_resources: frozenset[str] = frozenset({"pods"})
    scarce_resources: frozenset[str] = frozenset({"nvidia.com/gpu"})
    sorter: Literal["drf", "random"] = "drf"


class Grant(NamedTuple):
    """What a cycle gives one framework, in one role, on one node. Shape of one slice of an offer."""

    framework: str
    role: str
    node: str
    resources: Resources
    tasks: Mapping[str, int] = MappingProxyType({})


class NotOffered(NamedTuple):
    """How many nodes were not offered for one reason, and what would have to change."""

    reason: Reason
    nodes: int
    message: str


@dataclass(frozen=True, slots=True)
class Shares:
    """Dominant shares divided by weight, by role and by framework."""

    roles: Mapping[str, float]
    frameworks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What one cycle decided: grants by framework and role, and reasons for everyone still waiting."""

    grants: tuple[Grant, ...]
    not_offered: Mapping[str, tuple[NotOffered, ...]]

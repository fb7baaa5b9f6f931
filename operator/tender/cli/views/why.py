"""Why a framework waits: a funnel of nodes in words, and at its end the one sentence on what would have to change.

Every node stands behind the first thing in its way, so the farther down a reason is, the less is missing on its nodes:
what would have to change is found at the lowest one. Behind what the master did not offer comes what the framework
itself refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tender.allocation import Reason
from tender.api.conditions import RECONCILING, STALLED, find_condition
from tender.api.framework import Framework
from tender.cli.views.ages import age
from tender.cli.views.amounts import quantities
from tender.cli.views.frameworks import kind, message, state, tasks
from tender.cli.views.table import Column, table
from tender.cli.views.words import counted
from tender.frameworks.sdk.funnel import REASONS

FUNNEL = (
    Reason.SUPPRESSED,
    Reason.UNAVAILABLE,
    Reason.TAINTED,
    Reason.UNSUITABLE,
    Reason.EXHAUSTED,
    Reason.TOO_SMALL,
    Reason.RESERVED,
    Reason.FILTERED,
    Reason.QUOTA,
    Reason.HEADROOM,
    Reason.SHARE_ORDER,
)
"""The master's reasons, in the order in which it looks at a node."""

_ADVICE = {
    "Role": "take part in the role of these offers (spec.roles)",
    "Constraint": "loosen the constraints, or add nodes that meet them",
    "Reservation": "free or add a reserved place for it",
    "CPU": "ask for less CPU, or free more of it on one node",
    "Memory": "ask for less memory, or free more of it on one node",
    "Disk": "ask for less disk, or free more of it on one node",
    "GPU": "ask for less of it, or free more on one node",
    "Pods": "free places for pods on these nodes, or add nodes",
    "Ports": "ask for other ports of nodes, or add nodes",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way on so many nodes; `detail` and the `names` of the nodes only the master itself knows."""

    reason: str
    nodes: int
    message: str
    detail: str = ""
    names: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """What is the case."""
        return self.message.rpartition("; ")[0] or self.message

    @property
    def advice(self) -> str:
        """What would have to change, which the master's messages say behind the last semicolon."""
        return self.message.rpartition("; ")[2]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the funnel: what is waited for, and what stands in the way, in the order of the funnel."""

    title: str
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of why a framework waits. `answer` is what the master serves of it, None if it was not asked."""

    framework: Framework
    answer: Mapping[str, Any] | None
    now: datetime

    @property
    def now_decided(self) -> Mapping[str, Any]:
        """What a cycle would decide now, as the master says."""
        return {} if self.answer is None else self.answer["now"]

    @property
    def waits(self) -> int:
        """How many tasks wait for a place, as far as the controller says."""
        return self.framework.status.waiting.tasks if self.framework.status.waiting is not None else 0

    def stages(self) -> list[Stage]:
        """What the master did not offer: in full, or as far as the status says."""
        if self.answer is not None:
            return [_stage(wait) for wait in self.now_decided["waits"]]
        allocation = self.framework.status.allocation
        if allocation is None or not allocation.not_offered:
            return []
        told = [Obstacle(one.reason, one.nodes, one.message) for one in allocation.not_offered]
        return [Stage("Not offered by the master, in its last cycle", _ordered(told))]

    def refused(self) -> tuple[Obstacle, ...]:
        """What the framework itself refused of what it was offered."""
        waiting = self.framework.status.waiting
        reasons = waiting.reasons if waiting is not None else ()
        order = {reason: place for place, reason in enumerate(REASONS)}
        told = [Obstacle(one.reason, one.nodes, one.message) for one in reasons]
        return tuple(sorted(told, key=lambda one: order.get(one.reason, len(order))))

    def document(self) -> dict[str, object]:
        """For programs."""
        status = self.framework.status
        return {
            "framework": "/".join(self.framework.key),
            "state": state(self.framework),
            "message": message(self.framework),
            "waiting": status.waiting.manifest() if status.waiting is not None else None,
            "allocation": status.allocation.manifest() if status.allocation is not None else None,
            "master": self.answer,
            "change": change(self),
        }


def lines(why: Why, *, wide: bool = False) -> Iterator[str]:
    """The funnel for people, ending in what would have to change; `wide` names all nodes."""
    framework = why.framework
    of = " and ".join([f"role {framework.spec.role}", *framework.spec.roles])
    ready = f", {tasks(framework)} ready" if tasks(framework) else ""
    yield f"{framework.metadata.name} ({kind(framework)}, {of}): {state(framework)}{ready}"
    waiting = framework.status.waiting
    if waiting is not None and waiting.tasks:
        yield f"{counted(waiting.tasks, 'task')} waiting for a place, for {age(waiting.since, why.now)}"
    for stage in why.stages():
        yield ""
        yield f"{stage.title}:"
        yield from _table(stage.obstacles, wide=wide)
    refused = why.refused()
    if refused:
        yield ""
        yield f"Refused by {framework.metadata.name} itself, of the last offer of each node:"
        yield from _table(refused, wide=wide)
    yield ""
    yield f"What would have to change: {change(why)}"


def change(why: Why) -> str:
    """What would have to change for the framework to get on, in one sentence."""
    return f"{_change(why).rstrip('.')}."


def _change(why: Why) -> str:
    framework, status = why.framework, why.framework.status
    if framework.metadata.deletion_timestamp is not None:
        return "nothing, it is being deleted"
    if idle := _idle(why):
        return idle
    backing_off = status.backoff is not None and status.backoff.until is not None and status.backoff.until > why.now
    if backing_off:
        return f"its pods have to start without failing: {message(framework)}"
    if offers := why.now_decided.get("nextOffers"):
        return f"nothing, the next cycle offers it something on {counted(len({one['node'] for one in offers}), 'node')}"
    if not _lacks_places(why):
        return _of_condition(framework)
    if decisive := _lowest(why.refused()):
        advice = _ADVICE.get(decisive.reason, "change what it asks for, or add nodes")
        return f"{advice} ({decisive.message})"
    if decisive := _lowest([one for stage in why.stages() for one in stage.obstacles], FUNNEL):
        on = f"on {counted(decisive.nodes, 'node')}: " if decisive.nodes else ""
        detail = f"; {decisive.detail}" if decisive.detail else ""
        return f"{decisive.advice} ({on}{decisive.cause}{detail})"
    if status.allocation is not None and status.allocation.offered:
        return f"nothing, it is to answer what it is offered: {quantities(status.allocation.offered)}"
    if status.allocation is None and why.answer is None:
        return "the master has to run: it has not said anything of this framework yet"
    return "nothing that is known; ask again in a moment"


def _idle(why: Why) -> str:
    """Why it takes no part, if it does not."""
    if why.framework.status.demand == ():
        return ""  # it has what it asks for, or says in a condition why it asks for nothing
    if why.answer is not None:
        return str(why.now_decided["suppressed"])
    allocation = why.framework.status.allocation
    told = allocation.not_offered if allocation is not None else ()
    return next((one.message for one in told if one.reason == Reason.SUPPRESSED), "")


def _lacks_places(why: Why) -> bool:
    """Whether it waits for offers at all."""
    if why.waits:
        return True
    if why.answer is not None:
        return bool(why.now_decided["waits"])
    allocation = why.framework.status.allocation
    told = allocation.not_offered if allocation is not None else ()
    return any(one.reason != Reason.SUPPRESSED for one in told) or why.framework.status.demand is None


def _of_condition(framework: Framework) -> str:
    for kind_of_state in (STALLED, RECONCILING):
        condition = find_condition(framework.status.conditions, kind_of_state)
        if condition is not None and condition.status == "True":
            return f"{condition.message} (no place is missing)"
    if framework.status.demand == () and not framework.status.conditions:
        return "its demand, which is empty: it asks for nothing"
    return "nothing, it has all that it asks for"


def _lowest(obstacles: Iterable[Obstacle], order: Sequence[str] = REASONS) -> Obstacle | None:
    """The one that is farthest down the funnel; of equal ones that of the most nodes."""
    places = {str(reason): place for place, reason in enumerate(order)}
    return max(obstacles, key=lambda one: (places.get(one.reason, -1), one.nodes), default=None)


def _stage(wait: Mapping[str, Any]) -> Stage:
    what = f"{wait['missing']} more of task {wait['demand']}" if wait["demand"] else "more of everything"
    told = [
        Obstacle(one["reason"], one["nodes"], one["message"], one["detail"], tuple(one["names"]))
        for one in wait["notOffered"]
    ]
    return Stage(f"In role {wait['role']}, {what} cannot be offered now", _ordered(told))


def _ordered(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    places = {str(reason): place for place, reason in enumerate(FUNNEL)}
    return tuple(sorted(obstacles, key=lambda one: places.get(one.reason, len(places))))


def _table(obstacles: Sequence[Obstacle], *, wide: bool) -> Iterator[str]:
    columns = [
        Column[Obstacle]("REASON", lambda one: one.reason),
        Column[Obstacle]("NODES", lambda one: str(one.nodes)),
        Column[Obstacle]("WHY", lambda one: f"{one.message} ({one.detail})" if one.detail else one.message),
        Column[Obstacle]("NAMES", lambda one: ",".join(one.names), wide=True),
    ]
    return (f"  {line}" for line in table(columns, obstacles, wide=wide))

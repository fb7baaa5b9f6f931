"""What people are told of a service: its condition, and whatever it waits for.

A service that has been on the way for 10 min without getting further needs a person: pods of its newest version that
do not get ready, and changes that no offer helps, are then `Stalled`. What is wanted is tried all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tender.api.conditions import RECONCILING, STALLED, find_condition
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_EXCHANGE
from tender.frameworks.sdk.model import Note
from tender.frameworks.sdk.silence import created_at
from tender.frameworks.service.backoff import Backoff
from tender.frameworks.service.course import Course, Told
from tender.frameworks.service.failures import cause_of, troubles
from tender.frameworks.service.presence import Presence
from tender.frameworks.service.room import NoPlace
from tender.frameworks.service.selection import to_exchange
from tender.frameworks.service.update import Bounds

PROGRESS_SECONDS = 600.0
"""How long a service may be on the way without getting further; as long as Deployments may."""
_CAUSE_SECONDS = 10.0
"""How long tasks wait until people are told of the offers that do not come."""


@dataclass(frozen=True)
class Situation:
    """Where a service stands. `new` are the active pods of the version that is launched, `old` the others; `missing`
    is how many pods are to be launched, and `no_place` why the constraints leave no node for one.
    """

    framework: Framework
    course: Course
    presence: Presence
    new: Sequence[Pod]
    old: Sequence[Pod]
    bounds: Bounds
    missing: int
    stopping: int
    failed: Sequence[Pod]
    backoff_before: Backoff
    backoff: Backoff
    exposure_mistake: str
    no_place: NoPlace | None
    now: float

    @property
    def blocked(self) -> bool:
        """Whether a change goes no further by itself: no old pod may go, and no new one has a place or is starting."""
        return bool(
            self.no_place
            and self.old
            and not self.course.held
            and self.missing
            and not self.stopping
            and all(pod.ready for pod in self.new)
            and not any(pod.leaving and not pod.terminated for pod in self.presence.pods)
        )

    @cached_property
    def stalls_at(self) -> float | None:
        """When (epoch seconds) what is on the way has taken too long; None while nothing can."""
        if self.framework.status.settled_generation == self.framework.metadata.generation or self.course.held:
            return None
        starting = [created_at(pod, self.now) for pod in self.new if not pod.ready]
        if starting:
            return max(starting) + PROGRESS_SECONDS
        waiting = self._waiting_since
        return None if waiting is None or not self.old else waiting + PROGRESS_SECONDS

    @property
    def wake_at(self) -> float | None:
        """When (epoch seconds) something else is to be told although nothing happens."""
        since = self._waiting_since
        times = [self.stalls_at, None if since is None else since + _CAUSE_SECONDS]
        return min((at for at in times if at is not None and at > self.now), default=None)

    @property
    def cause(self) -> str:
        """Why what is missing is not launched, as far as offers and constraints say; empty if they do not."""
        status, since = self.framework.status, self._waiting_since
        if self.no_place is not None:
            return self.no_place.message
        if since is None or self.now < since + _CAUSE_SECONDS or status.waiting is None:
            return ""
        told = [f"offers refused: {one.reason}: {one.message}" for one in status.waiting.reasons[:1]]
        not_offered = status.allocation.not_offered if status.allocation is not None else ()
        told += [f"not offered: {one.reason}: {one.message}" for one in not_offered[:2]]
        return "; ".join(told) or "no offer has come"

    @property
    def _waiting_since(self) -> float | None:
        waiting = self.framework.status.waiting
        return waiting.since.timestamp() if waiting is not None and self.missing else None


def state_of(one: Situation) -> Told:
    """The condition that the service is in, why, and what it waits for."""
    course, replicas = one.course, one.course.replicas
    if course.told is not None and course.told[0] == "Stalled":
        return course.told
    if one.exposure_mistake:
        return "Stalled", "NotExposable", one.exposure_mistake
    if one.backoff.until > one.now:
        return "Reconciling", "BackingOff", _backing_off(one)
    if course.told is not None:
        return course.told[0], course.told[1], f"{course.told[2]}; {_figures(one)}{_details(one)}"
    stalled = one.stalls_at is not None and one.now >= one.stalls_at
    if stalled and not all(pod.ready for pod in one.new):
        return "Stalled", "PodsNotReady", f"{_figures(one)}, for 10 min nothing has changed{_details(one)}"
    if one.old:
        return _rolling(one, stalled)
    if len(one.new) > replicas:
        return "Reconciling", "ScalingDown", f"scaling down to {replicas}"
    if len(one.new) < replicas:
        return "Reconciling", "Launching", f"launching {_pods(replicas)} as offers come{_details(one)}"
    if sum(pod.ready for pod in one.new) < replicas:
        return "Reconciling", "Starting", f"waiting for {_pods(replicas)} to be ready{_details(one)}"
    return "Ready", "AsSpecified", f"{_figures(one)}{_besides(one)}"


def notes_of(one: Situation, state: Told) -> tuple[Note, ...]:
    """What people are told as an event, once, when a change can go no further."""
    if state[1] != "RollBlocked":
        return ()
    before = (find_condition(one.framework.status.conditions, kind) for kind in (RECONCILING, STALLED))
    known = any(condition is not None and condition.reason == "RollBlocked" for condition in before)
    return () if known else (Note("RollBlocked", state[2], "Warning"),)


def _rolling(one: Situation, stalled: bool) -> Told:
    replicas, bounds = one.course.replicas, one.bounds
    asked = sum(to_exchange(pod) for pod in one.old)
    old = f"{len(one.old)} are old" if asked < len(one.old) else f"{_pods(asked)} to be exchanged"
    done = f"{sum(pod.ready for pod in one.new)} of {replicas} pods are new and ready, {old}"
    if one.blocked and one.no_place is not None and not one.no_place.passing:
        return "Stalled", "RollBlocked", f"{one.cause}; change spec.service.constraints, or add a node. {done}"
    if one.blocked:
        run = one.course.run
        share = run.spec.update_strategy.minimum_health if run is not None else ""
        message = (
            f"{one.cause}; updateStrategy.minimumHealth {share} keeps {bounds.least_ready} of {replicas} pods ready, so"
            f" no old one may go first: lower it, or add a node. {done}"
        )
        return "Stalled" if stalled else "Reconciling", "RollBlocked", message
    if stalled:
        return "Stalled", "RollBlocked", f"for 10 min no offer was of use: {one.cause}. {done}"
    purpose = "for the newest template" if asked < len(one.old) else f"as label {LABEL_EXCHANGE} asks"
    return "Reconciling", "RollingOut", f"exchanging pods {purpose}; {done}{_details(one)}"


def _backing_off(one: Situation) -> str:
    """The failures, with the cause; while the same wait goes on, what was said when it began."""
    text = f"pods have failed {one.backoff.failures} times in a row; waiting to launch again"
    if one.failed:
        return f"{text} ({one.failed[0].metadata.name}: {cause_of(one.failed[0])})"
    said = find_condition(one.framework.status.conditions, RECONCILING)
    if said is not None and said.reason == "BackingOff" and one.backoff == one.backoff_before:
        return said.message
    return text


def _figures(one: Situation) -> str:
    pods = (*one.new, *one.old)
    return f"{min(one.course.replicas, sum(pod.ready for pod in pods))} of {one.course.replicas} pods are ready"


def _details(one: Situation) -> str:
    told = (troubles(one.presence.active), one.cause if one.missing else "", _nodes(one))
    return "".join(f"; {text}" for text in told if text)


def _besides(one: Situation) -> str:
    text = _nodes(one)
    return f"; {text}" if text else ""


def _nodes(one: Situation) -> str:
    """The pods that are on nodes which do not answer."""
    silent = [pod for pod in (*one.presence.active, *one.presence.inactive) if pod.metadata.name in one.presence.silent]
    nodes = sorted({pod.spec.node_name for pod in silent})
    if not nodes:
        return ""
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    return f"{_pods(len(silent))} on nodes that do not answer ({', '.join(nodes[:3])}{more})"


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"

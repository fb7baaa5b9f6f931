"""Reserve discipline: how many stateful services of a namespace may ask for places at a time.

Two services that each fit alone but not together would each get half of their places, and wait for ever. So those that
lack places queue: those that hold some already come before those that hold none, as only they can end the wait, and
then the oldest come first. Those that hold none take turns, since perhaps one of them will never fit.

Since when a service lacks places is recorded in its status, and so is what it holds; each sees the others by that, so
all find the same order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tender.api.framework import Framework

TURN_SECONDS = 600.0
"""How long one that holds no place asks before others that hold none have their turn."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A service that lacks places since then (epoch seconds), and whether it has some."""

    framework: Framework
    since: float
    holds: bool

    @property
    def age(self) -> tuple[float, str]:
        """Sorts the older ones first."""
        made = self.framework.metadata.creation_timestamp
        return (made.timestamp() if made is not None else 0.0, self.framework.metadata.name)


def goes_after(own: Lacking, frameworks: Mapping[str, Framework], *, now: float, limit: int) -> tuple[str, ...]:
    """The frameworks that are to have their places first; empty: this one may ask.

    `frameworks` are those of the namespace by name; `limit` is how many may ask at a time, 0: all.
    """
    if limit <= 0:
        return ()
    name = own.framework.metadata.name
    queue = [one.framework.metadata.name for one in _queue([own, *_others(name, frameworks)], now)]
    return () if queue.index(name) < limit else tuple(queue[:limit])


def _others(name: str, frameworks: Mapping[str, Framework]) -> Iterable[Lacking]:
    for other in frameworks.values():
        status = other.status.stateful
        if other.metadata.name == name or other.spec.stateful is None or status is None:
            continue
        if status.reserving_since is not None and other.metadata.deletion_timestamp is None:
            holds = any(pod.node is not None for pod in status.pods)
            yield Lacking(other, status.reserving_since.timestamp(), holds)


def _queue(lacking: Iterable[Lacking], now: float) -> list[Lacking]:
    by_age = sorted(lacking, key=lambda one: one.age)
    hungry = [one for one in by_age if not one.holds]
    turns = int((now - min((one.since for one in hungry), default=now)) // TURN_SECONDS)
    first = turns % len(hungry) if hungry else 0
    return [*(one for one in by_age if one.holds), *hungry[first:], *hungry[:first]]

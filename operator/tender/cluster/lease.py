"""Who leads, as a pure state machine over a Lease: what a candidate does about the record it has seen.

The rules are those of Kubernetes' own leader election: whoever writes its name into the record leads until it fails to
renew it for as long as the record says. Times are readings of one machine's steady clock, from when it *saw* a record
change; the times of day in the record are for people, so clocks that differ or jump decide nothing. Every step is one
compare-and-swap on the record, so of two candidates that take the same step one fails.

`leadership` is the loop that takes these steps, `fence` what they open and close.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tender.cluster.resources import LEASES

_WRITE_SHARE = 0.8
"""The part of the time between renew deadline and end of the lease in which writes under way may end."""
_LEAST_RETRY_SHARE = 1.2
"""Waits between two tries are up to this much longer than the retry period; one has to fit into the deadline."""


@dataclass(frozen=True, slots=True)
class ElectionSettings:
    """Which Lease decides, and its times in seconds; raises ValueError when they do not fit each other."""

    name: str
    namespace: str | None = None
    """None: the namespace of the credentials, which in a pod is its own."""
    lease_duration: int = 15
    """How long others wait after the last renewal that they have seen before one of them takes over."""
    renew_deadline: float = 10.0
    """How long after its last renewal a leader goes on writing."""
    retry_period: float = 2.0
    """How often a leader renews and a candidate looks."""

    def __post_init__(self) -> None:
        if self.retry_period <= 0:
            raise ValueError("the retry period must be greater than 0 s")
        if self.renew_deadline <= self.retry_period * _LEAST_RETRY_SHARE:
            raise ValueError(
                f"the renew deadline of {self.renew_deadline:g} s must be longer than {_LEAST_RETRY_SHARE} times the"
                f" retry period of {self.retry_period:g} s: one renewal has to fit into it"
            )
        if self.lease_duration <= self.renew_deadline:
            raise ValueError(
                f"the lease duration of {self.lease_duration:g} s must be longer than the renew deadline of"
                f" {self.renew_deadline:g} s: in between the writes of a former leader end"
            )

    @property
    def grace(self) -> float:
        """How long after the renew deadline a write may be under way: it ends before the next leader can begin."""
        return _WRITE_SHARE * (self.lease_duration - self.renew_deadline)


@dataclass(frozen=True, slots=True)
class Record:
    """A Lease as the API server has it. An empty `holder` has released it; `transitions` is the term."""

    holder: str
    seconds: float
    transitions: int
    version: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen: a record, or (None) that there is none, `since` when, and for how long since then (`held`) it is
    somebody's.
    """

    record: Record | None
    since: float
    held: float


@dataclass(frozen=True, slots=True)
class Wait:
    """It is somebody else's for so many seconds more, if nothing changes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Create:
    """There is no record, and nobody who might hold it: make one."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write one's name into the record if it has this version, with this `term`: a new one unless it is one's own."""

    version: str
    term: int
    is_new: bool


Step = Wait | Create | Write


def read(lease: Mapping[str, Any]) -> Record:
    """The record of a Lease as the API server sent it."""
    metadata, spec = lease["metadata"], lease.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=metadata["resourceVersion"],
        uid=metadata["uid"],
    )


def observe(before: Sighting | None, record: Record | None, now: float) -> Sighting:
    """What is seen after a look at the record at `now`.

    A record that has gone may have been renewed, or taken, just before: whoever it was is given its time once more.
    """
    known = None if before is None else before.record
    if before is not None and (record.version if record else "") == (known.version if known else ""):
        return before
    if record is None:
        return Sighting(None, now, 0.0 if known is None else known.seconds)
    return Sighting(record, now, record.seconds if record.holder else 0.0)


def decide(seen: Sighting, me: str, now: float) -> Step:
    """What candidate or leader `me` does about what it has seen."""
    record = seen.record
    if record is not None and record.holder == me:
        return Write(record.version, record.transitions, is_new=False)
    if now < seen.since + seen.held:
        return Wait(seen.since + seen.held - now)
    if record is None:
        return Create()
    return Write(record.version, record.transitions + 1, is_new=True)


def body_of(settings: ElectionSettings, namespace: str, me: str, term: int, now: datetime) -> dict[str, Any]:
    """A new Lease that `me` holds; `now` is the time of day."""
    spec = {**held_by(settings, me, term, now), "acquireTime": micro_time(now)}
    return {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": {"name": settings.name, "namespace": namespace},
        "spec": spec,
    }


def held_by(settings: ElectionSettings, me: str, term: int, now: datetime) -> dict[str, Any]:
    """The spec of a Lease that `me` has just renewed."""
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": settings.lease_duration,
        "leaseTransitions": term,
        "renewTime": micro_time(now),
    }


def micro_time(now: datetime) -> str:
    """A time of day as Leases have it."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

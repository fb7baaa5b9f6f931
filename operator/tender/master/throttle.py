"""Which frameworks are slowed down, and what they are told of it: the budgets of `conduct`, kept for each framework.

`facts` asks whether a change is to be held back and tells of changed demands, `offerbook` of declines, claims, launches
and lapses; the loop takes up what was held back and lets rest who rests. Nothing is kept across a restart: a new master
begins with clean records, which costs the others a few rounds.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tender.api.conditions import THROTTLED
from tender.api.timestamps import timestamp
from tender.frameworks.sdk.revival import Revival
from tender.master.conduct import (
    CALM_SECONDS,
    DEMAND_BURST,
    FORGIVEN_SECONDS,
    LAPSED_ROUNDS,
    QUICK_SECONDS,
    Declines,
    Lapses,
)
from tender.master.dues import LAUNCH_DEADLINE_SECONDS

NOT_LAUNCHED = "ClaimsNotLaunched"
DECLINED_AT_ONCE = "OffersDeclinedAtOnce"
CHANGES_TOO_OFTEN = "DemandChangesTooOften"
REASONS = (NOT_LAUNCHED, DECLINED_AT_ONCE, CHANGES_TOO_OFTEN)
"""Why frameworks are throttled, each as one word."""
WITHIN_BUDGET = "WithinBudget"
LOOK_SECONDS = 1.0
"""How often it is looked whether somebody is throttled, or no longer."""

Manifest = Mapping[str, Any]
_NO_LAPSES = Lapses()
_NO_DECLINES = Declines()


class Throttling(NamedTuple):
    """Why and how a framework is throttled: a word for programs and a sentence for people."""

    reason: str
    message: str


_CALM = Throttling(WITHIN_BUDGET, "the framework keeps within its budgets again: it is served like all others")


@dataclass(slots=True)
class _Record:
    """What is kept of one framework. `held` is the newest change not taken up yet, as the API server sent it."""

    demand: Revival = field(default_factory=lambda: Revival(burst=DEMAND_BURST))
    held: Manifest | None = None
    held_at: float | None = None
    lapses: Lapses = _NO_LAPSES
    declines: Declines = _NO_DECLINES


@dataclass(frozen=True, slots=True)
class _Told:
    """What people are told of a framework, and since when it is so."""

    throttled: bool
    throttling: Throttling
    since: float


class Throttle:
    """The records of all frameworks, by key. `changes` counts when people have to be told something else."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        self._told: dict[str, _Told] = {}
        self._looked: float | None = None
        self.changes = 0

    # Changes of the demand

    def holds_back(self, framework: str, manifest: Manifest, now: float) -> bool:
        """Whether a change of a framework's status is to wait; the newest of those that wait is taken up in the end."""
        record = self._records.get(framework)
        if record is None or record.demand.allowed(now):
            return False
        record.held, record.held_at = manifest, now
        return True

    def demand_changed(self, framework: str, now: float) -> None:
        """A changed demand was taken up."""
        record = self._record(framework)
        if record.demand.allowed(now):
            record.demand = record.demand.after(now)

    def due(self, now: float) -> list[Manifest]:
        """What was held back and may be taken up now."""
        due = []
        for record in self._records.values():
            if record.held is not None and record.demand.allowed(now):
                due.append(record.held)
                record.held = None
        return due

    # Answers to offers

    def declined(self, framework: str, offered: float, refuse_seconds: int, now: float) -> float:
        """An offer made at `offered` was declined for so many seconds; for how many it counts as refused at least."""
        if refuse_seconds >= QUICK_SECONDS:
            self._forgive_declines(framework)
            return 0.0
        record = self._record(framework)
        record.declines = record.declines.after(offered, now)
        return record.declines.least_refusal

    def claimed(self, framework: str) -> None:
        """Something of an offer was claimed."""
        self._forgive_declines(framework)

    def lapsed(self, framework: str, claimed: float, now: float) -> None:
        """A claim has lapsed that was made at `claimed`, and nothing of it was launched."""
        record = self._record(framework)
        record.lapses = record.lapses.after(claimed, now)

    def launched(self, framework: str) -> None:
        """Something that was claimed runs."""
        record = self._records.get(framework)
        if record is not None:
            record.lapses = _NO_LAPSES

    def resting(self, now: float) -> dict[str, str]:
        """The frameworks that are offered nothing for now, and why, in words."""
        return {
            name: _of_lapses(record.lapses).message
            for name, record in self._records.items()
            if now < record.lapses.rests_until
        }

    def forget(self, framework: str) -> None:
        """The framework is gone."""
        self._records.pop(framework, None)
        self._told.pop(framework, None)

    # What people are told

    def look(self, now: float) -> None:
        """Look who is throttled, at most once a second; records that are clean are dropped."""
        if self._looked is not None and 0 <= now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for name, record in list(self._records.items()):
            throttling = _throttling(record, now)
            self._tell(name, throttling, now)
            if throttling is None and _is_clean(record, now):
                del self._records[name]
        for name in [name for name, told in self._told.items() if name not in self._records and _is_old(told, now)]:
            del self._told[name]
            self.changes += 1

    def condition(self, framework: str, generation: int | None) -> dict[str, Any] | None:
        """The condition `Throttled` of a framework; None if there is nothing to say."""
        told = self._told.get(framework)
        if told is None:
            return None
        return {
            "type": THROTTLED,
            "status": "True" if told.throttled else "False",
            "reason": told.throttling.reason,
            "message": told.throttling.message,
            **({} if generation is None else {"observedGeneration": generation}),
            "lastTransitionTime": timestamp(told.since, "seconds"),
        }

    def counts(self) -> Mapping[str, int]:
        """How many frameworks are throttled, by each reason."""
        counted = Counter(told.throttling.reason for told in self._told.values() if told.throttled)
        return {reason: counted[reason] for reason in REASONS}

    def _tell(self, name: str, throttling: Throttling | None, now: float) -> None:
        before = self._told.get(name)
        throttled = throttling is not None
        if before is None and not throttled:
            return
        since = before.since if before is not None and before.throttled == throttled else now
        after = _Told(throttled, throttling or _CALM, since)
        if after != before:
            self._told[name] = after
            self.changes += 1

    def _record(self, framework: str) -> _Record:
        return self._records.setdefault(framework, _Record())

    def _forgive_declines(self, framework: str) -> None:
        record = self._records.get(framework)
        if record is not None:
            record.declines = _NO_DECLINES


def _throttling(record: _Record, now: float) -> Throttling | None:
    """What a framework is throttled for; of several things the first is the one that costs it most."""
    found = []
    if record.lapses.rounds > LAPSED_ROUNDS and not record.lapses.forgiven(now):
        found.append(_of_lapses(record.lapses))
    if record.declines.least_refusal and not record.declines.forgiven(now):
        found.append(_of_declines(record.declines))
    if record.held_at is not None and now < record.held_at + CALM_SECONDS:
        found.append(_OF_DEMAND)
    if not found:
        return None
    return Throttling(found[0].reason, ". ".join(one.message for one in found))


def _of_lapses(lapses: Lapses) -> Throttling:
    return Throttling(
        NOT_LAUNCHED,
        f"it has claimed offers {lapses.rounds} times in a row and launched nothing of them within "
        f"{LAUNCH_DEADLINE_SECONDS:.0f} s; it is offered nothing until {timestamp(lapses.rests_until, 'seconds')}, and "
        "for longer each time. Launch what is claimed (pods with the label tender.dev/offer), or claim only what can "
        "be launched: one launch ends this",
    )


def _of_declines(declines: Declines) -> Throttling:
    return Throttling(
        DECLINED_AT_ONCE,
        f"it goes on declining all that it is offered for less than {QUICK_SECONDS} s; what it declines now counts as "
        f"refused for {declines.least_refusal:.0f} s at least, and for longer each time. Refuse for as long as it is "
        "of no use (refuseSeconds), or declare what is wanted (status.demand, [] for nothing): a claim or a longer "
        "refusal ends this",
    )


_OF_DEMAND = Throttling(
    CHANGES_TOO_OFTEN,
    f"its demand has changed more often than once a second, {DEMAND_BURST} times beyond that; one change a second is "
    "taken up now, the latest one. Declare in count how many pods are wanted in all, and change it only when that "
    f"changes: {CALM_SECONDS:.0f} s without another change end this",
)


def _is_clean(record: _Record, now: float) -> bool:
    return (
        record.held is None
        and record.demand.full_at <= now
        and record.lapses.forgiven(now)
        and record.declines.forgiven(now)
    )


def _is_old(told: _Told, now: float) -> bool:
    return not told.throttled and now >= told.since + FORGIVEN_SECONDS

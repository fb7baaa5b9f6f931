"""The master's heart: when something changed, or a second has passed, run the cycle and hand on what it decided.

In a large cluster, where a cycle takes its time, one that was asked for by some nodes is about these nodes alone, and
who waits is told why only by the cycle of every second.

One task owns the ledger and takes all decisions, one after the other; everything it decides is carried out by the
executor beside it. Nothing is offered before the caches of nodes and pods and the census are complete.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from random import Random

import structlog

from tender.allocation import CycleResult, Grant, Ledger, Reason, Role, run_cycle
from tender.allocation.take_back import after_role_change
from tender.api.framework import Framework
from tender.api.offer import OfferPhase
from tender.cluster.leadership import Leadership
from tender.master.dues import Cause, Withdraw
from tender.master.executor import Executor
from tender.master.metrics import MasterMetrics
from tender.master.offerbook import OfferBook
from tender.master.offering import make_offers
from tender.master.reading import read_framework
from tender.master.registry import Registry
from tender.master.room import holder_of
from tender.master.settings import MasterSettings

log = structlog.get_logger(__name__)

REST_SECONDS = 10.0
"""How long a framework rests after the API server refused an offer for it."""
_COSTLY_SECONDS = 0.01
"""From this duration on a cycle over all nodes waits for its second, if it was asked for by some nodes only."""
_REST_FACTOR = 3.0
"""For how many times as long as the last tick took changes are gathered: ticks take a quarter of the time at most."""
_RESTING = "the API server refused an offer for it; trying again soon"


class AllocationLoop:
    """Runs cycles. `wake` asks for one soon.

    `latest` is the result of the last one, with the reasons that were found last; it is as of `last_cycle`. The last
    one over all nodes took `last_seconds` for `last_nodes` of them. With a `leadership` offers carry its term, and
    nothing is decided while its fence is shut.
    """

    def __init__(
        self,
        ledger: Ledger,
        book: OfferBook,
        frameworks: Registry[Framework],
        executor: Executor,
        metrics: MasterMetrics,
        settings: MasterSettings,
        *,
        clock: Callable[[], float],
        rng: Random,
        leadership: Leadership | None = None,
    ) -> None:
        self._leadership = leadership
        self._ledger = ledger
        self._book = book
        self._frameworks = frameworks
        self._executor = executor
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._changed = asyncio.Event()
        self._everywhere = True
        self._nodes: set[str] = set()
        self._changed_at: float | None = None
        self._explained = 0.0
        self._tick_seconds = 0.0
        self._refused: dict[str, float] = {}
        self._resting: set[str] = set()
        self.latest = CycleResult((), {})
        self.last_cycle: float | None = None
        self.last_seconds = 0.0
        self.last_nodes = 0

    def wake(self, nodes: Iterable[str] | None = None) -> None:
        """Something changed, on these nodes or (None) anywhere: run a cycle soon."""
        if nodes is None:
            self._everywhere = True
        else:
            self._nodes.update(nodes)
        if self._changed_at is None:
            self._changed_at = time.monotonic()
        self._changed.set()

    @property
    def rest_seconds(self) -> float:
        """How long more changes are waited for after the first: longer when a tick is costly, as with thousands of
        frameworks, since every change has to be taken in meanwhile.
        """
        return max(self._settings.debounce, min(self._settings.interval, _REST_FACTOR * self._tick_seconds))

    @property
    def term(self) -> int | None:
        """The term that offers are made in; None without an election."""
        return None if self._leadership is None else self._leadership.term

    async def run(self) -> None:
        """Run cycles until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._settings.interval):
                    await self._changed.wait()
                await asyncio.sleep(self.rest_seconds)
            except TimeoutError:
                self._everywhere = True
            if self._leadership is not None:
                await self._leadership.fence.opened()
            self._changed.clear()
            nodes = None if self._everywhere or self.last_seconds < _COSTLY_SECONDS else self._nodes
            try:
                self.tick(nodes)
            except Exception:
                log.exception("cycle failed; the next one starts afresh")
                self._everywhere = True

    def tick(self, nodes: Collection[str] | None = None) -> None:
        """One cycle, over these nodes or all: end what is due, decide what is offered, hand both to the executor."""
        begun = time.perf_counter()
        now = self._clock()
        if self._changed_at is not None:
            self._metrics.queue_seconds.observe(time.monotonic() - self._changed_at)
            self._changed_at = None
        self._everywhere, self._nodes = False, set()
        for manifest in self._book.throttle.due(now):
            self._frameworks.put(manifest)
        for offer, tasks in self._book.lapse(now).items():
            log.warning("claim not launched in time", offer=offer, tasks=tasks)
            self._metrics.launches_missed.inc(tasks)
        self._rest(now)
        self._book.throttle.look(now)
        self._executor.carry_out(self._book.due(now, self._frameworks.objects, self._executor.busy), now)
        started = time.perf_counter()
        due = now - self._explained >= self._settings.interval
        explain = nodes is None and (due or self.last_seconds < _COSTLY_SECONDS)
        result = run_cycle(self._ledger, self._settings.cycle, now, self._rng, nodes, explain=explain)
        took = time.perf_counter() - started
        self._metrics.cycle_seconds.observe(took)
        if nodes is None:
            self.last_seconds, self.last_nodes = took, len(self._ledger.nodes)
        for grant in result.grants:
            self._ledger.note_allocation(grant.framework, grant.role)
        self._offer(result.grants, now)
        if explain:
            self._explained = now
        self.latest = result if explain else CycleResult(result.grants, self.latest.not_offered)
        self.last_cycle = now
        self._tick_seconds = time.perf_counter() - begun

    def _offer(self, grants: Iterable[Grant], now: float) -> None:
        """Offer what was granted. What cannot be made into an offer holds up nobody but its framework."""
        for name, granted in groupby(sorted(grants, key=_framework_of), key=_framework_of):
            try:
                self._executor.create(make_offers(granted, self._frameworks.objects, now, self._rng, self.term))
            except ValueError:
                log.exception("no offer can be made of what was granted", framework=name)
                self._executor.failed.add(name)

    def role_changed(self, before: Role | None, after: Role | None) -> None:
        """A role changed, came (`before` None) or went: the offers that no longer fit are taken back."""
        now = self._clock()
        keys = after_role_change(self._ledger, self._settings.cycle, before, after, now, self._rng, holder_of)
        why = _what_changed(before, after)
        offers = dict.fromkeys(holder_of(key) for key in keys)
        self._executor.carry_out([Withdraw(offer, OfferPhase.RESCINDED, why, Cause.ROLE) for offer in offers], now)

    def enforce_limits(self) -> None:
        """Take back what a limit does not allow that was lowered while no master ran."""
        for name, held in list(self._ledger.role_holdings().items()):
            role = self._ledger.role_of(name)
            if any(held.get(resource, 0) > most for resource, most in role.limit.items()):
                self.role_changed(dataclasses.replace(role, limit={}), role)

    def _rest(self, now: float) -> None:
        """Let frameworks rest whose offers the API server refuses, or who do not launch what they claim, and wake those
        that have rested.
        """
        for name in self._executor.failed:
            self._refused[name] = now + REST_SECONDS
        self._executor.failed.clear()
        self._refused = {name: until for name, until in self._refused.items() if until > now}
        throttled = self._book.throttle.resting(now)
        resting = dict.fromkeys(self._refused, (_RESTING, Reason.SUPPRESSED))
        resting |= {name: (message, Reason.THROTTLED) for name, message in throttled.items()}
        for name in self._resting - resting.keys():
            framework = self._frameworks.objects.get(name)
            if framework is not None:
                self._ledger.put_framework(read_framework(framework))
        for name, (message, reason) in resting.items():
            known = self._ledger.frameworks.get(name)
            if known is not None and not known.inactive:
                self._ledger.put_framework(dataclasses.replace(known, inactive=message, inactive_reason=reason))
        self._resting = set(resting)


def _framework_of(grant: Grant) -> str:
    return grant.framework


def _what_changed(before: Role | None, after: Role | None) -> str:
    """What people are told about offers that were taken back."""
    if after is None:
        return f"role {before.name} was deleted" if before is not None else ""
    old = before or Role(after.name)
    differs = {
        "weight": old.weight != after.weight,
        "parent": old.parent != after.parent,
        "quota": (old.guarantee, old.limit) != (after.guarantee, after.limit),
    }
    what = " and the ".join(name for name in differs if differs[name])
    return f"the {what} of role {after.name} changed" if what else f"role {after.name} was created"

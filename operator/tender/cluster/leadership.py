"""Leading and losing it: the loop that takes the steps of `lease`, and opens the `fence` for as long as they succeed.

A leader that cannot renew in time writes nothing any more but keeps trying: as long as nobody has taken over, its name
is still in the record of the version that it knows, and a renewal that succeeds, a compare-and-swap, proves it.
So an API server that is away for a minute makes nobody start anew. When somebody has taken over, the process ends with
an error and begins afresh: what it knew is a former leader's.
"""

import asyncio
import contextlib
import platform
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import structlog
from prometheus_client import Gauge

from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.clocks import steady
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, NotFound
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.fence import Fence
from tender.cluster.lease import (
    Create,
    ElectionSettings,
    Record,
    Sighting,
    Wait,
    Write,
    body_of,
    decide,
    held_by,
    observe,
    read,
)
from tender.cluster.resources import LEASES
from tender.cluster.retry import ONCE
from tender.cluster.transport import Observe

log = structlog.get_logger(__name__)

_JITTER = 0.2
_STUCK_LEASES = 3
"""For how many lease durations the loop may make no try before the process is to be started anew."""
_LAST_WORDS_SECONDS = 1.0


class LeaseLost(Exception):  # noqa: N818  # what happened, as the errors of the API server
    """Somebody else leads now."""


async def _none() -> int:
    return 0


class Leadership:
    """One process' candidature for the Lease of a component ("master", "controller").

    `won` is set once it leads, from when on `term` is the number of its leadership. `fence` is for the clients of
    everything that only a leader may write. `first_term()` gives the least term that a Lease may begin with where there
    is none: 0 if there has never been a leader.
    """

    def __init__(
        self,
        access: Access,
        settings: ElectionSettings,
        component: str,
        *,
        first_term: Callable[[], Awaitable[int]] = _none,
        identity: str | None = None,
        rng: Random | None = None,
        clock: Callable[[], float] = steady,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Observe | None = None,
    ) -> None:
        self.settings = settings
        self.identity = identity or f"{platform.node()}_{secrets.token_hex(4)}"
        self.namespace = settings.namespace or access.namespace
        self.fence = Fence(settings.renew_deadline, settings.grace, clock)
        self.term: int | None = None
        self.won = asyncio.Event()
        self._component = component
        self._client = Client(
            access,
            field_manager=f"tender-{component}",
            retry=ONCE,
            request_timeout=settings.renew_deadline / 2,
            observe=observe,
        )
        self._recorder = EventRecorder(self._client, controller=f"tender-{component}", instance=self.identity)
        self._first_term = first_term
        self._rng = rng or Random()
        self._clock = clock
        self._now = now
        self._seen: Sighting | None = None
        self._next_term = 0
        self._last_try = clock()
        self._is_silent = False
        self._stands_by = ""

    def stuck(self) -> str | None:
        """A check for liveness: whether the loop has stopped making tries."""
        silence = self._clock() - self._last_try
        limit = _STUCK_LEASES * self.settings.lease_duration
        return f"no try to hold the lease {self.settings.name} for {silence:.0f} s" if silence > limit else None

    async def run(self) -> None:
        """Stand for election, and lead once it is won, until cancelled. Raises LeaseLost."""
        telling = asyncio.create_task(self._recorder.run())
        try:
            while not self.won.is_set():
                await self._campaign()
            self._tell("leads", f"{self.identity} leads in term {self.term}")
            while True:
                await asyncio.sleep(self.settings.retry_period)
                await self._renew()
        except LeaseLost as lost:
            self.fence.shut()
            self._tell("leads no more", f"{self.identity} leads no more: {lost}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_SECONDS):
                    await self._recorder.drain()
            raise
        finally:
            telling.cancel()

    async def release(self) -> None:
        """Let the next one take over at once; all writes have to be over."""
        self.fence.shut()
        if self.won.is_set() and self._seen is not None and self._seen.record is not None:
            log.info("lease released", lease=self.settings.name, term=self.term)
            try:
                await self._patch(self._seen.record.version, {"holderIdentity": ""})
            except ApiError as error:
                log.warning("lease not released; it ends by time", lease=self.settings.name, error=str(error))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _campaign(self) -> None:
        """Make one try, and rest before the next."""
        rest = self.settings.retry_period * self._rng.uniform(1.0, 1.0 + _JITTER)
        try:
            seen = await self._look()
            match decide(seen, self.identity, self._clock()):
                case Wait(seconds):
                    rest = min(rest, max(seconds, 0.01))
                    self._note_standby(seen)
                case Create():
                    await self._create_first(seen)
                case Write() as step:
                    await self._write(step)
        except (AlreadyExists, Conflict):
            log.info("somebody else was first", lease=self.settings.name)
        except ApiError as error:
            log.warning("lease not tried for", lease=self.settings.name, error=str(error))
        self._last_try = self._clock()
        if not self.won.is_set():
            await asyncio.sleep(rest)

    def _note_standby(self, seen: Sighting) -> None:
        holder = "" if seen.record is None else seen.record.holder
        if holder != self._stands_by:
            log.info("stands by", component=self._component, lease=self.settings.name, leader=holder)
            self._stands_by = holder

    async def _create_first(self, seen: Sighting) -> None:
        """Make the Lease, unless there has been a leader that may still be there: then its time has to pass first."""
        term = max(await self._first_term(), self._next_term)
        if term and not seen.held:
            log.info("the lease was deleted; waiting until its last holder has ended", lease=self.settings.name)
            self._seen = Sighting(None, self._clock(), float(self.settings.lease_duration))
            return
        await self._create(term)

    async def _renew(self) -> None:
        """Renew the lease; what fails is tried again, but for a lease that somebody else has."""
        try:
            try:
                await self._hold(self._seen or await self._look())
            except (Conflict, AlreadyExists):
                await self._hold(await self._look())
        except (Conflict, AlreadyExists):
            log.info("the lease is being changed; trying again", lease=self.settings.name)
        except ApiError as error:
            log.warning("lease not renewed", lease=self.settings.name, error=str(error))
        self._last_try = self._clock()
        if self.fence.is_open == self._is_silent:
            self._is_silent = not self._is_silent
            log.warning(
                "no writes until the lease is renewed" if self._is_silent else "the lease is renewed again",
                lease=self.settings.name,
            )

    async def _hold(self, seen: Sighting) -> None:
        """Renew what is one's own, going by what was seen last."""
        step = decide(seen, self.identity, self._clock())
        try:
            if isinstance(step, Write) and not step.is_new:
                await self._write(step)
                return
        except NotFound:
            seen = await self._look()
        if seen.record is None and self.fence.is_open and self.term is not None:
            await self._create(self.term)
            return
        holder = seen.record.holder if seen.record is not None else ""
        raise LeaseLost(f"the lease is held by {holder}" if holder else "the lease was released or deleted")

    async def _look(self) -> Sighting:
        record: Record | None = None
        with contextlib.suppress(NotFound):
            record = read(await self._client.get(LEASES, self.settings.name, namespace=self.namespace))
            self._next_term = max(self._next_term, record.transitions + 1)
        self._seen = observe(self._seen, record, self._clock())
        return self._seen

    async def _create(self, term: int) -> None:
        sent = self._clock()
        body = body_of(self.settings, self.namespace, self.identity, term, self._now())
        self._holds(read(await self._client.create(LEASES, body)), sent)

    async def _write(self, step: Write) -> None:
        sent, now = self._clock(), self._now()
        spec = held_by(self.settings, self.identity, step.term, now)
        if step.is_new:
            spec["acquireTime"] = spec["renewTime"]
        self._holds(read(await self._patch(step.version, spec)), sent)

    async def _patch(self, version: str, spec: dict[str, object]) -> dict[str, object]:
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        return await self._client.patch(LEASES, self.settings.name, patch, namespace=self.namespace)

    def _holds(self, record: Record, sent: float) -> None:
        """The API server has taken a write of one's own that was sent at this reading of the clock."""
        self._seen = observe(self._seen, record, self._clock())
        self.term = record.transitions
        self.fence.renewed(sent)
        self.won.set()

    def _tell(self, what: str, note: str) -> None:
        log.info(what, component=self._component, lease=self.settings.name, identity=self.identity, term=self.term)
        record = None if self._seen is None else self._seen.record
        about = Regarding(LEASES, self.settings.name, self.namespace, "" if record is None else record.uid)
        self._recorder.record(about, "LeaderElection", note, action="Elect")


@contextlib.asynccontextmanager
async def candidacy(leadership: Leadership | None) -> AsyncIterator[None]:
    """Within it the process stands for election and leads; raises LeaseLost when it has lost. Afterwards, when all that
    was begun within it has ended, the lease is released. None: there is no election.
    """
    if leadership is None:
        yield
        return
    try:
        async with contextlib.aclosing(leadership):
            async with asyncio.TaskGroup() as tasks:
                standing = tasks.create_task(leadership.run())
                yield
                standing.cancel()
            await leadership.release()
    except ExceptionGroup as failures:
        lost = failures.subgroup(LeaseLost)
        if lost is None:
            raise
        raise LeaseLost(str(lost.exceptions[0])) from None


async def may_begin(leadership: Leadership | None, stop: asyncio.Event) -> bool:
    """Wait until the process leads; False when it is asked to stop before."""
    if leadership is None:
        return True
    waits = [asyncio.create_task(event.wait()) for event in (leadership.won, stop)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not stop.is_set()


def count_leader(gauge: Gauge, leadership: Leadership | None) -> None:
    """From now on the gauge says whether this process leads; without an election it does."""
    gauge.set_function(lambda: float(leadership is None or leadership.fence.is_open))

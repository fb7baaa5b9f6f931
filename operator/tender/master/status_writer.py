"""Writes the statuses of frameworks, roles and reservations: when they have changed, and not too often.

Every status follows from the facts and from what the last cycle found out about who is waiting. While neither changes,
nothing is computed, and of an object that was just written nothing until it may be written again.

Server-side apply under the master's own name leaves the rest of a framework's status to its controller. A quota that
has become unsound, or sound again, is told of in an event as soon as the status says so; what the status said before,
also that of a former life of the master, is not told again.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog

from tender.allocation import CycleResult, Ledger, Settings
from tender.api.conditions import READY, find_condition
from tender.api.framework import Framework
from tender.api.meta import CustomResource
from tender.api.names import MANAGER_MASTER
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, NotFound
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, RESERVATIONS, Resource
from tender.master.facts import Facts
from tender.master.framework_statuses import framework_status
from tender.master.reservation_statuses import ReservationStatuses
from tender.master.role_statuses import RoleStatuses, news_of_quota

log = structlog.get_logger(__name__)

_WRITES_AT_ONCE = 4
"""Statuses are for people, who can wait a moment: many at once would hold up those who launch."""
_WRITING_SECONDS = 0.25
"""How much of each second may go into them, for the same reason; what is left is written in the next."""
_STARTING_SECONDS = 60.0
"""How long a framework may take to be ready before people are told of its figures meanwhile."""

Wanted = tuple[Resource, CustomResource, dict[str, Any]]


class StatusWriter:
    """Writes statuses that differ from what was written last, at most every `interval` seconds per object."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        facts: Facts,
        recorder: EventRecorder,
        latest: Callable[[], CycleResult],
        settings: Settings,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._facts = facts
        self._recorder = recorder
        self._latest = latest
        self._settings = settings
        self._interval = interval
        self._clock = clock
        self._roles = RoleStatuses(ledger, settings)
        self._reservations = ReservationStatuses(ledger)
        self._written: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._basis: object = None
        self._look_again = math.inf

    async def run(self) -> None:
        """Look once a second what is to be written, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            await self.tick()

    async def tick(self) -> None:
        """Write what is due now, of that first what was written longest ago; the rest stays due when time is up."""
        begun = self._clock()
        due = sorted(self._due(begun), key=self._written_at)
        for start in range(0, len(due), _WRITES_AT_ONCE):
            if self._clock() - begun > _WRITING_SECONDS:
                self._look_again = -math.inf
                return
            await asyncio.gather(*(self._write(*one) for one in due[start : start + _WRITES_AT_ONCE]))

    def _written_at(self, wanted: Wanted) -> float:
        return self._written.get(wanted[1].metadata.uid or "", (0.0,))[0]

    def _due(self, now: float) -> Iterator[Wanted]:
        facts = self._facts
        basis = facts.changes, self._latest().not_offered
        if basis == self._basis and now < self._look_again:
            return
        self._basis, self._look_again = basis, math.inf
        kinds: tuple[Mapping[str, CustomResource], ...] = (
            facts.frameworks.objects,
            facts.roles.objects,
            facts.reservations.objects,
        )
        present = {target.metadata.uid or "" for targets in kinds for target in targets.values()}
        for uid in self._written.keys() - present:
            del self._written[uid]
        for resource, target, status in self._wanted(now):
            uid = target.metadata.uid or ""
            if self._may_write(target, now) and self._written.get(uid, (0.0, None))[1] != status:
                yield resource, target, status

    def _wanted(self, now: float) -> Iterator[Wanted]:
        """The statuses of all objects that may be written now."""
        ledger, settings, result = self._ledger, self._settings, self._latest()
        for name, framework in self._facts.frameworks.objects.items():
            waits = name in result.not_offered and framework.status.demand is not None
            if self._may_write(framework, now) and (waits or not self._is_new(framework, now)):
                yield FRAMEWORKS, framework, framework_status(name, ledger, result, settings)
        roles = [role for role in self._facts.roles.objects.values() if self._may_write(role, now)]
        for role, status in self._roles.of(roles, now):
            yield FRAMEWORK_ROLES, role, status
        for reservation, status in self._reservations.of(self._facts.reservations.objects, now):
            yield RESERVATIONS, reservation, status

    def _may_write(self, target: CustomResource, now: float) -> bool:
        """Whether the interval since an object's last write is over; if not, it is looked at again when it is."""
        written = self._written.get(target.metadata.uid or "")
        if written is None or now - written[0] >= self._interval:
            return True
        self._look_again = min(self._look_again, written[0] + self._interval)
        return False

    def _is_new(self, framework: Framework, now: float) -> bool:
        """Whether a framework came so lately that its figures are about to change, or is on the way to be ready for the
        first time: one write then tells what came of it. Why it waits, if it does, is told at once.
        """
        created = framework.metadata.creation_timestamp
        seconds = _STARTING_SECONDS if _starts(framework) else self._interval
        if created is None or not 0 <= now - created.timestamp() < seconds:
            return False
        settled = created.timestamp() + seconds
        self._look_again = min(self._look_again, settled, now + self._interval)
        return True

    async def _write(self, resource: Resource, target: CustomResource, status: dict[str, Any]) -> None:
        uid = target.metadata.uid or ""
        _, before = self._written.get(uid, (0.0, None))
        self._written[uid] = (self._clock(), status)
        try:
            await self._client.apply_status(
                resource,
                target.metadata.name,
                status,
                namespace=target.metadata.namespace,
                field_manager=MANAGER_MASTER,
            )
        except NotFound:
            return
        except ApiError as error:
            self._written[uid] = (self._clock(), {})
            self._look_again = min(self._look_again, self._clock() + self._interval)
            log.warning("status not written", error=str(error))
            return
        if resource is FRAMEWORK_ROLES:
            self._tell(target, before or target.manifest().get("status", {}), status)

    def _tell(self, role: CustomResource, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        news = news_of_quota(before, after)
        if news is not None:
            self._recorder.record(Regarding.to(FRAMEWORK_ROLES, role), news.reason, news.note, warning=news.warning)


def _starts(framework: Framework) -> bool:
    """Whether a framework is not ready yet, and nothing has been told of it."""
    ready = find_condition(framework.status.conditions, READY)
    return framework.status.allocation is None and ready is not None and ready.status == "False"

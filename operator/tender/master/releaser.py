"""Releases Reservations whose node is lost: deletes them, and says so where people look.

Before it deletes, it asks the API server for the node: the master may be told of a part of the nodes only, and one that
has left that part is still there.
"""

import asyncio
from collections.abc import Callable

import structlog

from tender.allocation import Ledger
from tender.api.meta import CustomResource
from tender.api.reservation import Reservation
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Conflict, NotFound
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES, RESERVATIONS, Resource
from tender.master.facts import Facts
from tender.master.registry import key_of
from tender.master.releases import due_releases

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 60.0
"""How long a node that was found to be there is taken to be."""


class Releaser:
    """Looks once a second which Reservations are due to be released."""

    def __init__(
        self, client: Client, ledger: Ledger, facts: Facts, recorder: EventRecorder, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._facts = facts
        self._recorder = recorder
        self._clock = clock
        self._found: dict[str, float] = {}

    async def run(self) -> None:
        """Release what is due, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            now = self._clock()
            self._found = {node: until for node, until in self._found.items() if until > now}
            for reservation in due_releases(self._facts.reservations.objects.values(), self._ledger, now):
                try:
                    await self._release(reservation)
                except ApiError as error:
                    log.warning("reservation not released", reservation=key_of(reservation), error=str(error))

    async def _release(self, reservation: Reservation) -> None:
        node, metadata = reservation.spec.node, reservation.metadata
        if await self._is_there(node):
            return
        try:
            await self._client.delete(
                RESERVATIONS,
                metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
                resource_version=metadata.resource_version,
            )
        except NotFound:
            log.debug("reservation was gone already", reservation=key_of(reservation))
        except Conflict:
            log.debug("reservation has changed; looking again", reservation=key_of(reservation))
            return
        else:
            log.info("reservation released: its node is lost", reservation=key_of(reservation), node=node)
            self._tell(reservation)
        self._facts.reservations.drop(key_of(reservation), metadata.uid)

    async def _is_there(self, node: str) -> bool:
        if node not in self._found:
            page = await self._client.list_page(NODES, field_selector=f"metadata.name={node}", limit=1)
            if not page.items:
                return False
            self._found[node] = self._clock() + LOOK_AGAIN_SECONDS
        return True

    def _tell(self, reservation: Reservation) -> None:
        """An event about the Reservation in its namespace, and one about those that it was kept for."""
        spec = reservation.spec
        why = f"node {spec.node} was gone for longer than spec.nodeLostTimeout ({spec.node_lost_timeout})"
        self._record(RESERVATIONS, reservation, f"released, since {why}")
        note = f"Reservation {key_of(reservation)} was released, since {why}"
        framework = self._facts.frameworks.objects.get(reservation.framework_key or "")
        role = self._facts.roles.objects.get(spec.role)
        if framework is not None:
            self._record(FRAMEWORKS, framework, note)
        elif role is not None:
            self._record(FRAMEWORK_ROLES, role, note)

    def _record(self, resource: Resource, target: CustomResource, note: str) -> None:
        self._recorder.record(Regarding.to(resource, target), "ReservationReleased", note, warning=True)

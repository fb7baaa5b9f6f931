"""The master's effects: offers created, withdrawn and deleted. The only place in the master that writes offers.

What is decided is taken note of before it is written, so the next cycle builds on it; what the API server answers is
taken note of at once, without waiting for a watch. Withdrawing is a compare-and-swap: if the framework has answered
meanwhile, its answer stands.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import Any

import structlog

from tender.api.offer import ResourceOffer
from tender.api.timestamps import timestamp
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound, NotLeading, Unreachable
from tender.cluster.resources import RESOURCE_OFFERS
from tender.master.dues import Due, Remove, Withdraw
from tender.master.metrics import MasterMetrics
from tender.master.registry import Registry, key_of

log = structlog.get_logger(__name__)

REMOVALS_AT_ONCE = 2
"""How many offers are deleted at once. Nobody waits for it, so while others want to be served it takes a small part."""


class Executor:
    """Writes offers. `failed` collects the frameworks whose offers could not be created, for the loop to rest them.

    `busy` are the offers, by key, of which something is being written or is to be in its turn.
    """

    def __init__(
        self, client: Client, offers: Registry[ResourceOffer], tasks: asyncio.TaskGroup, metrics: MasterMetrics
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._offers = offers
        self._tasks = tasks
        self.busy: set[str] = set()
        self._to_remove: deque[ResourceOffer] = deque()
        self._removers = 0
        self.failed: set[str] = set()

    def create(self, offers: Iterable[ResourceOffer]) -> None:
        """Create these offers."""
        for offer in offers:
            self._offers.expect(offer)
            self._start(key_of(offer), self._create(offer))

    def carry_out(self, dues: Iterable[Due], now: float) -> None:
        """Do what is due to offers; what is under way already is left alone. `now` is in epoch seconds."""
        for due in dues:
            if due.key in self.busy:
                continue
            offer = self._offers.objects.get(due.key)
            if offer is None:
                continue
            match due:
                case Withdraw():
                    self._start(due.key, self._withdraw(offer, due, now))
                case Remove():
                    log.debug("offer removed", offer=due.key, why=due.why)
                    self._remove_in_turn(offer)

    def end(self) -> None:
        """Begin no more removals: the next master finds them due again."""
        self._to_remove.clear()

    def _remove_in_turn(self, offer: ResourceOffer) -> None:
        self.busy.add(key_of(offer))
        self._to_remove.append(offer)
        if self._removers < REMOVALS_AT_ONCE:
            self._removers += 1
            self._tasks.create_task(self._remove_all())

    async def _remove_all(self) -> None:
        while self._to_remove:
            offer = self._to_remove.popleft()
            await self._guard(key_of(offer), self._remove(offer))
        self._removers -= 1

    def _start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        self.busy.add(key)
        self._tasks.create_task(self._guard(key, work))

    async def _guard(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """No failure of one write ends the others; what was not done is due again in the next cycle."""
        try:
            await work
        except ApiError as error:
            log.warning("offer not written", offer=key, error=str(error))
        finally:
            self.busy.discard(key)

    async def _create(self, offer: ResourceOffer) -> None:
        key = key_of(offer)
        try:
            created = await self._client.create(RESOURCE_OFFERS, offer.manifest())
        except AlreadyExists:
            self._offers.doubt(key)
            created = await self._client.get(RESOURCE_OFFERS, offer.metadata.name, namespace=offer.metadata.namespace)
        except Unreachable:
            self._offers.doubt(key)
            raise
        except NotLeading as error:
            (self._offers.doubt if error.ambiguous else self._offers.forsake)(key)
            raise
        except ApiError:
            self._offers.forsake(key)
            self.failed.add(offer.framework_key)
            raise
        self._offers.put(created)

    async def _withdraw(self, offer: ResourceOffer, due: Withdraw, now: float) -> None:
        status = {
            "phase": due.phase.value,
            "message": due.message,
            "answeredAt": timestamp(now, "seconds"),
        }
        try:
            answer = await self._client.patch_status(
                RESOURCE_OFFERS,
                offer.metadata.name,
                status,
                namespace=offer.metadata.namespace,
                resource_version=offer.metadata.resource_version,
            )
        except (Conflict, Invalid):
            await self._look_again(offer)
            return
        except NotFound:
            self._offers.drop(key_of(offer), offer.metadata.uid)
            return
        if due.cause is not None:
            self._metrics.rescinded.labels(due.cause.value).inc()
        self._offers.put(answer)

    async def _look_again(self, offer: ResourceOffer) -> None:
        """The offer is not what was known of it: take note of what it is."""
        try:
            present = await self._client.get(RESOURCE_OFFERS, offer.metadata.name, namespace=offer.metadata.namespace)
        except NotFound:
            self._offers.drop(key_of(offer), offer.metadata.uid)
            return
        self._offers.put(present)

    async def _remove(self, offer: ResourceOffer) -> None:
        name, namespace = offer.metadata.name, offer.metadata.namespace
        try:
            await self._client.delete(RESOURCE_OFFERS, name, namespace=namespace, uid=offer.metadata.uid)
        except (NotFound, Conflict):
            log.debug("offer was gone already", offer=key_of(offer))
        self._offers.drop(key_of(offer), offer.metadata.uid)

"""Carries out a turn: what is kept, answers, launches, stops, removals and the status. The only place that writes for
frameworks.

What is kept comes first, side by side with the answers and the status, and as long as it cannot be written nothing is
launched, stopped or removed: a planner counts on finding it recorded. An answer is a compare-and-swap: whoever wrote
first has won, and the offer is looked at again. A pod that exists already was launched by an earlier try. Any other
write that fails leaves the rest of the turn alone and is asked for again by the next one.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from tender.api.core import Pod, PodSpec
from tender.api.framework import Framework
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.timestamps import timestamp
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, Forbidden, Invalid, NotFound
from tender.cluster.resources import PODS, RESOURCE_OFFERS, Resource
from tender.controller.children import owner_of
from tender.controller.kinds import KEPT, KINDS, Kind
from tender.controller.metrics import ControllerMetrics
from tender.controller.registry import Key, key_of
from tender.controller.status_writer import StatusWriter
from tender.controller.view import View
from tender.frameworks.sdk import Answer, Claim, Launch, Remove, Stop, Turn

log = structlog.get_logger(__name__)

Write = Coroutine[Any, Any, None]


class Executor:
    """Writes what turns say. `manager` is the field manager of the statuses."""

    def __init__(
        self,
        client: Client,
        view: View,
        metrics: ControllerMetrics,
        *,
        manager: str,
        status_interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._view = view
        self._metrics = metrics
        self._manager = manager
        self._clock = clock
        self._statuses = StatusWriter(client, view, manager=manager, interval=status_interval, clock=clock)

    async def carry_out(self, framework: Framework, turn: Turn) -> float | None:
        """Do what the turn says. Returns when (epoch seconds) the rest of the status is due; raises ApiError when some
        of it failed, after all of it was tried.
        """
        due, writes_status = self._statuses.due(framework, turn.status)
        writes = [self._answer(framework, answer) for answer in turn.answers]
        if writes_status:
            writes.append(self._statuses.write(framework, turn.status))
        kept: list[BaseException] = []
        told: list[BaseException] = []
        if turn.keep:
            kept, told = await asyncio.gather(
                _all(self._keep(framework, manifest) for manifest in turn.keep), _all(writes)
            )
            writes = []
        if not kept:
            writes += [
                *(self._launch(framework, launch) for launch in turn.launches),
                *(self._stop(framework, stop) for stop in turn.stops),
                *(self._remove(framework, remove) for remove in turn.remove),
            ]
        failures = [*kept, *told, *await _all(writes)]
        if failures:
            raise failures[0]
        return due

    def forget(self, framework: Key) -> None:
        """The framework is gone."""
        self._statuses.forget(framework)

    async def give_up(self, pod: Pod) -> None:
        """Delete a pod that nobody can end any more, whosever it was; raises ApiError."""
        name, namespace, uid = pod.metadata.name, pod.metadata.namespace, pod.metadata.uid
        with contextlib.suppress(NotFound, Conflict):
            await self._client.delete(PODS, name, namespace=namespace, uid=uid, grace_seconds=0)

    async def _keep(self, framework: Framework, manifest: Mapping[str, Any]) -> None:
        kind, name = self._kind(framework, manifest["kind"]), manifest["metadata"]["name"]
        known = self._view.has_child(framework, kind.resource, name)
        written = await self._created(kind, manifest) if kind.final and not known else None
        if written is None:
            if not known:
                await self._check_that_nobody_else_has(framework, kind, name)
            written = await self._client.apply(kind.resource, manifest, field_manager=self._manager)
        self._view.child_written(framework, kind.resource, kind.read(written))
        log.debug("kept", framework=framework.metadata.name, kind=manifest["kind"], name=name)

    async def _created(self, kind: Kind, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        """The object as it was created; None if there is one already."""
        try:
            return await self._client.create(kind.resource, manifest)
        except AlreadyExists:
            return None

    def _kind(self, framework: Framework, name: str) -> Kind:
        kind = KEPT.get(name)
        if kind is None or not self._view.follows(kind.resource):
            raise ValueError(
                f"framework {framework.metadata.name}: its plan keeps or removes a {name}, which this controller does"
                f" not follow: name its kind in `follows`, if it is one of {', '.join(sorted(KEPT))}"
            )
        return kind

    async def _check_that_nobody_else_has(self, framework: Framework, kind: Kind, name: str) -> None:
        """Raise AlreadyExists for an object that is not the framework's: once applied to it would belong to it, and be
        deleted with it.
        """
        namespace = framework.metadata.namespace
        try:
            present = kind.read(await self._client.get(kind.resource, name, namespace=namespace))
        except NotFound:
            return
        if owner_of(present) != framework.metadata.uid:
            raise AlreadyExists(
                409,
                "AlreadyExists",
                f"it does not belong to framework {framework.metadata.name}: rename or delete one of them",
                where=f"apply {kind.resource.plural} {namespace}/{name}",
            )

    async def _answer(self, framework: Framework, answer: Answer) -> None:
        namespace, key = framework.metadata.namespace, key_of(framework)
        offer = self._view.offer(key, answer.offer)
        if offer is None:
            return
        status: dict[str, Any] = {"answeredAt": timestamp(self._clock(), "milliseconds")}
        if isinstance(answer, Claim):
            status |= {"phase": "Claimed", "claims": [dict(claim) for claim in answer.claims]}
        else:
            status |= {"phase": "Declined", "refuseSeconds": answer.refuse_seconds, "message": answer.why}
        try:
            written = await self._client.patch_status(
                RESOURCE_OFFERS,
                answer.offer,
                status,
                namespace=namespace,
                resource_version=offer.metadata.resource_version,
            )
        except NotFound:
            self._view.offer_gone(key, answer.offer)
        except (Conflict, Invalid) as error:
            self._metrics.answers.labels("lost").inc()
            log.info("offer not answered", framework=framework.metadata.name, offer=answer.offer, error=str(error))
            if await self._look_again(key, offer) and isinstance(error, Invalid):
                raise
        else:
            self._metrics.answers.labels("claimed" if isinstance(answer, Claim) else "declined").inc()
            self._view.offer_written(ResourceOffer.read(written))

    async def _look_again(self, framework: Key, offer: ResourceOffer) -> bool:
        """Read an offer again, of which something else was known; whether it is still open."""
        name, namespace = offer.metadata.name, offer.metadata.namespace
        try:
            present = ResourceOffer.read(await self._client.get(RESOURCE_OFFERS, name, namespace=namespace))
        except NotFound:
            self._view.offer_gone(framework, name)
            return False
        self._view.offer_written(present)
        return present.status.phase == OfferPhase.OFFERED

    async def _launch(self, framework: Framework, launch: Launch) -> None:
        name = launch.pod["metadata"]["name"]
        try:
            created = await self._client.create(PODS, launch.pod, metadata_only=True)
        except AlreadyExists as exists:
            self._view.pod_launched(framework, launch.offer, name)
            await self._look_for(framework, launch, exists)
            return
        except ApiError as error:
            self._metrics.launches.labels("failed").inc()
            if isinstance(error, Invalid | Forbidden):
                self._view.refusals.add(framework, error.message, self._clock())
            raise
        self._metrics.launches.labels("created").inc()
        self._view.refusals.end(framework)
        self._view.pod_created(framework, launch.offer, _as_created(launch.pod, created))

    async def _look_for(self, framework: Framework, launch: Launch, exists: AlreadyExists) -> None:
        """Read a pod that exists already: an earlier try may have made it, and the cache may not know of it yet.

        Raises what the API server said where no claim gives the pod its name: it will be wanted until it is made, and
        nothing tells when somebody else's pod of that name goes.
        """
        name = launch.pod["metadata"]["name"]
        try:
            pod = msgspec.convert(await self._client.get(PODS, name, namespace=framework.metadata.namespace), Pod)
        except NotFound:
            pod = None
        if pod is not None and owner_of(pod) == framework.metadata.uid:
            self._view.pod_created(framework, launch.offer, pod)
        elif not launch.offer:
            raise exists

    async def _stop(self, framework: Framework, stop: Stop) -> None:
        if await self._delete(framework, PODS, stop.pod, stop.uid, stop.grace_seconds):
            self._metrics.stops.inc()
            log.info("pod stopped", framework=framework.metadata.name, pod=stop.pod, why=stop.why)

    async def _remove(self, framework: Framework, remove: Remove) -> None:
        resource = self._kind(framework, remove.kind).resource
        if await self._delete(framework, resource, remove.name, remove.uid, None):
            log.info("removed", framework=framework.metadata.name, kind=remove.kind, name=remove.name, why=remove.why)

    async def _delete(self, framework: Framework, resource: Resource, name: str, uid: str, grace: int | None) -> bool:
        """Delete an object of the framework; False if it was gone already."""
        try:
            answer = await self._client.delete(
                resource, name, namespace=framework.metadata.namespace, uid=uid, grace_seconds=grace
            )
        except (NotFound, Conflict):
            log.debug("gone already", kind=resource.kind, name=name)
            self._view.child_gone(framework, resource, uid)
            return False
        if _is_leaving(answer, grace):
            self._view.child_written(framework, resource, KINDS[resource].read(answer))
        else:
            self._view.child_gone(framework, resource, uid)
        return True


def _as_created(manifest: Mapping[str, Any], answer: Mapping[str, Any]) -> Pod:
    """The pod that the API server has made of the manifest, going by the metadata in its answer."""
    pod = msgspec.convert({"metadata": answer["metadata"], "spec": {}}, Pod)
    return msgspec.structs.replace(pod, spec=PodSpec(node_name=manifest["spec"].get("nodeName", "")))


def _is_leaving(answer: Mapping[str, Any], grace: int | None) -> bool:
    """Whether an object is still there after its deletion, going by what the API server answered: within its grace
    period, or until somebody has taken off a finalizer.
    """
    metadata = answer.get("metadata") or {}
    if "deletionTimestamp" not in metadata:
        return False
    return bool(metadata.get("finalizers")) or (grace != 0 and bool(metadata.get("deletionGracePeriodSeconds")))


async def _all(writes: Iterable[Write]) -> list[BaseException]:
    """Do all of it, side by side; what went wrong."""
    results = await asyncio.gather(*writes, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]

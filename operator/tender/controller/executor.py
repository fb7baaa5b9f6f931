"""Carries out a turn: answers, launches, stops and the status. The only place that writes for frameworks.

An answer is a compare-and-swap: whoever wrote first has won, and the offer is looked at again. A pod that exists
already was launched by an earlier try. A write that fails leaves the rest of the turn alone and is asked for again by
the next one.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from tender.api.conditions import RECONCILING
from tender.api.core import Pod, PodSpec
from tender.api.framework import Framework, FrameworkStatus
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.timestamps import timestamp
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, ApiError, Conflict, Forbidden, Invalid, NotFound
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS
from tender.controller.metrics import ControllerMetrics
from tender.controller.view import Key, View, key_of
from tender.frameworks.sdk import Answer, Claim, Launch, Stop, Turn

log = structlog.get_logger(__name__)

_FIGURES = ("replicas", "readyReplicas", "updatedReplicas")


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
        self._status_interval = status_interval
        self._clock = clock
        self._status_written: dict[str, float] = {}

    async def carry_out(self, framework: Framework, turn: Turn) -> float | None:
        """Do what the turn says. Returns when (epoch seconds) the rest of the status is due; raises ApiError when some
        of it failed, after all of it was tried.
        """
        writes = [
            *(self._answer(framework, answer) for answer in turn.answers),
            *(self._launch(framework, launch) for launch in turn.launches),
            *(self._stop(framework, stop) for stop in turn.stops),
        ]
        due, writes_status = self._status_due(framework, turn.status)
        if writes_status:
            writes.append(self._write_status(framework, turn.status))
        results = await asyncio.gather(*writes, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return due

    def forget(self, framework: Key) -> None:
        """The framework is gone."""
        self._status_written.pop(framework, None)

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
        except AlreadyExists:
            self._view.pod_launched(framework, launch.offer, name)
            await self._look_for(framework, launch.offer, name)
            return
        except ApiError as error:
            self._metrics.launches.labels("failed").inc()
            if isinstance(error, Invalid | Forbidden):
                self._view.refusals.add(framework, error.message, self._clock())
            raise
        self._metrics.launches.labels("created").inc()
        self._view.refusals.end(framework)
        self._view.pod_created(framework, launch.offer, _as_created(launch.pod, created))

    async def _look_for(self, framework: Framework, offer: str, name: str) -> None:
        """Read a pod that exists already: an earlier try may have made it, and the cache may not know of it yet."""
        try:
            pod = msgspec.convert(await self._client.get(PODS, name, namespace=framework.metadata.namespace), Pod)
        except NotFound:
            return
        if pod.controller is not None and pod.controller.uid == framework.metadata.uid:
            self._view.pod_created(framework, offer, pod)

    async def _stop(self, framework: Framework, stop: Stop) -> None:
        try:
            await self._client.delete(PODS, stop.pod, namespace=framework.metadata.namespace, uid=stop.uid)
        except (NotFound, Conflict):
            log.debug("pod was gone already", pod=stop.pod)
        else:
            self._metrics.stops.inc()
            log.info("pod stopped", framework=framework.metadata.name, pod=stop.pod, why=stop.why)
        self._view.pod_stopped(framework, stop.uid)

    def _status_due(self, framework: Framework, status: Mapping[str, Any]) -> tuple[float | None, bool]:
        """When the status must be written if not now, and whether now: news at once, mere figures now and then."""
        wanted = FrameworkStatus.model_validate(status).manifest()
        present = framework.status.manifest()
        present.pop("allocation", None)
        if wanted == present:
            return None, False
        last = self._status_written.get(key_of(framework), 0.0)
        if _news(wanted) != _news(present) or self._clock() >= last + self._status_interval:
            return None, True
        return last + self._status_interval, False

    async def _write_status(self, framework: Framework, status: Mapping[str, Any]) -> None:
        self._status_written[key_of(framework)] = self._clock()
        try:
            written = await self._client.apply_status(
                FRAMEWORKS,
                framework.metadata.name,
                status,
                namespace=framework.metadata.namespace,
                field_manager=self._manager,
            )
        except NotFound:
            return
        self._view.framework_written(Framework.read(written))


def _as_created(manifest: Mapping[str, Any], answer: Mapping[str, Any]) -> Pod:
    """The pod that the API server has made of the manifest, going by the metadata in its answer."""
    pod = msgspec.convert({"metadata": answer["metadata"], "spec": {}}, Pod)
    return msgspec.structs.replace(pod, spec=PodSpec(node_name=manifest["spec"].get("nodeName", "")))


def _news(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status without the figures: what people and the master must know at once.

    Why a framework is still reconciling is such a figure: most go from one reason to the next in no time.
    """
    news = {name: value for name, value in status.items() if name not in _FIGURES}
    conditions = status.get("conditions", ())
    reconciling = any((one["type"], one["status"]) == (RECONCILING, "True") for one in conditions)
    unsaid = {"message", "lastTransitionTime"} | ({"reason"} if reconciling else set())
    news["conditions"] = [
        {name: value for name, value in condition.items() if name not in unsaid} for condition in conditions
    ]
    return news

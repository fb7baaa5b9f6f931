"""The steps of the frameworks' side: what their owners and their controllers write."""

from typing import Any

from tests.builders import given
from tests.integration.scenarios.stage import Manifest, Refused, Stage, Untold, texts

from tender.allocation.shares import add_into
from tender.api.durations import parse_duration
from tender.api.names import LABEL_OFFER, LABEL_TASK
from tender.api.offer import ResourceOffer, Slice
from tender.api.quantities import format_resources, parse_resources
from tender.api.requests import pod_requests
from tender.cluster.resources import FRAMEWORKS

LONG = "24h"
"""Offers stay open for as long as a scenario may last: in scenarios they do not expire."""


async def framework(stage: Stage, value: Manifest) -> None:
    """Apply a framework, and declare its demand."""
    spec = {**value}
    name, demand, minimum = spec.pop("name"), spec.pop("demand", None), spec.pop("minimumOffer", None)
    suppressed = spec.pop("suppressed", False)
    if not spec.pop("active", True):
        raise Untold("the master does not know whether a framework's controller is there")
    spec["external"] = {}
    spec["offers"] = given(timeout=LONG, minimum=None if minimum is None else [texts(one) for one in minimum])
    await stage.apply(FRAMEWORKS, name, spec)
    stage.demands[name] = None if demand is None else [_entry(one) for one in demand]
    await _declare(stage, name, [] if suppressed else stage.demands[name])


async def remove_framework(stage: Stage, name: str) -> None:
    """Delete a framework, and its pods as the garbage collector would."""
    await stage.delete(FRAMEWORKS, name)
    await stage.end(await stage.world.pods(of=name))


async def suppress(stage: Stage, name: str) -> None:
    """The controller declares that its framework needs nothing."""
    await _declare(stage, name, [])


async def revive(stage: Stage, name: str) -> None:
    """The controller declares its demand anew: it is the change that ends the filters."""
    await _declare(stage, name, [])
    await _declare(stage, name, stage.demands[name])


async def claim(stage: Stage, value: Manifest) -> None:
    """Claim the offer of a node, and start pods: one for each task, or one of all that was claimed."""
    name, node = value["framework"], value["node"]
    offers = await _offers_of(stage, name, node)
    if len(offers) > 1 and value.keys() & {"task", "resources"}:
        raise Untold("a part of several offers of a node")
    owner = await stage.world.framework(name)
    for offer in offers:
        amounts, tasks = _part(offer.spec.slices[0], value)
        pods = [task for task, count in tasks.items() for _ in range(count)] or [""]
        if "pods" in offer.spec.slices[0].resources:
            amounts["pods"] = len(pods)
        claims = [{"slice": 0, "resources": format_resources(amounts), "tasks": tasks}]
        refuse = _seconds(value.get("refuse", "0s"))
        await stage.answer(offer, phase="Claimed", claims=claims, refuseSeconds=refuse)
        share = {resource: amount // len(pods) for resource, amount in amounts.items() if resource != "pods"}
        for task in pods:
            labels = {LABEL_OFFER: offer.metadata.name, **({LABEL_TASK: task} if task else {})}
            await stage.start(node, format_resources(share), owner, labels)


async def decline(stage: Stage, value: Manifest) -> None:
    """Decline the offer of a node, or all offers of a framework."""
    name = value["framework"]
    offers = await _offers_of(stage, name, value["node"]) if "node" in value else await stage.world.open_offers(name)
    for offer in offers:
        await stage.answer(offer, phase="Declined", refuseSeconds=_seconds(value.get("refuse", "5s")))


async def release(stage: Stage, value: Manifest) -> None:
    """Pods of a framework end; where amounts are released, a pod of what is left takes their place."""
    name, node = value["framework"], value["node"]
    pods = await stage.pods_on(node, of=name)
    if "task" in value:
        pods = [pod for pod in pods if pod.metadata.labels.get(LABEL_TASK) == value["task"]][: value.get("count", 1)]
    elif "resources" in value:
        if any(LABEL_TASK in pod.metadata.labels for pod in pods):
            raise Untold("to end amounts of tasks, which end as a whole")
        left: dict[str, int] = {}
        for pod in pods:
            add_into(left, pod_requests(pod.spec))
        add_into(left, parse_resources(texts(value["resources"])), -1)
        left.pop("pods", None)
        if left:
            await stage.start(node, format_resources(left), await stage.world.framework(name))
    await stage.end(pods)


async def _declare(stage: Stage, name: str, demand: list[Manifest] | None) -> None:
    written = await stage.client.patch_status(FRAMEWORKS, name, {"demand": demand}, namespace=stage.world.namespace)
    await stage.master.hears_of(FRAMEWORKS, written)


async def _offers_of(stage: Stage, name: str, node: str) -> list[ResourceOffer]:
    """The open offers of a node to a framework; they must not be of other nodes too, since they have one answer."""
    offers = [
        offer for offer in await stage.world.open_offers(name) if any(one.node == node for one in offer.spec.slices)
    ]
    if not offers:
        raise Refused(f"there is no open offer of node {node} to framework {name}")
    if any(len(offer.spec.slices) > 1 for offer in offers):
        raise Untold("an answer for one of the nodes that are in the same offer")
    return offers


def _part(offered: Slice, value: Manifest) -> tuple[dict[str, int], dict[str, int]]:
    """The amounts and the tasks that a claim takes of a slice."""
    if "task" in value:
        task, count = value["task"], value.get("count", 1)
        amounts = {name: amount // offered.tasks[task] * count for name, amount in offered.amounts.items()}
        return amounts, {task: count}
    if "resources" not in value:
        return dict(offered.amounts), dict(offered.tasks)
    if offered.tasks:
        raise Untold("to claim amounts of tasks, which are claimed as a whole")
    return parse_resources(texts(value["resources"])), {}


def _entry(demand: Manifest) -> Manifest:
    return {"name": "task", "count": 1, **demand, "requests": texts(demand["requests"])}


def _seconds(duration: Any) -> int:
    seconds = parse_duration(str(duration))
    if seconds != int(seconds):
        raise Untold(f"to refuse for {duration}: refuseSeconds are whole seconds")
    return int(seconds)

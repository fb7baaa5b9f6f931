"""What is given away of each node, going by the API server's objects alone."""

from collections.abc import Mapping

from tests.integration.running.world import World

from tender.api.core import decode_pod
from tender.api.names import LABEL_OFFER
from tender.api.offer import OfferPhase
from tender.api.quantities import parse_resources
from tender.api.requests import pod_requests
from tender.cluster.resources import NODES, PODS

Held = dict[str, dict[str, int]]
"""Amounts by node and resource."""


async def check_that_no_node_is_overcommitted(world: World, *others: World) -> None:
    """Nothing may be given away twice, whatever was stopped when; `others` are further namespaces on its nodes."""
    room = await room_of(world)
    for node, amounts in (await held(world, *others)).items():
        beyond = {name: amount for name, amount in amounts.items() if amount > room[node].get(name, 0)}
        assert not beyond, f"{node} has {room[node]} and is charged {amounts}"


async def room_of(world: World) -> Held:
    """What the world's nodes have in all."""
    nodes = await world.client.list_all(NODES, label_selector=world.node_selector)
    return {node["metadata"]["name"]: parse_resources(node["status"]["allocatable"]) for node in nodes}


async def held(*worlds: World) -> Held:
    """Pods that have not ended, open offers, and claims as far as they are not launched.

    Offers are read before pods, so a claim that is launched in between is not counted twice.
    """
    held: Held = {}
    for world in worlds:
        await _add_held(held, world)
    return held


async def _add_held(held: Held, world: World) -> None:
    offers = await world.offers(OfferPhase.OFFERED, OfferPhase.CLAIMED)
    page = await world.client.list_page(PODS, namespace=world.namespace, limit=2000)
    pods = [decode_pod(bytes(item)) for item in page.items]
    for pod in pods:
        if not pod.terminated:
            _add(held, pod.spec.node_name, pod_requests(pod.spec))
    for offer in offers:
        claims = offer.status.claims
        for one in offer.spec.slices if not claims else ():
            _add(held, one.node, one.amounts)
        launched = [pod for pod in pods if pod.metadata.labels.get(LABEL_OFFER) == offer.metadata.name]
        for claim in claims:
            node = offer.spec.slices[claim.slice].node
            _add(held, node, claim.amounts)
            for pod in launched:
                if pod.spec.node_name == node:
                    _add(held, node, pod_requests(pod.spec), -1)


def _add(held: Held, node: str, amounts: Mapping[str, int], sign: int = 1) -> None:
    totals = held.setdefault(node, {})
    for name, amount in amounts.items():
        totals[name] = totals.get(name, 0) + sign * amount

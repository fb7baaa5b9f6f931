"""The master's accounts of claims: which pods they made room for, and whether there is room for one more.

A pod counts for its offer's claim once it was there, also when it is gone again: what a claim made room for is used up
by it.
"""

from collections.abc import Mapping

import msgspec

from tender.api import core
from tender.api.names import LABEL_OFFER
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import format_amount
from tender.api.requests import pod_requests
from tender.api.reservation import Reservation
from tender.frameworks.testkit.objects import Manifest, Objects
from tender.frameworks.testkit.verdicts import BrokenRule

LAUNCH_DEADLINE_SECONDS = 60.0
"""How long after its claim the master waits for the pods; what is not there by then returns."""

Amounts = dict[tuple[str, str], int]
"""Amounts by node and resource."""


class Claims:
    """What was launched from each offer so far."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._launched: dict[str, Amounts] = {}

    def admit(self, pod: Manifest) -> None:
        """A pod is about to be made. Raises BrokenRule when nothing that the framework holds has room for it."""
        name, node = pod["metadata"]["name"], node_of(pod)
        if not node:
            raise BrokenRule(f"pod {name} names no node: set spec.nodeName to the node that was offered")
        needs = pod_requests(msgspec.convert(pod["spec"], core.PodSpec))
        offer = pod["metadata"].get("labels", {}).get(LABEL_OFFER)
        if offer:
            self._charge(name, node, needs, offer)
        else:
            self._find_reserved(name, node, needs)

    def ended(self, offer: ResourceOffer, now: float) -> bool:
        """Whether a claimed offer has come to its end: its pods were all seen, or they come too late."""
        answered = offer.status.answered_at
        if answered is not None and now > answered.timestamp() + LAUNCH_DEADLINE_SECONDS:
            return True
        launched = self._launched.get(offer.metadata.name, {})
        return all(launched.get(place, 0) >= amount for place, amount in claimed(offer).items())

    def _charge(self, pod: str, node: str, needs: Mapping[str, int], name: str) -> None:
        manifest = self._objects.find("ResourceOffer", name)
        if manifest is None:
            raise BrokenRule(f"pod {pod} is launched from offer {name}, which has ended or never was")
        offer = ResourceOffer.read(manifest)
        if offer.status.phase is not OfferPhase.CLAIMED:
            raise BrokenRule(f"pod {pod} is launched from offer {name}, which is {offer.status.phase} and not Claimed")
        room, launched = claimed(offer), self._launched.setdefault(name, {})
        counted = {resource for _, resource in room}
        for resource, amount in needs.items():
            if resource == "pods" and resource not in counted:
                continue  # a slice that does not count pods has room for any number
            place = (node, resource)
            total = launched.get(place, 0) + amount
            if total > room.get(place, 0):
                raise BrokenRule(
                    f"pod {pod} takes {_told(resource, amount)} on {node}, of which the claim of offer {name} has"
                    f" {format_amount(resource, room.get(place, 0) - launched.get(place, 0))} left:"
                    " claim what the pods request"
                )
        for resource, amount in needs.items():
            launched[node, resource] = launched.get((node, resource), 0) + amount

    def _find_reserved(self, pod: str, node: str, needs: Mapping[str, int]) -> None:
        kept: list[Reservation] = [one for one in self._objects.read("Reservation") if one.spec.node == node]
        for resource, amount in needs.items():
            room = sum(one.spec.amounts.get(resource, 0) for one in kept)
            if resource != "pods" and amount > room:
                raise BrokenRule(
                    f"pod {pod} names no offer in the label {LABEL_OFFER}, and takes {_told(resource, amount)} on"
                    f" {node}, where Reservations keep {format_amount(resource, room)}: launch it from a claim"
                )


def claimed(offer: ResourceOffer) -> Amounts:
    """What is claimed of an offer."""
    amounts: Amounts = {}
    for claim in offer.status.claims:
        node = offer.spec.slices[claim.slice].node
        for resource, amount in claim.amounts.items():
            amounts[node, resource] = amounts.get((node, resource), 0) + amount
    return amounts


def node_of(pod: Manifest) -> str:
    """The node that a pod is bound or pinned to, empty if it names none."""
    bound: str = pod["spec"].get("nodeName") or ""
    if bound:
        return bound
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def _told(resource: str, amount: int) -> str:
    return f"{format_amount(resource, amount)} of {resource}"

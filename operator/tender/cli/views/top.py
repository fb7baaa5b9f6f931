"""Who holds what, by framework or by role, and in which form: pods, claims, offers or reservations."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tender.allocation.shares import add_into
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_OFFER, LABEL_ROLE
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import parse_resources
from tender.api.requests import pod_requests
from tender.api.reservation import Reservation
from tender.cli.views.amounts import amount, amounts
from tender.cli.views.table import UNSEEN, Column

PARTS = ("pods", "claims", "offers", "reservations")
"""The forms in which something is held, in the order of the columns."""

Owner = tuple[str, str]
"""A framework by namespace and name, or a role, with an empty namespace."""


@dataclass(slots=True)
class Usage:
    """What somebody holds, by form; `reservations` are those that are not used. A form that is missing is not known."""

    owner: Owner
    role: str
    share: float | None = None
    held: dict[str, dict[str, int]] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """For programs: amounts in milli-CPU, bytes and counts."""
        namespace, name = self.owner
        return {
            "namespace": namespace or None,
            "name": name,
            "role": self.role,
            "dominantShare": self.share,
            **{part: self.held.get(part) for part in PARTS},
        }


@dataclass(frozen=True, slots=True)
class Holders:
    """All that holds resources; None stands for what the user may not see."""

    frameworks: Sequence[Framework]
    pods: Sequence[Pod] | None
    offers: Sequence[ResourceOffer] | None
    reservations: Sequence[Reservation] | None


def columns(*, roles: bool, namespaces: bool, resource: str | None) -> list[Column[Usage]]:
    """The columns, for frameworks or roles; with a `resource` of that alone."""

    def of(part: str) -> Callable[[Usage], str]:
        def text(usage: Usage) -> str:
            held = usage.held.get(part)
            if held is None:
                return UNSEEN
            if resource is not None:
                return amount(resource, held[resource]) if held.get(resource) else ""
            return amounts({name: held.get(name, 0) for name in ("cpu", "memory")})

        return text

    first: list[Column[Usage]] = []
    if namespaces and not roles:
        first.append(Column("NAMESPACE", lambda one: one.owner[0]))
    if not roles:
        first.append(Column("FRAMEWORK", lambda one: one.owner[1]))
    return [
        *first,
        Column("ROLE", lambda one: one.role),
        Column("SHARE", lambda one: UNSEEN if one.share is None else f"{one.share:.1%}"),
        *(Column(part.upper(), of(part)) for part in PARTS),
    ]


def by_framework(holders: Holders) -> list[Usage]:
    """What each framework holds, the one with the largest share first."""
    usages = {one.key: _usage(holders, one.key, one.spec.role, _share(one)) for one in holders.frameworks}
    for pod_owner, _, held in _pods(holders):
        if pod_owner in usages:
            add_into(usages[pod_owner].held["pods"], held)
    for part, offer, held in _offers(holders):
        owner = (offer.metadata.namespace or "", offer.spec.framework)
        if owner in usages:
            add_into(usages[owner].held[part], held)
    for reservation in holders.reservations or ():
        owner = (reservation.metadata.namespace or "", reservation.spec.framework or "")
        if owner in usages:
            add_into(usages[owner].held["reservations"], _unused(reservation))
    return sorted(usages.values(), key=lambda usage: (-(usage.share or 0.0), usage.owner))


def by_role(holders: Holders) -> list[Usage]:
    """What the frameworks of each role hold in it, the roles below not counted."""
    shares: dict[str, float] = defaultdict(float)
    for one in holders.frameworks:
        shares[one.spec.role] += _share(one) or 0.0
    usages: dict[str, Usage] = {}

    def of(role: str) -> Usage:
        return usages.setdefault(role, _usage(holders, ("", role), role, shares.get(role, 0.0)))

    for one in holders.frameworks:
        of(one.spec.role)
    for _, role, held in _pods(holders):
        add_into(of(role).held["pods"], held)
    for part, offer, held in _offers(holders):
        add_into(of(offer.spec.role).held[part], held)
    for reservation in holders.reservations or ():
        add_into(of(reservation.spec.role).held["reservations"], _unused(reservation))
    return sorted(usages.values(), key=lambda usage: (-(usage.share or 0.0), usage.owner))


def _usage(holders: Holders, owner: Owner, role: str, share: float | None) -> Usage:
    sources = {
        "pods": holders.pods,
        "claims": None if holders.pods is None else holders.offers,
        "offers": holders.offers,
        "reservations": holders.reservations,
    }
    return Usage(owner, role, share, {part: {} for part, source in sources.items() if source is not None})


def _pods(holders: Holders) -> Iterable[tuple[Owner, str, dict[str, int]]]:
    """The framework of each pod, its role, and what the pod holds."""
    roles = {one.key: one.spec.all_roles for one in holders.frameworks}
    for pod in holders.pods or ():
        controller = pod.controller
        if controller is None or (controller.api_version, controller.kind) != (API_VERSION, "Framework"):
            continue
        owner = (pod.metadata.namespace, controller.name)
        of = roles.get(owner)
        if of is not None:
            label = pod.metadata.labels.get(LABEL_ROLE, "")
            yield owner, label if label in of else of[0], pod_requests(pod.spec)


def _offers(holders: Holders) -> Iterable[tuple[str, ResourceOffer, dict[str, int]]]:
    """What is open of each offer, and of each claim what is not launched as pods yet."""
    launched: dict[tuple[str, str, str], dict[str, int]] = {}
    for pod in holders.pods or ():
        offer_name = pod.metadata.labels.get(LABEL_OFFER)
        if offer_name:
            place = (pod.metadata.namespace, offer_name, pod.spec.node_name)
            add_into(launched.setdefault(place, {}), pod_requests(pod.spec))
    for offer in holders.offers or ():
        if offer.status.phase is OfferPhase.OFFERED:
            for one in offer.spec.slices:
                yield "offers", offer, dict(one.amounts)
        if offer.status.phase is OfferPhase.CLAIMED and holders.pods is not None:
            for claim in offer.status.claims:
                place = (offer.metadata.namespace or "", offer.metadata.name, offer.spec.slices[claim.slice].node)
                left = dict(claim.amounts)
                add_into(left, launched.get(place, {}), -1)
                yield "claims", offer, {name: number for name, number in left.items() if number > 0}


def _unused(one: Reservation) -> dict[str, int]:
    return parse_resources(one.status.unused)


def _share(one: Framework) -> float | None:
    return None if one.status.allocation is None else float(one.status.allocation.dominant_share)

"""What has to be written about offers in the end, and what their answers refuse until when. Pure.

A declined offer refuses its slices, a claimed one what was not taken of them, if its answer says for how long. One that
nobody answered refuses its slices for a while as well.
"""

from dataclasses import dataclass
from enum import StrEnum

from tender.allocation import Refusal
from tender.allocation.shares import add_into
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import Resources

LAUNCH_DEADLINE_SECONDS = 60.0
"""How long a claim may wait for its pods before it returns."""
UNANSWERED_REFUSAL_SECONDS = 30.0
"""For how long an offer that nobody answered is not made again."""
KEEP_SECONDS = 30.0
"""How long an offer that was taken back stays for people to see."""


class Cause(StrEnum):
    """Why an offer is rescinded, as one word for programs."""

    ROOM = "room"
    ROLE = "role"
    LEFT = "left"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Write this phase into an open offer, unless it is answered first: Rescinded for a cause, or Expired (None)."""

    key: str
    phase: OfferPhase
    message: str
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete an offer that has come to its end."""

    key: str
    why: str


Due = Withdraw | Remove


def answered_since(offer: ResourceOffer, now: float) -> float:
    """Since when an offer that is seen for the first time has had its answer, in epoch seconds.

    Of a claim that is now: the time of day that it names is another machine's, and one that is taken back too early by
    a clock that is ahead is launched all the same.
    """
    answered = offer.status.answered_at
    if answered is None or offer.status.phase == OfferPhase.CLAIMED:
        return now
    return min(now, answered.timestamp())


def ends_at(offer: ResourceOffer, since: float, interval: float, least: float = 0.0) -> float:
    """When an offer in its present phase ends by time alone, in epoch seconds.

    `since` is when it came to be in it, `least` how long a decline counts at least. A claimed one may have to wait for
    its pods besides.
    """
    refusal = refusal_of(offer, since, interval, least)
    until = 0.0 if refusal is None else refusal.until
    match offer.status.phase:
        case OfferPhase.OFFERED:
            return offer.spec.expires_at.timestamp()
        case OfferPhase.RESCINDED | OfferPhase.EXPIRED:
            return max(since + KEEP_SECONDS, until)
    return until


def refusal_of(offer: ResourceOffer, since: float, interval: float, least: float = 0.0) -> Refusal | None:
    """What the answer to an offer refuses until when; None if nothing.

    `since` is when the answer was seen, for one that does not say when it was given. A refusal lasts for a cycle, of
    `interval` seconds, at least; a decline counts for `least` seconds since it was seen, whatever it says.
    """
    seconds = 0.0
    match offer.status.phase:
        case OfferPhase.EXPIRED:
            seconds = UNANSWERED_REFUSAL_SECONDS
        case OfferPhase.DECLINED | OfferPhase.CLAIMED if offer.status.refuse_seconds:
            seconds = max(float(offer.status.refuse_seconds), interval)
    if offer.status.phase != OfferPhase.DECLINED:
        least = 0.0
    nodes = _not_taken(offer) if seconds or least else {}
    if not nodes:
        return None
    answered = offer.status.answered_at
    until = (since if answered is None else answered.timestamp()) + seconds
    return Refusal(offer.framework_key, max(until, since + least) if least else until, nodes)


def _not_taken(offer: ResourceOffer) -> dict[str, Resources]:
    """What was not claimed of an offer, by node, of nodes of which anything was not."""
    claims = {claim.slice: claim.amounts for claim in offer.status.claims}
    rests: dict[str, Resources] = {}
    for index, one in enumerate(offer.spec.slices):
        rest = dict(one.amounts)
        add_into(rest, claims.get(index, {}), -1)
        left = {resource: amount for resource, amount in rest.items() if amount > 0}
        if left:
            rests[one.node] = left
    return rests

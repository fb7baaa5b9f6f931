"""Offers as rows: to whom, what, and what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tender.allocation.shares import add_into
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import Resources
from tender.cli.views.ages import age, duration
from tender.cli.views.amounts import amounts
from tender.cli.views.roles import without_pods
from tender.cli.views.table import Column

GONE = "Gone"
_COLOURS = {"Offered": "cyan", "Claimed": "green", "Rescinded": "yellow"}


@dataclass(frozen=True, slots=True)
class Seen:
    """An offer at a time; `gone` when it has been deleted."""

    offer: ResourceOffer
    now: datetime
    gone: bool = False


def columns(*, namespaces: bool) -> list[Column[Seen]]:
    """The columns of a list; `namespaces` adds that of the namespace."""
    first = [Column[Seen]("NAMESPACE", lambda one: one.offer.metadata.namespace or "")] if namespaces else []
    return [
        *first,
        Column("NAME", lambda one: one.offer.metadata.name),
        Column("FRAMEWORK", lambda one: one.offer.spec.framework),
        Column("ROLE", lambda one: one.offer.spec.role),
        Column("PHASE", lambda one: GONE if one.gone else one.offer.status.phase.value, colours=_COLOURS),
        Column("NODES", lambda one: str(len({each.node for each in one.offer.spec.slices}))),
        Column("OFFERED", lambda one: amounts(without_pods(_sum(each.amounts for each in one.offer.spec.slices)))),
        Column("CLAIMED", lambda one: amounts(without_pods(_sum(each.amounts for each in one.offer.status.claims)))),
        Column("EXPIRES", _expires),
        Column("AGE", lambda one: age(one.offer.metadata.creation_timestamp, one.now)),
        Column("ON", lambda one: ",".join(sorted({each.node for each in one.offer.spec.slices})), wide=True),
        Column("MESSAGE", lambda one: one.offer.status.message or "", wide=True),
    ]


def _expires(one: Seen) -> str:
    """How long an open offer still stands."""
    if one.gone or one.offer.status.phase is not OfferPhase.OFFERED:
        return ""
    return duration((one.offer.spec.expires_at - one.now).total_seconds())


def _sum(several: Iterable[Resources]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in several:
        add_into(total, one)
    return total

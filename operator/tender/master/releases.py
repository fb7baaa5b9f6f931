"""Which Reservations are released because their node is lost, and when. Pure; `releaser` deletes them.

Since when a node is lost is kept in the Reservation's status, so the time runs on while the master is away.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from tender.allocation import Ledger
from tender.api.reservation import Reservation


def lost_at(reservation: Reservation, ledger: Ledger, now: float) -> datetime | None:
    """Since when the node of a Reservation is not seen any more, as far as is known; None while it is there."""
    if reservation.spec.node in ledger.nodes:
        return None
    return reservation.status.node_lost_at or datetime.fromtimestamp(int(now), UTC)


def release_time(reservation: Reservation, since: datetime) -> float | None:
    """When a Reservation is released whose node is lost since then, in epoch seconds; None: never."""
    seconds = reservation.spec.node_lost_seconds
    return None if seconds is None else since.timestamp() + seconds


def due_releases(reservations: Iterable[Reservation], ledger: Ledger, now: float) -> list[Reservation]:
    """The Reservations whose node has been lost for longer than they allow, as their status tells.

    One whose status does not tell yet is not due, so nothing is released that nobody could have seen coming.
    """
    return [reservation for reservation in reservations if _is_due(reservation, ledger, now)]


def _is_due(reservation: Reservation, ledger: Ledger, now: float) -> bool:
    since = reservation.status.node_lost_at
    if since is None or reservation.spec.node in ledger.nodes or reservation.metadata.deletion_timestamp is not None:
        return False
    at = release_time(reservation, since)
    return at is not None and at <= now

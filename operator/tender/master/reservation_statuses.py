"""What the master tells people of a reservation: whether it is kept, how much of it is used, since when its node is
lost. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import is_
from typing import Any

from tender.allocation import Ledger
from tender.allocation.reservations import overlap
from tender.allocation.shares import add_into
from tender.api.conditions import State, set_state
from tender.api.quantities import Resources, format_resources
from tender.api.reservation import Reservation
from tender.api.timestamps import timestamp
from tender.master.refinements import Refinements
from tender.master.releases import lost_at, release_time
from tender.master.statuses import without_empty

Told = tuple[Reservation, dict[str, Any]]
"""A reservation, and its status."""
Basis = list[object]
"""Values that are made anew when they change, to be compared by identity."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a reservation consists of: the amounts in use, those that nobody uses, and those kept by its refinements."""

    used: Resources
    unused: Resources
    refined: Resources


class ReservationStatuses:
    """Computes the statuses, node by node and only where something has changed since the last time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[Basis, list[Told]]] = {}

    def of(self, reservations: Mapping[str, Reservation], now: float) -> Iterator[Told]:
        """The status of every reservation, given by key."""
        ledger, before = self._ledger, self._known
        refinements = Refinements(reservations, ledger)
        on_nodes: dict[str, list[str]] = {}
        for key, reservation in reservations.items():
            on_nodes.setdefault(reservation.spec.node, []).append(key)
        self._known = {}
        for node, keys in on_nodes.items():
            basis = self._basis(node, keys, reservations)
            known = before.get(node)
            if known is None or not _same(known[0], basis):
                here = {key: reservations[key] for key in sorted(keys, key=lambda key: _age(key, reservations[key]))}
                known = basis, list(_statuses(node, here, refinements, ledger, now))
            self._known[node] = known
            yield from known[1]

    def _basis(self, node: str, keys: list[str], reservations: Mapping[str, Reservation]) -> Basis:
        """All that the statuses of a node's reservations follow from.

        The ledger makes what is unused anew when anything on the node, or who is in which role, has changed.
        """
        wholes = [reservations.get(reservations[key].refined_key or "") for key in keys]
        return [self._ledger.nodes.get(node), self._ledger.unused(node), *(reservations[key] for key in keys), *wholes]


def _same(some: Basis, others: Basis) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def _statuses(
    node: str, reservations: Mapping[str, Reservation], refinements: Refinements, ledger: Ledger, now: float
) -> Iterator[Told]:
    parts = _parts(node, reservations, refinements, ledger) if node in ledger.nodes else {}
    for key, reservation in reservations.items():
        yield reservation, _status(reservation, parts.get(key), refinements, ledger, now)


def _status(
    reservation: Reservation, parts: Parts | None, refinements: Refinements, ledger: Ledger, now: float
) -> dict[str, Any]:
    problem = refinements.problem(reservation)
    reason = "NotAPart" if problem else "NotKept"
    since = lost_at(reservation, ledger, now)
    problem = problem or _lost(reservation, since) or lacking(reservation, ledger)
    state: State = "Stalled" if problem else "Ready"
    conditions = set_state(
        reservation.status.conditions,
        state,
        reason=reason if problem else "Kept",
        message=problem or f"kept for {_whom(reservation)}",
        generation=reservation.metadata.generation,
        now=datetime.fromtimestamp(now, UTC),
    )
    return without_empty(
        {
            "observedGeneration": reservation.metadata.generation,
            "conditions": [condition.manifest() for condition in conditions],
            "used": format_resources(parts.used) if parts else {},
            "unused": format_resources(parts.unused) if parts else {},
            "refined": format_resources(parts.refined) if parts else {},
            "nodeLostAt": timestamp(since.timestamp(), "seconds") if since else None,
        }
    )


def lacking(reservation: Reservation, ledger: Ledger) -> str | None:
    """What a reservation's node lacks for all that is reserved and used there, and what to do; None if nothing.

    Which of the reservations does not fit, nobody could say: all that keep some of what is lacking are told.
    """
    node = reservation.spec.node
    free = ledger.unreserved(node)
    short = {resource: -free[resource] for resource in reservation.spec.amounts if free.get(resource, 0) < 0}
    if not short:
        return None
    missing = ", ".join(f"{amount} {resource}" for resource, amount in format_resources(short).items())
    return f"spec.resources: node {node} lacks {missing} for all that is reserved and used there; reserve less"


def _lost(reservation: Reservation, since: datetime | None) -> str | None:
    if since is None:
        return None
    at = release_time(reservation, since)
    until = "" if at is None else f"; it is released at {timestamp(at, 'seconds')}"
    return (
        f"spec.node: there is no node {reservation.spec.node} among those that are offered; wait for it, or make a "
        f"Reservation on another{until}"
    )


def _whom(reservation: Reservation) -> str:
    framework = reservation.spec.framework
    role = f"role {reservation.spec.role}"
    return f"framework {framework} in {role} or below" if framework else f"{role} and the roles below it"


def _parts(
    node: str, reservations: Mapping[str, Reservation], refinements: Refinements, ledger: Ledger
) -> dict[str, Parts]:
    """The parts of a node's reservations, given in the order in which they are used up.

    The ledger sums up what is kept for the same; offers count as unused, since nobody may ever take them.
    """
    charges = dict(ledger.charges_on(node))
    offers = {key for key, charge in charges.items() if charge.offered}
    kept, unused = ledger.unused(node, without=charges.keys()), ledger.unused(node, without=offers)
    in_use = {group: _less(amounts, unused[group]) for group, amounts in kept.items()}
    parts = {}
    for key, reservation in reservations.items():
        amounts = _less(reservation.spec.amounts, refinements.parts(key))
        left = in_use[reservation.spec.role, reservation.framework_key]
        used = overlap(amounts, left)
        add_into(left, used, -1)
        parts[key] = Parts(used, _less(amounts, used), _less(reservation.spec.amounts, amounts))
    return parts


def _age(key: str, reservation: Reservation) -> tuple[float, str]:
    created = reservation.metadata.creation_timestamp
    return (created.timestamp() if created else float("inf"), key)


def _less(some: Resources, others: Resources) -> dict[str, int]:
    """What is left of some amounts without others, of those where something is left."""
    return {name: left for name, amount in some.items() if (left := amount - others.get(name, 0)) > 0}

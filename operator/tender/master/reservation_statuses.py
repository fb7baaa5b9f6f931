"""What the master tells people of a reservation: whether its node is there and holds what is reserved on it. Pure."""

from datetime import UTC, datetime
from typing import Any

from tender.allocation import Ledger
from tender.allocation.shares import add_into
from tender.api.conditions import State, set_state
from tender.api.quantities import format_resources
from tender.api.reservation import Reservation


def reservation_status(reservation: Reservation, ledger: Ledger, now: float) -> dict[str, Any]:
    """The status of a reservation: whether its node is there and holds what is reserved on it."""
    problem = unkept(reservation, ledger)
    state: State = "Stalled" if problem else "Ready"
    conditions = set_state(
        reservation.status.conditions,
        state,
        reason="NotKept" if problem else "Kept",
        message=problem or f"kept for role {reservation.spec.role} and the roles below it",
        generation=reservation.metadata.generation,
        now=datetime.fromtimestamp(now, UTC),
    )
    return {
        "observedGeneration": reservation.metadata.generation,
        "conditions": [condition.manifest() for condition in conditions],
    }


def unkept(reservation: Reservation, ledger: Ledger) -> str | None:
    """Why a reservation cannot be kept, and what to do; None if it is."""
    name = reservation.spec.node
    if name not in ledger.nodes:
        return f"spec.node: there is no node {name}; wait for it, or make a Reservation on another"
    free = ledger.free(name)
    for amounts in ledger.unused(name).values():
        add_into(free, amounts, -1)
    short = {resource: -free[resource] for resource in reservation.spec.amounts if free.get(resource, 0) < 0}
    if short:
        missing = ", ".join(f"{amount} {resource}" for resource, amount in format_resources(short).items())
        return f"spec.resources: node {name} lacks {missing} for all that is reserved and used there; reserve less"
    return None

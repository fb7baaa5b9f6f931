"""What the master tells people of frameworks, roles and reservations: their statuses, from the ledger. Pure.

`status_writer` writes them when they have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tender.allocation import CycleResult, Ledger, Settings
from tender.allocation.shares import add_into, dominant_share
from tender.api.conditions import State, set_state
from tender.api.quantities import Resources, format_resources
from tender.api.reservation import Reservation
from tender.api.role import FrameworkRole


@dataclass(slots=True)
class RoleFigures:
    """What a role's subtree holds in all, the part of it that is on offer, and how many frameworks are in the role."""

    held: dict[str, int] = field(default_factory=dict)
    offered: dict[str, int] = field(default_factory=dict)
    members: int = 0


def role_figures(ledger: Ledger) -> dict[str, RoleFigures]:
    """The figures of all roles, in one pass over the frameworks."""
    figures = {name: RoleFigures(held=held) for name, held in ledger.role_holdings().items()}
    for framework in ledger.frameworks.values():
        figures.setdefault(framework.role, RoleFigures()).members += 1
        offered = ledger.offered(framework.name)
        for role in ledger.lineage(framework.role):
            add_into(figures.setdefault(role.name, RoleFigures()).offered, offered)
    return figures


def framework_status(name: str, ledger: Ledger, result: CycleResult, settings: Settings) -> dict[str, Any]:
    """The master's part of a framework's status."""
    held, offered = ledger.held(name), ledger.offered(name)
    allocated = dict(held)
    add_into(allocated, offered, -1)
    return {
        "allocation": _without_empty(
            {
                "dominantShare": _share(held, ledger, settings),
                "allocated": format_resources(allocated),
                "offered": format_resources(offered),
                "notOffered": [
                    {"reason": one.reason.value, "nodes": one.nodes, "message": one.message[:1024]}
                    for one in result.not_offered.get(name, ())
                ],
            }
        )
    }


def role_status(
    role: FrameworkRole, figures: RoleFigures, ledger: Ledger, settings: Settings, now: float
) -> dict[str, Any]:
    """The status of a role: what its subtree holds, and whether its place in the tree makes sense."""
    name = role.metadata.name
    allocated = dict(figures.held)
    add_into(allocated, figures.offered, -1)
    problem = misplacement(name, ledger)
    state: State = "Stalled" if problem else "Ready"
    conditions = set_state(
        role.status.conditions,
        state,
        reason="Misplaced" if problem else "AsSpecified",
        message=problem or "the role takes part as specified",
        generation=role.metadata.generation,
        now=datetime.fromtimestamp(now, UTC),
    )
    return _without_empty(
        {
            "observedGeneration": role.metadata.generation,
            "conditions": [condition.manifest() for condition in conditions],
            "dominantShare": _share(figures.held, ledger, settings),
            "allocated": format_resources(allocated),
            "offered": format_resources(figures.offered),
            "frameworks": figures.members,
        }
    )


def misplacement(name: str, ledger: Ledger) -> str | None:
    """What is wrong with a role's place in the tree, and what to do; None if it is in order."""
    parent = ledger.role_of(name).parent
    if parent is None:
        return None
    if parent not in ledger.roles:
        return (
            f"spec.parent: role {parent} does not exist; create FrameworkRole {parent} or remove spec.parent. "
            "Until then the role is treated as one without a parent"
        )
    line = [name]
    step: str | None = parent
    while step is not None and step in ledger.roles:
        if step in line:
            circle = " -> ".join([*line, step])
            return f"spec.parent: the parents form a circle ({circle}); change one of them. Until then it is cut here"
        line.append(step)
        step = ledger.roles[step].parent
    return None


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


def _without_empty(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without empty maps and lists: server-side apply would make null of a map that is emptied."""
    return {name: value for name, value in status.items() if value not in ({}, [])}


def _share(held: Resources, ledger: Ledger, settings: Settings) -> str:
    return f"{dominant_share(held, ledger.totals, settings.unshared_resources):.4f}"

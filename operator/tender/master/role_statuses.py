"""What the master tells people of a role: what its subtree holds, and whether its place in the tree is right. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tender.allocation import Ledger, Settings
from tender.allocation.shares import add_into
from tender.api.conditions import State, set_state
from tender.api.quantities import format_resources
from tender.api.role import FrameworkRole
from tender.master.statuses import without_empty, written_share


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
    return without_empty(
        {
            "observedGeneration": role.metadata.generation,
            "conditions": [condition.manifest() for condition in conditions],
            "dominantShare": written_share(figures.held, ledger, settings),
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

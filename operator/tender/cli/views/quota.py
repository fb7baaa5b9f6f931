"""Quotas: as rows, as changes that people write, and whether a change would be sound.

A quota is judged with the allocator's own arithmetic (`tender.allocation.soundness`) over all roles and nodes, before
it is written: the master would only say afterwards what cannot be kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tender.allocation.soundness import Flaw, findings
from tender.api.quantities import Resources, parse
from tender.api.role import FrameworkRole, Quota
from tender.cli.views.amounts import amount, ordered
from tender.cli.views.cluster import Known
from tender.cli.views.roles import figures
from tender.cli.views.table import Column

Change = Mapping[str, str | None]
"""Quantities by resource; None takes the resource out of the quota."""


@dataclass(frozen=True, slots=True)
class Row:
    """One resource of a role's quota, in milli-CPU, bytes or counts; None: not guaranteed, not limited."""

    role: str
    resource: str
    guarantee: int | None
    limit: int | None
    consumed: int
    offered: int


def columns() -> list[Column[Row]]:
    """The columns of quotas."""

    def of(number: int | None, row: Row) -> str:
        return "" if number is None else amount(row.resource, number)

    return [
        Column("ROLE", lambda row: row.role),
        Column("RESOURCE", lambda row: row.resource),
        Column("GUARANTEE", lambda row: of(row.guarantee, row)),
        Column("LIMIT", lambda row: of(row.limit, row)),
        Column("CONSUMED", lambda row: of(row.consumed, row)),
        Column("OFFERED", lambda row: of(row.offered, row)),
        Column(
            "LEFT", lambda row: of(None if row.limit is None else max(0, row.limit - row.consumed - row.offered), row)
        ),
    ]


def rows(roles: Iterable[FrameworkRole]) -> Iterator[Row]:
    """The resources that quotas name, and what else their roles hold."""
    for role in roles:
        guarantee, limit = role.spec.quota.guarantee_amounts, role.spec.quota.limit_amounts
        consumed, offered = figures(role, "consumed"), figures(role, "offered")
        if not guarantee and not limit:
            continue
        for name in ordered(guarantee.keys() | limit.keys() | consumed.keys() | offered.keys()):
            if name != "pods" or name in guarantee or name in limit:
                yield Row(
                    role.metadata.name,
                    name,
                    guarantee.get(name),
                    limit.get(name),
                    consumed.get(name, 0),
                    offered.get(name, 0),
                )


def patch(guarantee: Change, limit: Change) -> dict[str, Any]:
    """A change of quota as a merge patch of a FrameworkRole."""
    quota = {"guarantee": dict(guarantee), "limit": dict(limit)}
    return {"spec": {"quota": {part: change for part, change in quota.items() if change}}}


def changed(role: FrameworkRole, guarantee: Change, limit: Change) -> FrameworkRole:
    """The role with that change made."""
    quota = Quota(guarantee=_with(role.spec.quota.guarantee, guarantee), limit=_with(role.spec.quota.limit, limit))
    return role.model_copy(update={"spec": role.spec.model_copy(update={"quota": quota})})


def new_flaws(known: Known, role: FrameworkRole) -> tuple[list[str], list[str]]:
    """What would not be sound if the role were this one and is not the case already.

    Promises that nobody can keep come first, by which a change is refused; then limits below what is consumed, which
    take effect by and by. Each is a sentence with the numbers.
    """
    others = [one for one in known.roles if one.metadata.name != role.metadata.name]
    before = set(_flaws(known))
    after = [flaw for flaw in _flaws(replace(known, roles=[*others, role])) if flaw not in before]
    promises = [f"role {name}: {message}" for name, flaw, message in after if flaw is not Flaw.LIMIT_EXCEEDED]
    limits = [f"role {name}: {message}" for name, flaw, message in after if flaw is Flaw.LIMIT_EXCEEDED]
    return promises, limits


def _flaws(known: Known) -> list[tuple[str, Flaw, str]]:
    consumed: dict[str, Resources] = {role.metadata.name: figures(role, "consumed") for role in known.roles}
    return [
        (name, finding.flaw, finding.message)
        for name, of_role in sorted(findings(known.ledger(), consumed).items())
        for finding in of_role
        if known.nodes is not None or finding.flaw is not Flaw.GUARANTEE_EXCEEDS_CLUSTER
    ]


def _with(quantities: Mapping[str, str], change: Change) -> dict[str, str]:
    """The quantities with a change made. Raises ValueError, naming the text, when one is no quantity."""
    for resource, quantity in change.items():
        if quantity is not None:
            parse(resource, quantity)
    merged = {**quantities, **change}
    return {resource: quantity for resource, quantity in merged.items() if quantity is not None}

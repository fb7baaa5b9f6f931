"""The role tree as rows: weights, quotas, and each role's share beside the one that is fair.

The fair share of a role is that of the role above it (at the top: the whole cluster), divided by weight among those
siblings that have frameworks, in them or below; a role's own frameworks count as one more child of weight 1, as in the
allocator. It is what everybody gets when all want more than that.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tender.allocation import Ledger
from tender.allocation.shares import add_into, dominant_share
from tender.api.framework import Framework
from tender.api.quantities import Resources, parse, parse_resources
from tender.api.role import GUARANTEE_MET, QUOTA_SOUND, FrameworkRole
from tender.cli.views.amounts import amounts
from tender.cli.views.cluster import Known
from tender.cli.views.table import Column

UNSHARED = frozenset({"pods"})
"""What does not count in shares, unless the master is told otherwise."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A role in the tree. `lasts` says of it and of the roles above, the topmost first, whether each is the last child.

    `share` and `fair` are None where they cannot be known, or where nobody takes part. `consumed` and `offered` are
    with the roles below.
    """

    name: str
    weight: float
    frameworks: int
    share: float | None
    fair: float | None
    guarantee: Resources
    limit: Resources
    consumed: Resources
    offered: Resources
    lasts: tuple[bool, ...] = ()
    parent: str | None = None
    implicit: bool = False
    problems: tuple[str, ...] = field(default=())

    @property
    def drawn(self) -> str:
        """The name in its place in the tree."""
        if len(self.lasts) < 2:
            return self.name
        stem = "".join("   " if last else "│  " for last in self.lasts[1:-1])
        return f"{stem}{'└─ ' if self.lasts[-1] else '├─ '}{self.name}"

    def document(self) -> dict[str, object]:
        """For programs: amounts in milli-CPU, bytes and counts."""
        return {
            "role": self.name,
            "parent": self.parent,
            "weight": self.weight,
            "frameworks": self.frameworks,
            "dominantShare": self.share,
            "fairShare": self.fair,
            "guarantee": dict(self.guarantee),
            "limit": dict(self.limit),
            "consumed": dict(self.consumed),
            "offered": dict(self.offered),
            "problems": list(self.problems),
        }


def columns() -> list[Column[Branch]]:
    """The columns of the tree."""
    return [
        Column("ROLE", lambda one: one.drawn),
        Column("WEIGHT", lambda one: f"{one.weight:g}"),
        Column("FRAMEWORKS", lambda one: str(one.frameworks)),
        Column("SHARE", lambda one: written(one.share)),
        Column("FAIR", lambda one: written(one.fair)),
        Column("GUARANTEE", lambda one: amounts(one.guarantee)),
        Column("LIMIT", lambda one: amounts(one.limit)),
        Column("CONSUMED", lambda one: amounts(without_pods(one.consumed))),
        Column("OFFERED", lambda one: amounts(without_pods(one.offered))),
        Column("PROBLEM", lambda one: one.problems[0] if one.problems else "", wide=True),
    ]


def problems(branches: Iterable[Branch]) -> list[str]:
    """What is wrong with places and quotas, role by role."""
    return [f"role {one.name}: {problem}" for one in branches for problem in one.problems]


def tree(known: Known) -> list[Branch]:
    """All roles, each below its parent, siblings by name."""
    ledger = known.ledger()
    objects = {role.metadata.name: role for role in known.roles}
    members: dict[str, list[Framework]] = defaultdict(list)
    for framework in known.frameworks or ():
        for name in framework.spec.all_roles:
            members[name].append(framework)
    children: dict[str | None, list[str]] = defaultdict(list)
    for name in sorted(objects.keys() | members.keys()):
        children[_parent(ledger, name)].append(name)
    fair = {} if known.frameworks is None else _fair_shares(ledger, children, members)
    totals = known.nodes.totals if known.nodes is not None else {}

    def branch(name: str, lasts: tuple[bool, ...]) -> Branch:
        role, written_as = ledger.role_of(name), objects.get(name)
        own = members[name]
        count = len(own) if known.frameworks is not None or written_as is None else written_as.status.frameworks or 0
        if written_as is None:
            consumed, offered = _figures_of(own, name)
        else:
            consumed, offered = figures(written_as, "consumed"), figures(written_as, "offered")
        return Branch(
            name=name,
            weight=role.weight,
            frameworks=count,
            share=_share(written_as, own, consumed, offered, totals),
            fair=fair.get(name),
            guarantee=role.guarantee,
            limit=role.limit,
            consumed=consumed,
            offered=offered,
            lasts=lasts,
            parent=_parent(ledger, name),
            implicit=written_as is None,
            problems=() if written_as is None else flaws(written_as),
        )

    def below(parent: str | None, lasts: tuple[bool, ...]) -> Iterable[Branch]:
        siblings = children[parent]
        for position, name in enumerate(siblings):
            place = (*lasts, position == len(siblings) - 1)
            yield branch(name, place)
            yield from below(name, place)

    return list(below(None, ()))


def figures(role: FrameworkRole, part: str) -> dict[str, int]:
    """The amounts of one column of a role's status: "consumed" or "offered"; zeros are left out."""
    found = {one.resource: parse(one.resource, getattr(one, part)) for one in role.status.quota}
    return {name: amount for name, amount in found.items() if amount}


def flaws(role: FrameworkRole) -> tuple[str, ...]:
    """What the master says is wrong with a role's place and quota."""
    flawed = {("Stalled", "True"), (QUOTA_SOUND, "False"), (GUARANTEE_MET, "False")}
    return tuple(one.message for one in role.status.conditions if (one.type, one.status) in flawed)


def written(share: float | None) -> str:
    """A share as a percentage of the cluster."""
    return "" if share is None else f"{share:.1%}"


def without_pods(held: Resources) -> dict[str, int]:
    """The amounts without the number of pods, which says little to people."""
    return {name: amount for name, amount in held.items() if name != "pods"}


def _parent(ledger: Ledger, name: str) -> str | None:
    return next((role.name for role in ledger.lineage(name)[1:]), None)


def _fair_shares(
    ledger: Ledger, children: Mapping[str | None, Sequence[str]], members: Mapping[str, Sequence[Framework]]
) -> dict[str, float]:
    """The fair shares of the roles that have frameworks, in them or below."""

    def takes_part(name: str) -> bool:
        return bool(members.get(name)) or any(takes_part(one) for one in children.get(name, ()))

    shares: dict[str, float] = {}

    def divide(parent: str | None, whole: float) -> None:
        active = [name for name in children.get(parent, ()) if takes_part(name)]
        own = 1.0 if active and parent is not None and members.get(parent) else 0.0
        weights = own + sum(ledger.role_of(name).weight for name in active)
        for name in active:
            shares[name] = whole * ledger.role_of(name).weight / weights
            divide(name, shares[name])

    divide(None, 1.0)
    return shares


def _figures_of(frameworks: Iterable[Framework], role: str) -> tuple[dict[str, int], dict[str, int]]:
    """What the frameworks that are first of all in this role hold, and what is on offer to them."""
    allocated: dict[str, int] = {}
    offered: dict[str, int] = {}
    for one in frameworks:
        if one.status.allocation is not None and one.spec.role == role:
            add_into(allocated, parse_resources(one.status.allocation.allocated))
            add_into(offered, parse_resources(one.status.allocation.offered))
    return allocated, offered


def _share(
    role: FrameworkRole | None, own: Sequence[Framework], consumed: Resources, offered: Resources, totals: Resources
) -> float | None:
    if role is not None and role.status.dominant_share is not None:
        return float(role.status.dominant_share)
    if len(own) == 1 and own[0].status.allocation is not None:
        return float(own[0].status.allocation.dominant_share)
    if not totals:
        return None
    held = dict(consumed)
    add_into(held, offered)
    return dominant_share(held, totals, UNSHARED)

"""What everybody's weight comes to: the part of the cluster that a role or framework would have if all who hold or want
something now had as much as they are entitled to. For Prometheus, beside what they hold. Pure.
"""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tender.allocation import Framework, Ledger


@dataclass(slots=True)
class FairShares:
    """Fractions of the cluster, by role and by framework. Who takes no part has none."""

    roles: dict[str, float] = field(default_factory=dict)
    frameworks: dict[str, float] = field(default_factory=dict)


def fair_shares(ledger: Ledger) -> FairShares:
    """The fair shares: at each level of the tree of roles siblings divide what is above them by their weights.

    As in allocation, the frameworks of a role that has others below it count beside these as one of weight 1, and a
    framework in several roles takes part in each.
    """
    members: dict[str, list[str]] = {}
    below: dict[str | None, dict[str, None]] = {}
    for framework in ledger.frameworks.values():
        for role in framework.roles if _takes_part(ledger, framework) else ():
            members.setdefault(role, []).append(framework.name)
            line: list[str | None] = [*ledger.line(role), None]
            for name, above in itertools.pairwise(line):
                below.setdefault(above, {})[name or ""] = None
    shares = FairShares()
    _divide(ledger, below, members, None, 1.0, shares)
    return shares


def _divide(
    ledger: Ledger,
    below: Mapping[str | None, Collection[str]],
    members: Mapping[str, list[str]],
    role: str | None,
    whole: float,
    shares: FairShares,
) -> None:
    """Give the children of a role (None: the roles without a parent) and its own frameworks their parts."""
    children, own = below.get(role, ()), members.get(role or "", ())
    weights = {name: ledger.role_of(name).weight for name in children}
    total = sum(weights.values()) + (1.0 if own else 0.0)
    for name, weight in weights.items():
        shares.roles[name] = whole * weight / total
        _divide(ledger, below, members, name, shares.roles[name], shares)
    for framework in own:
        part = whole / total / len(own)
        shares.frameworks[framework] = shares.frameworks.get(framework, 0.0) + part


def _takes_part(ledger: Ledger, framework: Framework) -> bool:
    """Whether it holds something, or would take something that it is offered."""
    return bool(ledger.held(framework.name)) or (not framework.inactive and framework.demand != ())

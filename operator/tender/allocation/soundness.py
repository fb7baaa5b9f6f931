"""Whether quotas are sound: what is guaranteed can be kept free, and what is consumed stays within the limits.

A quota that is not sound is served as far as it goes and keeps nobody else from being served; what is wrong with it is
said here, in words and with the numbers. Roles may be written in any order and nodes come and go, so nothing of this
could be refused when a role is written.

A guarantee counts inside the guarantee of the role above: what a role is *promised* is the larger of its own guarantee
and the sum of what its children are promised. A role above that guarantees nothing itself is no contradiction.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tender.allocation.ledger import Ledger
from tender.allocation.model import Framework, Role
from tender.allocation.shares import add_into
from tender.allocation.tasks import missing
from tender.api.quantities import Resources, format_amount

_NOTHING: Resources = {}


class Flaw(StrEnum):
    """What can be wrong with a quota, the gravest first."""

    GUARANTEE_EXCEEDS_LIMIT = "GuaranteeExceedsLimit"
    GUARANTEE_EXCEEDS_CLUSTER = "GuaranteeExceedsCluster"
    GUARANTEE_EXCEEDS_PARENT = "GuaranteeExceedsParent"
    LIMIT_EXCEEDED = "LimitExceeded"


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw of a role's quota; the message names the field, the numbers and what to do."""

    flaw: Flaw
    message: str


def findings(ledger: Ledger, consumed: Mapping[str, Resources]) -> dict[str, list[Finding]]:
    """What is wrong with the quotas of the roles, the gravest first; roles whose quota is sound are left out.

    `consumed` is what each role holds with the roles below it, without offers and with all that is reserved for them.
    """
    if not any(role.guarantee or role.limit for role in ledger.roles.values()):
        return {}
    promised, below = _promises(ledger)
    found: dict[str, list[Finding]] = {}
    for role in ledger.roles.values():
        of_role = [
            *_beyond_those_above(role, ledger.lineage(role.name)[1:]),
            *_beyond_itself(role, below.get(role.name, _NOTHING)),
            *_beyond_consumption(role, consumed.get(role.name, _NOTHING)),
        ]
        if of_role:
            found[role.name] = of_role
    for name, finding in _beyond_the_cluster(ledger, promised):
        found.setdefault(name, []).append(finding)
    order = list(Flaw)
    for of_role in found.values():
        of_role.sort(key=lambda finding: order.index(finding.flaw))
    return found


def unmet_guarantees(ledger: Ledger, held: Mapping[str, Resources]) -> dict[str, dict[str, int]]:
    """What roles lack of their guarantee now although a framework in them, or below them, wants more of it.

    `held` is what each role holds with the roles below it, offers included.
    """
    lacking: dict[str, dict[str, int]] = {}
    for role in ledger.roles.values():
        has = held.get(role.name, _NOTHING)
        lack = {name: amount - has.get(name, 0) for name, amount in role.guarantee.items() if amount > has.get(name, 0)}
        if lack:
            lacking[role.name] = lack
    unmet: dict[str, dict[str, int]] = {}
    for framework in ledger.frameworks.values() if lacking else ():
        line = {above.name for role in framework.roles for above in ledger.lineage(role)}
        for name in lacking.keys() & line:
            wanted = {one: amount for one, amount in lacking[name].items() if _wants(ledger, framework, one)}
            if wanted:
                unmet.setdefault(name, {}).update(wanted)
    return unmet


def _promises(ledger: Ledger) -> tuple[dict[str, Resources], dict[str, dict[str, int]]]:
    """What each role is promised, and what its children are promised together."""
    promised: dict[str, Resources] = {}
    below: dict[str, dict[str, int]] = {}
    for role in sorted(ledger.roles.values(), key=lambda role: -len(ledger.lineage(role.name))):
        of_children = below.get(role.name, _NOTHING)
        promised[role.name] = {
            name: max(role.guarantee.get(name, 0), of_children.get(name, 0))
            for name in role.guarantee.keys() | of_children.keys()
        }
        for above in ledger.lineage(role.name)[1:2]:
            add_into(below.setdefault(above.name, {}), promised[role.name])
    return promised, below


def _beyond_those_above(role: Role, above: list[Role]) -> Iterator[Finding]:
    """A guarantee that a role above it contradicts: the nearest one that does is named."""
    for name, amount in sorted(role.guarantee.items()):
        here = f"spec.quota.guarantee: {name}: {format_amount(name, amount)} guaranteed here, but"
        binding = next((one for one in above if amount > one.limit.get(name, amount)), None)
        if binding is not None:
            yield Finding(
                Flaw.GUARANTEE_EXCEEDS_LIMIT,
                f"{here} the limit of role {binding.name} above it is {format_amount(name, binding.limit[name])}; "
                "lower this guarantee or raise that limit",
            )
        smaller = next((one for one in above if amount > one.guarantee.get(name, amount)), None)
        if smaller is not None:
            yield Finding(
                Flaw.GUARANTEE_EXCEEDS_PARENT,
                f"{here} only {format_amount(name, smaller.guarantee[name])} to role {smaller.name} above it; "
                "lower this guarantee or raise that one",
            )


def _beyond_itself(role: Role, below: Resources) -> Iterator[Finding]:
    """More promised to the children together than the role is guaranteed, or may have."""
    for name, amount in sorted(below.items()):
        of_children = f"{format_amount(name, amount)} guaranteed in the roles below it"
        if amount > role.limit.get(name, amount):
            yield Finding(
                Flaw.GUARANTEE_EXCEEDS_LIMIT,
                f"spec.quota.limit: {name}: {format_amount(name, role.limit[name])}, but {of_children}; "
                "raise the limit or lower their guarantees",
            )
        if amount > role.guarantee.get(name, amount):
            yield Finding(
                Flaw.GUARANTEE_EXCEEDS_PARENT,
                f"spec.quota.guarantee: {name}: {format_amount(name, role.guarantee[name])} guaranteed here, but "
                f"{of_children}; raise this guarantee or lower theirs",
            )


def _beyond_consumption(role: Role, consumed: Resources) -> Iterator[Finding]:
    """A limit below what is consumed."""
    for name, limit in sorted(role.limit.items()):
        amount = consumed.get(name, 0)
        if amount > limit:
            yield Finding(
                Flaw.LIMIT_EXCEEDED,
                f"spec.quota.limit: {name}: {format_amount(name, limit)}, but {format_amount(name, amount)} is "
                "consumed; nothing new is offered until it falls below",
            )


def _beyond_the_cluster(ledger: Ledger, promised: Mapping[str, Resources]) -> Iterator[tuple[str, Finding]]:
    """More promised to the top-level roles together than the available nodes have: each of these roles is told."""
    top = [role for role in ledger.roles.values() if len(ledger.lineage(role.name)) == 1]
    total: dict[str, int] = {}
    for role in top:
        add_into(total, promised[role.name])
    capacity = dict(ledger.totals)
    for node in ledger.nodes.values():
        if node.unavailable:
            add_into(capacity, node.allocatable, -1)
    for name, amount in sorted(total.items()):
        if amount <= capacity.get(name, 0):
            continue
        for role in top:
            own = promised[role.name].get(name, 0)
            if own > 0:
                place = "here" if own == role.guarantee.get(name, 0) else "in the roles below it"
                yield (
                    role.name,
                    Finding(
                        Flaw.GUARANTEE_EXCEEDS_CLUSTER,
                        f"spec.quota.guarantee: {name}: {format_amount(name, own)} guaranteed {place}, "
                        f"{format_amount(name, amount)} in all top-level roles, and the cluster has "
                        f"{format_amount(name, capacity.get(name, 0))} on available nodes; "
                        "lower one of them or add nodes",
                    ),
                )


def _wants(ledger: Ledger, framework: Framework, resource: str) -> bool:
    """Whether a framework wants more of a resource now."""
    if framework.inactive:
        return False
    if framework.demand is None:
        return True
    return any(
        entry.requests.get(resource, 0) > 0 and missing(ledger, framework, entry) > 0 for entry in framework.demand
    )

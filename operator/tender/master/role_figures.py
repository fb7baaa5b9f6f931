"""What roles hold with the roles below them, in numbers: for their statuses and for Prometheus. Pure."""

from dataclasses import dataclass, field

from tender.allocation import Ledger
from tender.allocation.shares import add_into


@dataclass(slots=True)
class RoleFigures:
    """What a role's subtree has, in amounts, and how many frameworks are in the role itself.

    `allocated` are pods and claims. `consumed` are these and all that is reserved, used or not: what counts against a
    quota besides offers. `offered` are open offers. `held` is all of it together; what is reserved and on offer counts
    once there, though it is both consumed and offered.
    """

    allocated: dict[str, int] = field(default_factory=dict)
    consumed: dict[str, int] = field(default_factory=dict)
    offered: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    members: int = 0


def role_figures(ledger: Ledger) -> dict[str, RoleFigures]:
    """The figures of all roles that are set, have frameworks or have reservations."""
    figures = {name: RoleFigures(held=dict(held)) for name, held in ledger.role_holdings().items()}

    def line(role: str) -> list[RoleFigures]:
        return [figures.setdefault(one.name, RoleFigures()) for one in ledger.lineage(role)]

    for framework in ledger.frameworks.values():
        for role in framework.roles:
            line(role)[0].members += 1
        for role, amounts in ledger.offered_by_role(framework.name).items():
            for one in line(role):
                add_into(one.offered, amounts)
    unused: dict[str, dict[str, int]] = {}
    for node in set().union(*ledger.reserved_places().values()):
        for (role, _), amounts in ledger.unused(node).items():
            add_into(unused.setdefault(role, {}), amounts)
        offers = {key for key, charge in ledger.charges_on(node) if charge.offered}
        for (role, _), amounts in ledger.unused(node, offers).items():
            for one in line(role):
                add_into(one.consumed, amounts)
    for one in figures.values():
        one.allocated = dict(one.held)
        add_into(one.allocated, one.offered, -1)
    for role, amounts in unused.items():
        for one in line(role):
            add_into(one.allocated, amounts, -1)
    for one in figures.values():
        add_into(one.consumed, one.allocated)
    return figures

"""Which Reservations are parts of others, and what is wrong with those that cannot be. Pure.

A part lies on the node of the whole, for a role below the whole's. What its parts keep, the whole keeps no longer; when
a part is deleted, the whole keeps that again.
"""

from collections.abc import Mapping

from tender.allocation import Ledger
from tender.allocation.shares import add_into
from tender.api.quantities import Resources, format_resources
from tender.api.reservation import Reservation


class Refinements:
    """The parts and wholes among all Reservations, by key ("namespace/name")."""

    def __init__(self, reservations: Mapping[str, Reservation], ledger: Ledger) -> None:
        self._reservations = reservations
        self._ledger = ledger
        self._parts: dict[str, dict[str, int]] = {}
        for part in reservations.values():
            whole = part.refined_key
            if whole is not None and self._misfit(part) is None:
                add_into(self._parts.setdefault(whole, {}), part.spec.amounts)

    def parts(self, key: str) -> Resources:
        """What the parts of a Reservation keep in all."""
        return self._parts.get(key, {})

    def problem(self, reservation: Reservation) -> str | None:
        """Why a Reservation cannot be a part of what it refines, and what to do; None if it can, or refines nothing."""
        return self._misfit(reservation) or self._excess(reservation)

    def _misfit(self, part: Reservation) -> str | None:
        key, spec = part.refined_key, part.spec
        if key is None:
            return None
        whole = self._reservations.get(key)
        if whole is None:
            return f"spec.refines: there is no Reservation {key}; create it, or make this one anew without"
        if whole.spec.node != spec.node:
            return (
                f"spec.refines: Reservation {key} is on node {whole.spec.node} and this one on {spec.node}; "
                "make this one anew on that node"
            )
        if whole.spec.role not in self._ledger.line(spec.role)[1:]:
            return (
                f"spec.refines: Reservation {key} is for role {whole.spec.role}, which is not above role {spec.role}; "
                f"place role {spec.role} below it, or make this one anew for a role below it"
            )
        return None

    def _excess(self, part: Reservation) -> str | None:
        key = part.refined_key
        if key is None:
            return None
        whole = self._reservations[key].spec.amounts
        beyond = {
            name: amount - whole.get(name, 0) for name, amount in self.parts(key).items() if amount > whole.get(name, 0)
        }
        if not beyond:
            return None
        amounts = ", ".join(f"{amount} {resource}" for resource, amount in format_resources(beyond).items())
        return (
            f"spec.resources: the Reservations that refine {key} keep {amounts} more in all than it has; "
            "reserve less here, or more there"
        )

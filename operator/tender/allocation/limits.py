"""What the limits of a role and of those above it still allow during a cycle.

A limit binds the whole subtree (unlike Mesos', where a parent's limit does not bind its children); what is on offer
counts as used.
"""

from tender.allocation.ledger import Ledger
from tender.allocation.shares import add_into
from tender.api.quantities import Resources, format_amount


class Limits:
    """The limits of all roles, drawn down as the cycle grants."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._used = ledger.role_holdings()
        self._lines: dict[str, list[str]] = {}

    def allowed(self, role: str, resources: Resources) -> dict[str, int]:
        """The part of these resources that the role may still have; a resource that it may not have is left out."""
        allowed = dict(resources)
        for name in self._limited_line(role):
            used = self._used.get(name, {})
            for resource, limit in self._ledger.roles[name].limit.items():
                if resource in allowed:
                    allowed[resource] = min(allowed[resource], limit - used.get(resource, 0))
        return {resource: amount for resource, amount in allowed.items() if amount > 0}

    def breach(self, role: str, resources: Resources) -> str | None:
        """The first limit that these resources would break, in words; None if they break none."""
        for name in self._limited_line(role):
            used = self._used.get(name, {})
            for resource, limit in self._ledger.roles[name].limit.items():
                if resources.get(resource, 0) > 0 and used.get(resource, 0) + resources[resource] > limit:
                    have, may = (
                        format_amount(resource, used.get(resource, 0)),
                        format_amount(resource, limit),
                    )
                    return f"quota of role {name}: {have} of {may} {resource} used"
        return None

    def grant(self, role: str, resources: Resources) -> None:
        """Count a grant against the role and those above it."""
        for name in self._limited_line(role):
            add_into(self._used.setdefault(name, {}), resources)

    def _limited_line(self, role: str) -> list[str]:
        line = self._lines.get(role)
        if line is None:
            line = [one.name for one in self._ledger.lineage(role) if one.limit]
            self._lines[role] = line
        return line

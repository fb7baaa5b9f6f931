"""Guarantees and limits of the role tree, drawn down as a cycle grants.

A limit binds a role and everything below it (unlike Mesos', where a parent's limit does not bind its children), and
what is on offer or reserved counts as held. A guarantee counts inside the guarantee of the role above: what is still
to be kept for a role is the larger of what it lacks itself and what its children lack together, and never more than
its limit still allows. Under a limit, what children are guaranteed is kept from their siblings.
"""

from collections.abc import Collection, Mapping

from tender.allocation.ledger import Ledger
from tender.allocation.shares import add_into
from tender.api.quantities import Resources, format_amount


class _Quota:
    """One role of the part of the tree that quotas touch."""

    __slots__ = ("below", "guarantee", "held", "limit", "name", "unmet")

    def __init__(self, name: str, guarantee: Resources, limit: Resources, held: Resources) -> None:
        self.name = name
        self.guarantee = guarantee
        self.limit = limit
        self.held = dict(held)
        self.below: dict[str, int] = {}
        self.unmet: dict[str, int] = {}

    def lack(self, resource: str) -> int:
        """What the role and its children lack of a resource, whether or not the limit allows it."""
        own = self.guarantee.get(resource, 0) - self.held.get(resource, 0)
        return max(own, self.below.get(resource, 0), 0)

    def left(self, resource: str) -> int | None:
        """What the limit still allows of a resource; None without a limit."""
        limit = self.limit.get(resource)
        return None if limit is None else max(0, limit - self.held.get(resource, 0))

    def refresh(self) -> dict[str, int]:
        """Work out anew what is unmet. Returns the change."""
        before = self.unmet
        self.unmet = {}
        for resource in self.guarantee.keys() | self.below.keys():
            lack, left = self.lack(resource), self.left(resource)
            if (unmet := lack if left is None else min(lack, left)) > 0:
                self.unmet[resource] = unmet
        change = dict(self.unmet)
        add_into(change, before, -1)
        return change


class Quotas:
    """The quotas of all roles. `required` is what has to be kept free for guarantees, all over the cluster."""

    def __init__(self, ledger: Ledger, holdings: Mapping[str, Resources]) -> None:
        self.required: dict[str, int] = {}
        self._ledger = ledger
        self._quotas: dict[str, _Quota] = {}
        self._lines: dict[str, list[_Quota]] = {}
        self._terms: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
        for role in ledger.roles.values():
            if role.guarantee or role.limit:
                for one in ledger.lineage(role.name):
                    if one.name not in self._quotas:
                        held = holdings.get(one.name, {})
                        self._quotas[one.name] = _Quota(one.name, one.guarantee, one.limit, held)
        self._deepest_first = sorted(self._quotas.values(), key=lambda quota: -len(ledger.lineage(quota.name)))
        for quota in self._deepest_first:
            change = quota.refresh()
            above = ledger.lineage(quota.name)[1:2]
            add_into(self._quotas[above[0].name].below if above else self.required, change)

    def __bool__(self) -> bool:
        """Whether any role has a quota at all."""
        return bool(self._quotas)

    def bind(self, role: str) -> bool:
        """Whether any quota touches this role."""
        return bool(self._quotas and self._line(role))

    def unmet_roles(self, resources: Collection[str] | None = None) -> list[str]:
        """The roles that lack something of their own guarantee: any resource, or one of these."""
        return [
            quota.name
            for quota in self._quotas.values()
            if any(
                amount > quota.below.get(resource, 0)
                for resource, amount in quota.unmet.items()
                if resources is None or resource in resources
            )
        ]

    def guaranteed(self, role: str) -> dict[str, int]:
        """How much a role could be granted that is owed to it: it lowers what is `required` by as much."""
        return self._terms_of(role)[1] if self._quotas else {}

    def room(self, role: str) -> dict[str, int]:
        """The most that the role may still be granted, of the resources that a limit names."""
        return self._terms_of(role)[0] if self._quotas else {}

    def cut(self, role: str, amounts: Resources, beneath: str | None = None) -> dict[str, int]:
        """The part of these amounts that the role may still have; a resource that it may not have is left out.

        With `beneath`, only the roles beneath that one count: the amounts are counted there and above already.
        """
        if not self._quotas or not self._line(role):
            return dict(amounts)
        room = self.room(role) if beneath is None else self._reckon(role, beneath)[0]
        return {
            resource: allowed
            for resource, amount in amounts.items()
            if (allowed := min(amount, room[resource]) if resource in room else amount) > 0
        }

    def breach(self, role: str, amounts: Resources, *, of_task: bool = False) -> str | None:
        """What of these amounts a limit forbids, in words; None if nothing. A task needs all of them or none."""
        room = self.room(role)
        for resource, amount in sorted(amounts.items()):
            left = room.get(resource, amount)
            if amount > left:
                needed = f", and a task needs {format_amount(resource, amount)}" if of_task and left else ""
                return self._explain(role, resource) + needed
        return None

    def excess(self, role: str) -> dict[str, int]:
        """How much more than its limit a role holds."""
        quota = self._quotas.get(role)
        if quota is None:
            return {}
        over = {resource: quota.held.get(resource, 0) - most for resource, most in quota.limit.items()}
        return {resource: amount for resource, amount in over.items() if amount > 0}

    def grant(self, role: str, amounts: Resources, beneath: str | None = None, sign: int = 1) -> None:
        """Count a grant against the role and those above it (see `cut` for `beneath`); `sign` -1 takes it back."""
        if not self._quotas or not amounts:
            return
        line = self._line(role)
        counted = len(line) - self._above(role, beneath)
        change: dict[str, int] = {}
        for position, quota in enumerate(line):
            if position < counted:
                add_into(quota.held, amounts, sign)
            add_into(quota.below, change)
            change = quota.refresh()
        add_into(self.required, change)
        self._terms.clear()

    def _line(self, role: str) -> list[_Quota]:
        line = self._lines.get(role)
        if line is None:
            line = [self._quotas[one.name] for one in self._ledger.lineage(role) if one.name in self._quotas]
            self._lines[role] = line
        return line

    def _above(self, role: str, beneath: str | None) -> int:
        """How many roles of the line are `beneath` or above it."""
        if beneath is None:
            return 0
        names = [one.name for one in self._ledger.lineage(role)]
        return len(names) - names.index(beneath)

    def _terms_of(self, role: str) -> tuple[dict[str, int], dict[str, int]]:
        terms = self._terms.get(role)
        if terms is None:
            terms = self._terms[role] = self._reckon(role)
        return terms

    def _reckon(self, role: str, beneath: str | None = None) -> tuple[dict[str, int], dict[str, int]]:
        """What the limits leave to the role, and what is owed to it, level by level upwards."""
        line = self._line(role)
        room: dict[str, int] = {}
        owed: dict[str, int] = {}
        for quota in line[: max(0, len(line) - self._above(role, beneath))]:
            for resource in quota.limit:
                left = quota.left(resource) or 0
                kept = quota.below.get(resource, 0)
                allowed = min(left, max(0, left - kept) + owed.get(resource, 0))
                room[resource] = min(allowed, room.get(resource, allowed))
            above: dict[str, int] = {}
            for resource in quota.unmet:
                others = quota.below.get(resource, 0) - owed.get(resource, 0)
                amount = quota.lack(resource) - max(0, others)
                left_here = quota.left(resource)
                amount = amount if left_here is None else min(amount, left_here)
                if amount > 0:
                    above[resource] = amount
            owed = above
        return room, owed

    def _explain(self, role: str, resource: str) -> str:
        tightest = min(
            (quota for quota in self._line(role) if resource in quota.limit),
            key=lambda quota: quota.limit[resource] - quota.held.get(resource, 0) - quota.below.get(resource, 0),
        )
        held = format_amount(resource, tightest.held.get(resource, 0))
        limit = format_amount(resource, tightest.limit[resource])
        kept = tightest.below.get(resource, 0)
        rest = f", {format_amount(resource, kept)} kept for roles below it" if kept > 0 else ""
        return f"quota of role {tightest.name}: {held} of {limit} {resource} used{rest}"

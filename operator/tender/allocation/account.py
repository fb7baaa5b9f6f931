"""What is left to give in a cycle, seen from all sides at once: nodes, reservations, quotas and headroom.

Claimants ask here what they may have of a node, and what is granted is taken off here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tender.allocation.headroom import Headroom
from tender.allocation.ledger import Ledger
from tender.allocation.model import Member, Settings
from tender.allocation.pool import Draw, Pool
from tender.allocation.quotas import Quotas
from tender.allocation.shares import add_into
from tender.api.quantities import Resources


class Portion(NamedTuple):
    """What a claimant has taken in one turn: these resources of the node in this slot, the `first` there or not.

    `draws` says which reservations are used up; with none at all, nothing was reserved there, nor do quotas or headroom
    concern the role.
    """

    slot: int
    resources: Resources
    first: bool
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True, slots=True)
class Takings:
    """What a framework could have of a node: as it lies there, within its quota, and also within the headroom."""

    there: Resources
    within_quota: Resources
    allowed: Resources
    draws: tuple[Draw, ...]


class Account:
    """Nodes, reservations, quotas and headroom during a cycle. `scope` are the nodes that take part."""

    def __init__(self, ledger: Ledger, settings: Settings, holdings: Mapping[str, Resources], scope: int) -> None:
        self.ledger = ledger
        self.settings = settings
        self.pool = Pool(ledger, scope)
        self.quotas = Quotas(ledger, holdings)
        self.headroom = Headroom(ledger, settings, self.quotas)
        self._reserved = {
            group: self.pool.table.set_of(names) & scope for group, names in ledger.reserved_places().items()
        }

    def bound(self, role: str) -> bool:
        """Whether quotas or headroom may stand in the way of a grant to this role."""
        return bool(self.quotas.required) or self.quotas.bind(role)

    def entitled(self, member: Member) -> int:
        """The nodes with reservations that a framework may use in a role."""
        if not self._reserved:
            return 0
        line = self.ledger.line(member.role)
        nodes = 0
        for (role, named), places in self._reserved.items():
            if role in line and named in {None, member.framework}:
                nodes |= places
        return nodes

    def most(self, role: str) -> tuple[dict[str, int], dict[str, int]]:
        """The most of each resource that quotas leave to a role wherever it is, and where headroom is kept as well.

        Resources that are not named are not limited. Reserved amounts are counted already: they are not held to it.
        """
        room = self.quotas.room(role)
        if not self.headroom.nodes:
            return room, room
        kept = dict(room)
        for resource, amount in self.headroom.most(self.quotas.guaranteed(role)).items():
            kept[resource] = min(amount, room.get(resource, amount))
        return room, kept

    def takings(self, member: Member, slot: int, wanted: Resources | None = None) -> Takings:
        """What a framework could have of a node: everything, or the part that is wanted."""
        role = member.role
        draws = self.pool.stock(slot).draws(member.framework, self.ledger.line(role), wanted)
        if len(draws) > 1:
            return self._takings_of_reserved(role, slot, draws)
        there = draws[0][1]
        owed = self.quotas.guaranteed(role)
        within = self.quotas.cut(role, there)
        allowed = self.headroom.cut(slot, owed, within)
        return Takings(there, within, allowed, ((None, allowed),))

    def _takings_of_reserved(self, role: str, slot: int, draws: list[Draw]) -> Takings:
        """What a framework could have of several draws: each is granted for trial, so that the next builds on it."""
        there: dict[str, int] = {}
        within_quota: dict[str, int] = {}
        allowed: dict[str, int] = {}
        granted: list[Draw] = []
        for group, amounts in draws:
            beneath = None if group is None else group[0]
            within = self.quotas.cut(role, amounts, beneath)
            fit = within if group is not None else self.headroom.cut(slot, self.quotas.guaranteed(role), within)
            self.quotas.grant(role, fit, beneath)
            granted.append((group, dict(fit)))
            add_into(there, amounts)
            add_into(within_quota, within)
            add_into(allowed, fit)
        for group, amounts in reversed(granted):
            self.quotas.grant(role, amounts, None if group is None else group[0], sign=-1)
        return Takings(there, within_quota, allowed, tuple(granted))

    def at_start(self, member: Member, slot: int, wanted: Resources | None = None) -> Resources:
        """What lay there for the framework when the cycle began."""
        there: dict[str, int] = {}
        draws = self.pool.at_start(slot).draws(member.framework, self.ledger.line(member.role), wanted)
        for _, amounts in draws:
            add_into(there, amounts)
        return there

    def take(self, member: Member, slot: int, draws: tuple[Draw, ...]) -> None:
        """Take these draws of a node off."""
        for group, amounts in draws:
            self.pool.take(slot, amounts, group)
            if group is None:
                self.headroom.take(slot, amounts)
            self.quotas.grant(member.role, amounts, None if group is None else group[0])

    def counted(self, member: Member, portion: Portion) -> Mapping[str, Resources] | None:
        """How much more each role of the framework's line holds by this portion, and under "" the framework itself.

        A reservation that is used up counted before: for its role and those above, and for a framework it names. None
        stands for "the whole portion, everywhere".
        """
        if len(portion.draws) < 2:
            return None
        line = self.ledger.line(member.role)
        counted: dict[str, dict[str, int]] = {name: {} for name in ["", *line]}
        for group, amounts in portion.draws:
            role, named = group or (None, None)
            if named is None:
                add_into(counted[""], amounts)
            for name in line if role is None else line[: line.index(role)]:
                add_into(counted[name], amounts)
        return counted

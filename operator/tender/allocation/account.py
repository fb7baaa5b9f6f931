"""What is left to give in a cycle, seen from all sides at once: nodes, reservations, quotas and headroom.

Claimants ask here what they may have of a node, and what is granted is taken off here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tender.allocation.headroom import Headroom
from tender.allocation.ledger import Ledger
from tender.allocation.model import Framework, Settings
from tender.allocation.pool import Draw, Pool
from tender.allocation.quotas import Quotas
from tender.allocation.shares import add_into
from tender.api.quantities import Resources


@dataclass(frozen=True, slots=True)
class Portion:
    """What a claimant takes in one turn: these resources of this node, for so many tasks if it has demand.

    `draws` says which reservations are used up; None means that everything is unreserved.
    """

    node: str
    resources: Resources
    task: str | None = None
    count: int = 0
    draws: tuple[Draw, ...] | None = None


@dataclass(frozen=True, slots=True)
class Takings:
    """What a framework could have of a node: as it lies there, within its quota, and also within the headroom."""

    there: Resources
    within_quota: Resources
    allowed: Resources
    draws: tuple[Draw, ...] | None = None


class Account:
    """Nodes, reservations, quotas and headroom during a cycle."""

    def __init__(
        self, ledger: Ledger, settings: Settings, holdings: dict[str, dict[str, int]], order: list[str]
    ) -> None:
        self.ledger = ledger
        self.settings = settings
        self.pool = Pool(ledger, order)
        self.quotas = Quotas(ledger, holdings)
        self.headroom = Headroom(ledger, settings, self.quotas)
        self._lines: dict[str, list[str]] = {}
        self._reserving = ledger.reserving()

    def bound(self, role: str) -> bool:
        """Whether quotas or headroom may stand in the way of a grant to this role."""
        return bool(self.quotas.required) or self.quotas.bind(role)

    def may_use_reservations(self, framework: Framework) -> bool:
        """Whether anything is reserved that this framework might use."""
        if not self._reserving:
            return False
        line = self._line(framework)
        return any(role in line and named in {None, framework.name} for role, named in self._reserving)

    def takings(self, framework: Framework, name: str, wanted: Resources | None = None) -> Takings:
        """What a framework could have of a node: everything, or the part that is wanted."""
        draws = self.pool.stock(name).draws(framework.name, self._line(framework), wanted)
        if len(draws) > 1:
            return self._takings_of_reserved(framework, name, draws)
        there = draws[0][1]
        if not self.bound(framework.role):
            return Takings(there, there, there)
        owed = self.quotas.guaranteed(framework.role)
        within = self.quotas.cut(framework.role, there)
        return Takings(there, within, self.headroom.cut(name, owed, within))

    def _takings_of_reserved(self, framework: Framework, name: str, draws: list[Draw]) -> Takings:
        """What a framework could have of several draws: each is granted for trial, so that the next builds on it."""
        role = framework.role
        there: dict[str, int] = {}
        within_quota: dict[str, int] = {}
        allowed: dict[str, int] = {}
        granted: list[Draw] = []
        for group, amounts in draws:
            beneath = None if group is None else group[0]
            within = self.quotas.cut(role, amounts, beneath)
            fit = within if group is not None else self.headroom.cut(name, self.quotas.guaranteed(role), within)
            self.quotas.grant(role, fit, beneath)
            granted.append((group, dict(fit)))
            add_into(there, amounts)
            add_into(within_quota, within)
            add_into(allowed, fit)
        for group, amounts in reversed(granted):
            self.quotas.grant(role, amounts, None if group is None else group[0], sign=-1)
        return Takings(there, within_quota, allowed, tuple(granted))

    def at_start(self, framework: Framework, name: str, wanted: Resources | None = None) -> Resources:
        """What lay there for the framework when the cycle began."""
        there: dict[str, int] = {}
        for _, amounts in self.pool.at_start(name).draws(framework.name, self._line(framework), wanted):
            add_into(there, amounts)
        return there

    def take(self, framework: Framework, portion: Portion) -> None:
        """Take a portion that is granted to a framework off."""
        stock = self.pool.stock(portion.node)
        if portion.draws is None and not self.bound(framework.role):
            stock.take(portion.resources)
            return
        for group, amounts in portion.draws or ((None, portion.resources),):
            stock.take(amounts, group)
            if group is None:
                self.headroom.take(portion.node, amounts)
            self.quotas.grant(framework.role, amounts, None if group is None else group[0])

    def counted(self, framework: Framework, portion: Portion) -> Mapping[str, Resources] | None:
        """How much more each role of the framework's line holds by this portion, and under "" the framework itself.

        A reservation that is used up counted before: for its role and those above, and for a framework it names. None
        stands for "the whole portion, everywhere".
        """
        if portion.draws is None:
            return None
        line = self._line(framework)
        counted: dict[str, dict[str, int]] = {name: {} for name in ["", *line]}
        for group, amounts in portion.draws:
            role, named = group or (None, None)
            if named is None:
                add_into(counted[""], amounts)
            for name in line if role is None else line[: line.index(role)]:
                add_into(counted[name], amounts)
        return counted

    def _line(self, framework: Framework) -> list[str]:
        line = self._lines.get(framework.role)
        if line is None:
            line = self._lines[framework.role] = [one.name for one in self.ledger.lineage(framework.role)]
        return line

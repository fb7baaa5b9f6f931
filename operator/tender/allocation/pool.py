"""What is free on each node that takes part in a cycle: physically, for reservations, and for anybody.

Nodes are surveyed once for each size that somebody looks for, so that full nodes cost a cycle next to nothing.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from tender.allocation.ledger import Ledger
from tender.allocation.model import Reason, Taint
from tender.allocation.reservations import Group, sources
from tender.allocation.shares import add_into, fits
from tender.allocation.suitability import Wants
from tender.allocation.tally import Tally
from tender.api.quantities import Resources, format_resources

Draw = tuple[Group | None, Resources]
"""A part of a portion, and the reservation that it uses up (None: unreserved)."""


class Stock:
    """What is free on one node; `kept` is the part of it that is reserved, or None where nothing is.

    `touched` tells whether anything has been taken off.
    """

    __slots__ = ("_positive", "free", "kept", "touched")

    def __init__(self, free: dict[str, int], unused: Mapping[Group, Resources]) -> None:
        self.free = free
        self.touched = False
        self._positive: dict[str, int] | None = None
        self.kept = {group: dict(amounts) for group, amounts in unused.items()} or None

    def left(self) -> dict[str, int]:
        """What is free of each resource that is not used up; not to be changed."""
        if self._positive is None:
            self._positive = positive(self.free)
        return self._positive

    def unreserved(self) -> dict[str, int]:
        """What is free for anybody."""
        if self.kept is None:
            return self.left()
        left = dict(self.free)
        for amounts in self.kept.values():
            add_into(left, amounts, -1)
        return positive(left)

    def draws(self, framework: str, line: Sequence[str], wanted: Resources | None = None) -> list[Draw]:
        """All that a framework could have here, or the part of it that is wanted: its reservations first."""
        if self.kept is None:
            return [(None, self.left() if wanted is None else _at_most(wanted, self.free))]
        left = dict(self.left())
        draws: list[Draw] = []
        groups: list[Group | None] = [*sources(self.kept, framework, line), None]
        missing = dict(left if wanted is None else wanted)
        unreserved = self.unreserved()
        for group in groups:
            stock = unreserved if group is None else _at_most(self.kept[group], left)
            amounts = _at_most(missing, stock)
            add_into(left, amounts, -1)
            add_into(missing, amounts, -1)
            draws.append((group, amounts))
        return draws

    def take(self, amounts: Resources, group: Group | None = None) -> None:
        """Take amounts off what is unreserved, or off what is kept for a group."""
        self.touched = True
        self._positive = None
        free = self.free
        for resource, amount in amounts.items():
            free[resource] -= amount
        if group is not None and self.kept is not None:
            add_into(self.kept[group], amounts, -1)


@dataclass(slots=True)
class Survey:
    """The nodes with room for something of one size when the cycle began, and the others by what is the matter."""

    roomy: list[str] = field(default_factory=list)
    full: dict[tuple[str, tuple[Taint, ...], tuple[Reason, str]], list[str]] = field(default_factory=dict)


class Pool:
    """The nodes of a cycle, in the order in which they are visited."""

    def __init__(self, ledger: Ledger, order: list[str]) -> None:
        self.order = order
        self._ledger = ledger
        self._stocks: dict[str, Stock] = {}
        self._surveys: dict[Hashable, Survey] = {}

    def stock(self, name: str) -> Stock:
        """What is free on a node now."""
        stock = self._stocks.get(name)
        if stock is None:
            stock = self._stocks[name] = self.at_start(name)
        return stock

    def at_start(self, name: str) -> Stock:
        """What was free on a node when the cycle began."""
        return Stock(self._ledger.free(name), self._ledger.unused(name))

    def with_minimum(self, minimum: tuple[Resources, ...]) -> Survey:
        """The nodes where an offer could hold one of these sets; with no sets at all, anything but pods."""
        named = {resource for one in minimum for resource in one}

        def shortage(free: Resources) -> tuple[Reason, str] | None:
            if enough(free, minimum):
                return None
            left = positive(free)
            if left.keys() & named:
                return Reason.TOO_SMALL, f"{describe(left)} is less than the minimum offer"
            return Reason.EXHAUSTED, "nothing is free"

        key = ("minimum", *(tuple(sorted(one.items())) for one in minimum))
        return self._survey(key, shortage)

    def with_room(self, requests: Resources) -> Survey:
        """The nodes where these requests would fit."""
        wanted = list(requests.items())
        missing = (Reason.EXHAUSTED, f"a task needs {describe(requests)}, and less is free")

        def shortage(free: Resources) -> tuple[Reason, str] | None:
            for resource, amount in wanted:
                if free.get(resource, 0) < amount:
                    return missing
            return None

        return self._survey(tuple(sorted(wanted)), shortage)

    def count_full(self, survey: Survey, wants: Wants, tally: Tally) -> None:
        """Count the nodes without room, under the first reason that applies to each."""
        for (unavailable, taints, shortage), names in survey.full.items():
            if unavailable:
                tally.count(Reason.UNAVAILABLE, unavailable, len(names))
                continue
            left = len(names)
            if wants.node_selector:
                for name in names:
                    hindered = wants.obstacle(self._ledger.nodes[name])
                    if hindered is not None:
                        tally.count(*hindered)
                        left -= 1
            elif (taint := wants.taint_in_the_way(taints)) is not None:
                tally.count(Reason.TAINTED, taint, left)
                left = 0
            if left:
                tally.count(*shortage, left)

    def _survey(self, key: Hashable, shortage: Callable[[Resources], tuple[Reason, str] | None]) -> Survey:
        survey = self._surveys.get(key)
        if survey is not None:
            return survey
        survey = self._surveys[key] = Survey()
        nodes, stock = self._ledger.nodes, self.stock
        for name in self.order:
            node = nodes[name]
            short = shortage(stock(name).free)
            if short is None and not node.unavailable:
                survey.roomy.append(name)
            else:
                what = (node.unavailable, node.taints, short or (Reason.EXHAUSTED, ""))
                survey.full.setdefault(what, []).append(name)
        return survey


def enough(resources: Resources, minimum: tuple[Resources, ...]) -> bool:
    """Whether an offer of these resources is worth making: it holds one of the sets, and not pods alone."""
    if resources.keys() <= {"pods"}:
        return False
    if minimum:
        return any(fits(one, resources) for one in minimum)
    return any(amount > 0 and resource != "pods" for resource, amount in resources.items())


def positive(amounts: Resources) -> dict[str, int]:
    """The amounts above zero."""
    return {resource: amount for resource, amount in amounts.items() if amount > 0}


def describe(amounts: Resources) -> str:
    """Amounts in words, such as "cpu 500m, memory 1Gi"."""
    return ", ".join(f"{resource} {quantity}" for resource, quantity in format_resources(amounts).items())


def _at_most(wanted: Resources, stock: Resources) -> dict[str, int]:
    return {
        resource: least for resource, amount in wanted.items() if (least := min(amount, stock.get(resource, 0))) > 0
    }

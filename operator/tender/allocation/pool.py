"""What is free on each node that takes part in a cycle: physically, for reservations, and for anybody.

Nodes go by their slots here. Which of them have room for something is asked of the ledger's columns, as they were when
the cycle began and as they are now; what is taken of a node is kept in its stock, made when the node is first touched.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from tender.allocation.columns import Columns
from tender.allocation.ledger import Ledger
from tender.allocation.reservations import Group, sources
from tender.allocation.shares import add_into, fits, positive
from tender.allocation.slots import each_from, joined
from tender.api.quantities import Resources, format_resources

Draw = tuple[Group | None, Resources]
"""A part of a portion, and the reservation that it uses up (None: unreserved)."""

_FEW = 8
"""Up to so many nodes are looked at one by one rather than in columns."""


class Stock:
    """What is free on one node; `kept` is the part of it that is reserved, or None where nothing is.

    `touched` tells whether anything has been taken off, `drained` whether that was the last of some resource.
    """

    __slots__ = ("_positive", "drained", "free", "kept", "touched")

    def __init__(self, free: dict[str, int], unused: Mapping[Group, Resources]) -> None:
        self.free = free
        self.touched = False
        self.drained = False
        self._positive: dict[str, int] | None = None
        self.kept = {group: dict(amounts) for group, amounts in unused.items()} if unused else None

    def left(self) -> dict[str, int]:
        """What is free of each resource that is not used up; not to be changed."""
        if self._positive is None:
            self._positive = positive(self.free)
        return self._positive

    def unreserved(self) -> dict[str, int]:
        """What is free for anybody."""
        return self.left() if self.kept is None else positive(self.open())

    def open(self) -> dict[str, int]:
        """What is free and not reserved, below zero where more is reserved than free; not to be changed."""
        if self.kept is None:
            return self.free
        left = dict(self.free)
        for amounts in self.kept.values():
            add_into(left, amounts, -1)
        return left

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
            free[resource] = left = free[resource] - amount
            if left <= 0:
                self.drained = True
        if group is not None and self.kept is not None:
            add_into(self.kept[group], amounts, -1)


class Pool:
    """The nodes of a cycle. `scope` are those that take part; `live` the part of them where anything is left.

    On the `reserved` ones something is kept for somebody.
    """

    def __init__(self, ledger: Ledger, scope: int) -> None:
        self.ledger = ledger
        self.table = ledger.table()
        self.scope = scope
        self._few = scope.bit_count() <= _FEW
        self._stocks: dict[int, Stock] = {}
        self._fitting: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
        self._now: tuple[Columns, Columns] | None = None
        self._rooms: dict[tuple[int, bool], int] = {}
        self._rooms_later: dict[tuple[int, bool], int] = {}
        self.reserved = self.table.set_of(name for names in ledger.reserved_places().values() for name in names)
        self._untold: set[int] = set()
        self._fitting_later: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
        self.live = self.room((), reserved=True)

    def stock(self, slot: int) -> Stock:
        """What is free on a node now."""
        stock = self._stocks.get(slot)
        if stock is None:
            stock = self._stocks[slot] = self.at_start(slot)
            if not self.live >> slot & 1:
                stock.take(stock.left())
        return stock

    def left(self, slot: int, minimum: tuple[Resources, ...]) -> Resources | None:
        """What is left of a node where nothing is reserved, if it is worth an offer still; not to be changed."""
        stock = self._stocks.get(slot)
        if stock is None:
            return self.table.left(slot)
        left = stock.left()
        return left if not stock.touched or enough(left, minimum) else None

    def is_reserved(self, slot: int) -> bool:
        """Whether anything is reserved on a node."""
        return bool(self.reserved >> slot & 1)

    def at_start(self, slot: int) -> Stock:
        """What was free on a node when the cycle began."""
        name = self.table.names[slot]
        return Stock(self.ledger.free(name), self.ledger.unused(name))

    def take(self, slot: int, amounts: Resources, group: Group | None = None) -> None:
        """Take amounts off what is unreserved on a node, or off what is kept for a group."""
        stock = self.stock(slot)
        stock.take(amounts, group)
        self._note(slot, stock)

    def take_if_there(self, slot: int, amounts: Resources) -> bool:
        """Take amounts off a node where nothing is reserved, if it has as much."""
        stock = self.stock(slot)
        free = stock.free
        for resource, amount in amounts.items():
            if amount > free.get(resource, 0):
                return False
        stock.take(amounts)
        self._note(slot, stock)
        return True

    def take_all(self, slot: int) -> None:
        """Take all that is left of a live node where nothing is reserved."""
        stock = self._stocks.get(slot)
        if stock is not None:
            stock.take(stock.left())
        self._forget_later()
        self.live ^= 1 << slot

    def fitting(self, requests: Resources, *, reserved: bool = False) -> int:
        """The nodes where these requests would have fitted when the cycle began, with what is reserved or without."""
        key = (reserved, tuple(sorted(requests.items())))
        known = self._fitting.get(key)
        if known is None:
            if self._few:
                amounts = self._free_at if reserved else self._open_at
                known = self._each_fitting(requests, amounts)
            else:
                columns = self.table.free if reserved else self.table.open
                known = columns.fitting(requests) & self.scope
            self._fitting[key] = known
        return known

    def fitting_now(self, requests: Resources, *, reserved: bool = False) -> int:
        """The nodes where these requests fit after what has been granted, with what is reserved or without."""
        key = (reserved, tuple(sorted(requests.items())))
        known = self._fitting_later.get(key)
        if known is None:
            if self._few:
                known = self._each_fitting(
                    requests, lambda slot: self.stock(slot).free if reserved else self.stock(slot).open()
                )
            else:
                known = self._columns_now(reserved=reserved).fitting(requests) & self.live
            self._fitting_later[key] = known
        return known

    def room(self, minimum: tuple[Resources, ...], *, reserved: bool = False) -> int:
        """The nodes where an offer of all that is there would have been worth making when the cycle began."""
        key = (id(minimum), reserved)
        known = self._rooms.get(key)
        if known is None:
            known = self._rooms[key] = self._room(minimum, partial(self.fitting, reserved=reserved))
        return known

    def room_now(self, minimum: tuple[Resources, ...], *, reserved: bool = False) -> int:
        """The nodes where an offer of all that is there is worth making after what has been granted."""
        if not self.live:
            return 0
        key = (id(minimum), reserved)
        known = self._rooms_later.get(key)
        if known is None:
            known = self._rooms_later[key] = self._room(minimum, partial(self.fitting_now, reserved=reserved))
        return known

    def something_of(self, resources: Iterable[str]) -> int:
        """The nodes where something of one of these resources was free when the cycle began."""
        nodes = 0
        for resource in resources:
            nodes |= self.fitting({resource: 1}, reserved=True)
        return nodes

    def _note(self, slot: int, stock: Stock) -> None:
        """Something was taken of the stock of a node."""
        self._untold.add(slot)
        self._forget_later()
        if stock.drained and not stock.left():
            self.live &= ~(1 << slot)

    def _forget_later(self) -> None:
        """What has room now has to be found anew."""
        if self._fitting_later:
            self._fitting_later.clear()
            self._rooms_later.clear()

    def _room(self, minimum: tuple[Resources, ...], fitting: Callable[[Resources], int]) -> int:
        something = 0
        for resource in self.ledger.totals.keys() - {"pods"}:
            something |= fitting({resource: 1})
        if not minimum:
            return something
        nodes = 0
        for one in minimum:
            nodes |= fitting(one)
        return nodes & something

    def _columns_now(self, *, reserved: bool) -> Columns:
        if self._now is None:
            self._now = (self.table.free.copy(), self.table.open.copy())
        free, unreserved = self._now
        if self._untold:
            slots = list(self._untold)
            stocks = [self.stock(slot) for slot in slots]
            free.put(slots, [stock.free for stock in stocks])
            unreserved.put(slots, [stock.open() for stock in stocks])
            self._untold.clear()
        return free if reserved else unreserved

    def _free_at(self, slot: int) -> Resources:
        return self.ledger.free(self.table.names[slot])

    def _open_at(self, slot: int) -> Resources:
        return self.ledger.unreserved(self.table.names[slot])

    def _each_fitting(self, requests: Resources, amounts: Callable[[int], Resources]) -> int:
        return joined(slot for slot in each_from(self.scope) if fits(requests, amounts(slot)))


def enough(resources: Resources, minimum: tuple[Resources, ...]) -> bool:
    """Whether an offer of these resources is worth making: it holds one of the sets, and not pods alone."""
    if resources.keys() <= {"pods"}:
        return False
    if minimum:
        return any(fits(one, resources) for one in minimum)
    return any(amount > 0 and resource != "pods" for resource, amount in resources.items())


def describe(amounts: Resources) -> str:
    """Amounts in words, such as "cpu 500m, memory 1Gi"."""
    return ", ".join(f"{resource} {quantity}" for resource, quantity in format_resources(amounts).items())


def _at_most(wanted: Resources, stock: Resources) -> dict[str, int]:
    return {
        resource: least for resource, amount in wanted.items() if (least := min(amount, stock.get(resource, 0))) > 0
    }

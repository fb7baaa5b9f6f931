"""Amounts of all nodes, by slot, and which nodes have enough of everything: the one place where numbers come in bulk.

`NumpyColumns` keeps one array for each resource and compares 10,000 nodes in about 20 µs; `PlainColumns` does the same
node by node, and is what tests hold the other against.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from tender.allocation.shares import add_into, fits, positive
from tender.allocation.slots import joined
from tender.api.quantities import Resources

_MOST = 2**63 - 1
"""Larger amounts count as this much: nobody has so many bytes."""

_Array = npt.NDArray[np.int64]
_Truths = npt.NDArray[np.bool_]
_NONE: _Array = np.zeros(1, np.int64)


class Columns(Protocol):
    """Amounts by resource and slot. What a node does not name it has none of."""

    def put(self, slots: Sequence[int], amounts: Sequence[Resources]) -> None:
        """Set the amounts of these slots."""

    def add(self, slot: int, amounts: Resources, sign: int) -> bool:
        """Add amounts to a slot, or with `sign` -1 take them off. False if they are too large for that."""

    def without(self, others: Self) -> Self:
        """What is left of these amounts without others."""

    def differing(self, others: Self) -> int:
        """The nodes that have other amounts there."""

    def insert(self, slot: int) -> None:
        """Make room for one more node, without amounts, in this slot."""

    def remove(self, slot: int) -> None:
        """Take a slot out."""

    def fitting(self, requests: Resources) -> int:
        """The nodes that have at least so much of everything."""

    def total(self, nodes: int) -> dict[str, int]:
        """The sum over these nodes of what is above zero."""

    def copy(self) -> Self:
        """The same amounts, to be changed apart from these."""


class NumpyColumns:
    """An array for each resource."""

    def __init__(self, amounts: Iterable[Resources]) -> None:
        rows = list(amounts)
        self._size = len(rows)
        self._by_resource: dict[str, _Array] = {}
        self._cells: dict[str, memoryview] = {}
        self.put(range(self._size), rows)

    def put(self, slots: Sequence[int], amounts: Sequence[Resources]) -> None:
        """Set the amounts of these slots."""
        if not slots:
            return
        places = np.fromiter(slots, np.intp, len(slots))
        for resource, new in _columns(amounts, self._by_resource.keys()).items():
            self._column(resource)[places] = new

    def add(self, slot: int, amounts: Resources, sign: int) -> bool:
        """Add amounts to a slot, or with `sign` -1 take them off. False if they are too large for that."""
        cells = self._cells
        try:
            for resource, amount in amounts.items():
                cell = cells.get(resource)
                if cell is None:
                    cell = cells[resource] = self._column(resource).data
                cell[slot] += sign * amount
        except (OverflowError, ValueError):
            return False
        return True

    def without(self, others: "NumpyColumns") -> "NumpyColumns":
        """What is left of these amounts without others."""
        left = NumpyColumns(())
        left._size = self._size
        left._by_resource = {resource: column.copy() for resource, column in self._by_resource.items()}
        for resource, other in others._by_resource.items():
            left._column(resource)[:] -= other
        return left

    def differing(self, others: "NumpyColumns") -> int:
        """The nodes that have other amounts there."""
        truths: _Truths = np.zeros(self._size, np.bool_)
        for resource in self._by_resource.keys() | others._by_resource.keys():
            truths |= self._by_resource.get(resource, _NONE) != others._by_resource.get(resource, _NONE)
        return _packed(truths)

    def insert(self, slot: int) -> None:
        """Make room for one more node, without amounts, in this slot."""
        self._size += 1
        self._cells.clear()
        for resource, column in self._by_resource.items():
            self._by_resource[resource] = np.insert(column, slot, 0)

    def remove(self, slot: int) -> None:
        """Take a slot out."""
        self._size -= 1
        self._cells.clear()
        for resource, column in self._by_resource.items():
            self._by_resource[resource] = np.delete(column, slot)

    def fitting(self, requests: Resources) -> int:
        """The nodes that have at least so much of everything."""
        truths: _Truths | None = None
        for resource, amount in requests.items():
            column = self._by_resource.get(resource)
            if column is None or amount > _MOST:
                if amount > 0:
                    return 0
                continue
            enough = column >= max(-_MOST, amount)
            truths = enough if truths is None else truths & enough
        return (1 << self._size) - 1 if truths is None else _packed(truths)

    def total(self, nodes: int) -> dict[str, int]:
        """The sum over these nodes of what is above zero."""
        chosen = _unpacked(nodes, self._size)
        sums = {resource: sum_above_zero(column[chosen]) for resource, column in self._by_resource.items()}
        return {resource: amount for resource, amount in sums.items() if amount > 0}

    def copy(self) -> "NumpyColumns":
        """The same amounts, to be changed apart from these."""
        return self.without(NumpyColumns(()))

    def _column(self, resource: str) -> _Array:
        column = self._by_resource.get(resource)
        if column is None:
            column = self._by_resource[resource] = np.zeros(self._size, np.int64)
        return column


class PlainColumns:
    """The amounts node by node."""

    def __init__(self, amounts: Iterable[Resources]) -> None:
        self._rows = [dict(row) for row in amounts]

    def put(self, slots: Sequence[int], amounts: Sequence[Resources]) -> None:
        """Set the amounts of these slots."""
        for slot, row in zip(slots, amounts, strict=True):
            self._rows[slot] = dict(row)

    def add(self, slot: int, amounts: Resources, sign: int) -> bool:
        """Add amounts to a slot, or with `sign` -1 take them off. False if they are too large for that."""
        add_into(self._rows[slot], amounts, sign)
        return True

    def without(self, others: "PlainColumns") -> "PlainColumns":
        """What is left of these amounts without others."""
        left = self.copy()
        for row, other in zip(left._rows, others._rows, strict=True):
            add_into(row, other, -1)
        return left

    def differing(self, others: "PlainColumns") -> int:
        """The nodes that have other amounts there."""
        return joined(
            slot
            for slot, (row, other) in enumerate(zip(self._rows, others._rows, strict=True))
            if any(row.get(name, 0) != other.get(name, 0) for name in row.keys() | other.keys())
        )

    def insert(self, slot: int) -> None:
        """Make room for one more node, without amounts, in this slot."""
        self._rows.insert(slot, {})

    def remove(self, slot: int) -> None:
        """Take a slot out."""
        del self._rows[slot]

    def fitting(self, requests: Resources) -> int:
        """The nodes that have at least so much of everything."""
        return joined(slot for slot, row in enumerate(self._rows) if fits(requests, row))

    def total(self, nodes: int) -> dict[str, int]:
        """The sum over these nodes of what is above zero."""
        sums: dict[str, int] = {}
        for slot, row in enumerate(self._rows):
            if nodes >> slot & 1:
                add_into(sums, positive(row))
        return sums

    def copy(self) -> "PlainColumns":
        """The same amounts, to be changed apart from these."""
        return PlainColumns(self._rows)


def sum_above_zero(column: _Array) -> int:
    """The sum of what is above zero, exact also where it is more than 64 bits hold."""
    positive = np.maximum(column, 0)
    if len(positive) and int(positive.max()) > _MOST // len(positive):
        return sum(positive.tolist())
    return int(positive.sum())


def _columns(rows: Sequence[Resources], known: Iterable[str]) -> dict[str, _Array]:
    """The rows as columns; a resource that is known and that a row does not name is none of it."""
    kinds = set(map(tuple, rows))
    if len(kinds) == 1:
        names = kinds.pop()
        flat = _array(chain.from_iterable(row.values() for row in rows), len(rows) * len(names))
        columns = dict(zip(names, flat.reshape(len(rows), len(names)).T, strict=True))
    else:
        columns = {
            name: _array((row.get(name, 0) for row in rows), len(rows))
            for name in {one for kind in kinds for one in kind}
        }
    for name in known:
        if name not in columns:
            columns[name] = np.zeros(len(rows), np.int64)
    return columns


def _array(amounts: Iterable[int], size: int) -> _Array:
    kept = list(amounts)
    try:
        return np.fromiter(kept, np.int64, size)
    except OverflowError:
        return np.fromiter((max(-_MOST, min(_MOST, amount)) for amount in kept), np.int64, size)


def _packed(truths: _Truths) -> int:
    return int.from_bytes(np.packbits(truths, bitorder="little").tobytes(), "little")


def _unpacked(nodes: int, size: int) -> _Truths:
    data = np.frombuffer(nodes.to_bytes((size + 7) // 8, "little"), np.uint8)
    return np.unpackbits(data, count=size, bitorder="little").astype(np.bool_)

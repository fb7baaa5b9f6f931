"""Sets of nodes as integers: bit n stands for the node in slot n of the node table.

A cycle asks of thousands of frameworks which of thousands of nodes are left for each. As integers such sets are
joined, cut and counted in a microsecond, so that the cost of a cycle lies in what it grants and not in what it looks
through.
"""

from collections.abc import Iterable, Iterator

PATIENCE = 16
"""After so many nodes of a set that turned out to be of no use, the others are looked through at once."""
_WINDOW = (1 << 256) - 1
"""So many slots are gone through as a small number."""


def lowest(nodes: int) -> int:
    """The first slot of a set that is not empty: mostly it is near the start, and small numbers are faster by far."""
    near = nodes & _WINDOW
    return ((near & -near) if near else nodes ^ (nodes & (nodes - 1))).bit_length() - 1


def first_from(nodes: int, start: int) -> int:
    """The first slot of a set from `start` on, going round at the end; the set is not empty."""
    later = nodes >> start
    return start + lowest(later) if later else lowest(nodes)


def each_from(nodes: int, start: int = 0) -> Iterator[int]:
    """The slots of a set, from `start` on and round."""
    walk = Walk(nodes, start)
    while (slot := walk.next()) is not None:
        yield slot


def joined(slots: Iterable[int]) -> int:
    """These slots as a set."""
    chosen = list(slots)
    if not chosen:
        return 0
    data = bytearray(max(chosen) // 8 + 1)
    for slot in chosen:
        data[slot >> 3] |= 1 << (slot & 7)
    return int.from_bytes(data, "little")


class Walk:
    """Goes through a set of nodes once, from one slot on and round. It may be cut meanwhile."""

    __slots__ = ("_base", "_left", "_start", "_window")

    def __init__(self, nodes: int, start: int) -> None:
        self._left = nodes
        self._start = start
        self._base = start
        self._window = 0

    def __bool__(self) -> bool:
        return bool(self._window or self._left)

    def next(self) -> int | None:
        """The next slot, which is out of the set from now on; None at the end."""
        window = self._window
        if not window:
            if not self._left:
                return None
            window = self._open()
        lowest = window & -window
        self._window = window ^ lowest
        return self._base + lowest.bit_length() - 1

    def cut(self, nodes: int) -> None:
        """Leave out all that are not of these nodes."""
        self._left &= nodes
        self._window &= nodes >> self._base

    def rest(self) -> int:
        """The nodes that are still to come."""
        return self._left | self._window << self._base

    def _open(self) -> int:
        """Move the window to where the next slots are."""
        self._base = first_from(self._left, self._start)
        window = self._left >> self._base & _WINDOW
        self._left ^= window << self._base
        return window


def with_slot(nodes: int, slot: int) -> int:
    """The set after a slot was put in: what was there and later moves up by one."""
    later = nodes >> slot
    return later << (slot + 1) | nodes ^ (later << slot)


def without_slot(nodes: int, slot: int) -> int:
    """The set after a slot was taken out: what came later moves down by one."""
    later = nodes >> slot
    return later >> 1 << slot | nodes ^ (later << slot)

"""The nodes of a ledger in slots, so that sets of them are integers, and what is free on them is in columns.

Slots follow a hash of the names: an order that looks random, so that neighbours in it are seldom neighbours in a rack,
and is the same for the same nodes, however they came. The columns, and the sets of nodes that suit somebody
(`node_sets`), follow the changes of the ledger: a change costs what it touches, not the size of the cluster. `fast`
False makes everything anew for each cycle, in plain Python, for tests to compare with.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from zlib import crc32

from tender.allocation.columns import Columns, NumpyColumns, PlainColumns
from tender.allocation.model import Framework, Node
from tender.allocation.node_sets import NodeSets, Suit
from tender.allocation.shares import positive
from tender.allocation.slots import each_from, with_slot, without_slot
from tender.allocation.suitability import Wants
from tender.api.quantities import Resources

_MOST_MOVES = 16
"""From so many nodes that came or went at once, the table is made anew rather than mended."""

Amounts = Callable[[str], Resources]
"""What a node has of something, by its name."""


class NodeTable:
    """Slots of nodes. The ledger tells of changes as they come; `refresh` takes them in when a cycle begins.

    `free` is what nobody holds, `open` the part of it that is not reserved either, as `unreserved` gives it for a name.
    `on_amounts` is told which nodes have another amount open, `on_slots` how slots moved: the function that says where
    an older set of nodes is now, or None when the table was made anew.
    """

    def __init__(
        self,
        *,
        fast: bool,
        unreserved: Amounts,
        on_amounts: Callable[[int], object],
        on_slots: Callable[[Callable[[int], int] | None], object],
    ) -> None:
        self.fast = fast
        self.names: list[str] = []
        self.slots: dict[str, int] = {}
        self.nodes: list[Node] = []
        self.everything = 0
        self._columns: Callable[[Iterable[Resources]], Columns] = NumpyColumns if fast else PlainColumns
        self.free: Columns = self._columns(())
        self.open: Columns = self._columns(())
        self._reserved: Columns = self._columns(())
        self._keys: list[tuple[int, str]] = []
        self._unreserved = unreserved
        self._on_amounts = on_amounts
        self._on_slots = on_slots
        self._left: dict[int, Resources] = {}
        self._moved: set[str] = set()
        self._altered: set[str] = set()
        self._kept: set[str] = set()
        self._counted = False
        self._sets = NodeSets()

    def came_or_went(self, name: str) -> None:
        """A node is there now, or is no more."""
        self._moved.add(name)

    def altered(self, name: str) -> None:
        """A node's labels, taints, availability or size changed."""
        self._altered.add(name)

    def count(self, name: str, amounts: Resources, sign: int) -> None:
        """So much more of a node is free, or with `sign` -1 less."""
        slot = self.slots.get(name)
        if slot is not None:
            self._counted = True
            if not self.free.add(slot, amounts, sign):
                self._altered.add(name)

    def keep(self, name: str) -> None:
        """What is reserved on a node and unused may be another amount now."""
        self._kept.add(name)

    def refresh(self, nodes: Mapping[str, Node], free: Amounts, unused: Amounts) -> None:
        """Take in what has changed. `free` and `unused` tell what is free on a node, and what of it is reserved."""
        if not (self._counted or self._moved or self._altered or self._kept):
            return
        moved = [name for name in self._moved if (name in nodes) != (name in self.slots)]
        if not self.fast or len(moved) > _MOST_MOVES:
            self._make(nodes, free, unused)
        else:
            for name in sorted(moved):
                if name in nodes:
                    self._insert(nodes[name])
                else:
                    self._remove(name)
            for name in self._altered | self._moved:
                if name in self.slots:
                    slot = self.slots[name]
                    before, self.nodes[slot] = self.nodes[slot], nodes[name]
                    self._sets.replace(slot, None if name in self._moved else before, nodes[name])
            _put(self.free, self.slots, self._altered | self._moved, free)
            _put(self._reserved, self.slots, self._kept | self._moved, unused)
            unreserved = self.free.without(self._reserved)
            if changed := unreserved.differing(self.open):
                for slot in each_from(changed):
                    self._left.pop(slot, None)
                self._on_amounts(changed)
            self.open = unreserved
        self._counted = False
        self._moved.clear()
        self._altered.clear()
        self._kept.clear()

    def left(self, slot: int) -> Resources:
        """What is open on a node of each resource that is not used up; not to be changed."""
        left = self._left.get(slot)
        if left is None:
            left = self._left[slot] = positive(self._unreserved(self.names[slot]))
        return left

    def last_left(self, name: str) -> tuple[int, Resources] | None:
        """The slot of a node and what was left there when the last cycle began; None if no cycle has looked."""
        slot = self.slots.get(name)
        left = self._left.get(slot) if slot is not None else None
        return None if slot is None or left is None else (slot, left)

    def suit(self, wants: Wants) -> Suit:
        """The nodes that somebody can use at all, whatever is free on them."""
        return self._sets.suit(wants)

    def suit_of(self, framework: Framework, scarce: frozenset[str]) -> Suit:
        """The nodes that a framework can use, whatever its demand."""
        return self._sets.suit_of(framework, scarce)

    def forget(self, framework: str) -> None:
        """A framework is gone."""
        self._sets.forget(framework)

    def having(self, resource: str) -> int:
        """The nodes that have a resource, used or not."""
        return self._sets.having(resource)

    def available(self) -> int:
        """The nodes that something new may start on."""
        return self._sets.available()

    def set_of(self, names: Iterable[str]) -> int:
        """These nodes as a set; names of nodes that are not there are left out."""
        nodes = 0
        for name in names:
            slot = self.slots.get(name)
            if slot is not None:
                nodes |= 1 << slot
        return nodes

    def _make(self, nodes: Mapping[str, Node], free: Amounts, unused: Amounts) -> None:
        self._keys = sorted(_key(name) for name in nodes)
        self.names = [name for _, name in self._keys]
        self.slots = {name: slot for slot, name in enumerate(self.names)}
        self.nodes = [nodes[name] for name in self.names]
        self.everything = (1 << len(self.names)) - 1
        self.free = self._columns(free(name) for name in self.names)
        self._reserved = self._columns(unused(name) for name in self.names)
        self.open = self.free.without(self._reserved)
        self._sets.make(self.nodes)
        self._left.clear()
        self._on_slots(None)

    def _insert(self, node: Node) -> None:
        key = _key(node.name)
        slot = bisect_left(self._keys, key)
        self._keys.insert(slot, key)
        self.nodes.insert(slot, node)
        for columns in (self.free, self.open, self._reserved):
            columns.insert(slot)
        self._move(lambda nodes: with_slot(nodes, slot))

    def _remove(self, name: str) -> None:
        slot = self.slots[name]
        del self._keys[slot]
        del self.nodes[slot]
        for columns in (self.free, self.open, self._reserved):
            columns.remove(slot)
        self._move(lambda nodes: without_slot(nodes, slot))

    def _move(self, move: Callable[[int], int]) -> None:
        self.names = [name for _, name in self._keys]
        self.slots = dict(zip(self.names, range(len(self.names)), strict=True))
        self.everything = (1 << len(self.names)) - 1
        self._sets.move(move, self.nodes)
        self._left.clear()
        self._on_slots(move)


def _put(columns: Columns, slots: Mapping[str, int], names: Iterable[str], amounts: Amounts) -> None:
    present = [name for name in names if name in slots]
    columns.put([slots[name] for name in present], [amounts(name) for name in present])


def _key(name: str) -> tuple[int, str]:
    return crc32(name.encode()), name

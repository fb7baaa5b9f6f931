"""The nodes of a ledger in slots, so that sets of them are integers: who suits whom, and what is free.

Slots follow a hash of the names: an order that looks random, so that neighbours in it are seldom neighbours in a rack,
and is the same for the same nodes, however they came. What cannot change within a cycle (labels, taints, availability)
is kept as one set of nodes for each value; amounts are kept in columns. Both follow the changes of the ledger: a change
costs what it touches, not the size of the cluster. `fast` False makes everything anew for each cycle, in plain Python,
for tests to compare with.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from zlib import crc32

from tender.allocation.columns import Columns, NumpyColumns, PlainColumns
from tender.allocation.model import Framework, Node, Reason, Taint
from tender.allocation.shares import positive
from tender.allocation.slots import each_from, joined, with_slot, without_slot
from tender.allocation.suitability import Wants, wants_of
from tender.api.quantities import Resources

T = TypeVar("T")

_MOST_MOVES = 16
"""From so many nodes that came or went at once, the table is made anew rather than mended."""

Obstacle = tuple[Reason, str, int]
"""A reason in the way whatever is free, in words, and the nodes that it concerns."""


@dataclass(frozen=True, slots=True)
class Suit:
    """The nodes that suit somebody, and what is the matter with the others; no node counts twice."""

    nodes: int
    obstacles: tuple[Obstacle, ...]


Amounts = Callable[[str], Resources]
"""What a node has of something, by its name."""


class NodeTable:
    """Slots of nodes. The ledger tells of changes as they come; `refresh` takes them in when a cycle begins.

    `free` is what nobody holds, `open` the part of it that is not reserved either, as `unreserved` gives it for a name.
    `on_amounts` is told which nodes
    have another amount open, `on_slots` how slots moved: the function that says where an older set of nodes is now, or
    None when the table was made anew.
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
        self._unavailable: dict[str, int] = {}
        self._tainted: dict[tuple[Taint, ...], int] = {}
        self._labelled: dict[tuple[str, str], int] = {}
        self._having: dict[str, int] = {}
        self._indexes: tuple[dict[Any, int], ...] = (self._unavailable, self._tainted, self._labelled, self._having)
        self._suits: dict[object, Suit] = {}
        self._wants_of: dict[str, tuple[Framework, frozenset[str], Wants]] = {}

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
                    self._replace(self.slots[name], nodes[name], anew=name in self._moved)
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
        suit = self._suits.get(wants.key)
        if suit is None:
            suit = self._suits[wants.key] = self._find(wants)
        return suit

    def suit_of(self, framework: Framework, scarce: frozenset[str]) -> Suit:
        """The nodes that a framework can use, whatever its demand."""
        known = self._wants_of.get(framework.name)
        if known is None or known[0] is not framework or known[1] != scarce:
            known = self._wants_of[framework.name] = (framework, scarce, wants_of(framework, scarce))
        return self.suit(known[2])

    def having(self, resource: str) -> int:
        """The nodes that have a resource, used or not."""
        known = self._having.get(resource)
        if known is None:
            known = self._having[resource] = self._which(lambda node: node.allocatable.get(resource, 0) > 0)
        return known

    def available(self) -> int:
        """The nodes that something new may start on."""
        nodes = self.everything
        for concerned in self._unavailable.values():
            nodes &= ~concerned
        return nodes

    def set_of(self, names: Iterable[str]) -> int:
        """These nodes as a set; names of nodes that are not there are left out."""
        nodes = 0
        for name in names:
            slot = self.slots.get(name)
            if slot is not None:
                nodes |= 1 << slot
        return nodes

    def _find(self, wants: Wants) -> Suit:
        left = self.everything
        obstacles: list[Obstacle] = []

        def rule_out(reason: Reason, message: str, nodes: int) -> None:
            nonlocal left
            if concerned := nodes & left:
                left ^= concerned
                obstacles.append((reason, message, concerned))

        for message, nodes in _by_first(self._unavailable):
            rule_out(Reason.UNAVAILABLE, f"{message}; offered again when new pods may start there", nodes)
        for label, value in wants.node_selector.items():
            message = f"label {label}={value} is missing; label the node so or ask for another"
            rule_out(Reason.UNSUITABLE, message, self.everything & ~self._labels(label, value))
        for taints, nodes in _by_first(self._tainted):
            if (taint := wants.taint_in_the_way(taints)) is not None:
                rule_out(Reason.TAINTED, f"{taint}; add a toleration or take the taint off", nodes)
        for resource in sorted(wants.unasked):
            message = f"the node has {resource}, which is not asked for; name it in spec.capabilities to use it anyway"
            rule_out(Reason.UNSUITABLE, message, self.having(resource))
        return Suit(left, tuple(obstacles))

    def _labels(self, label: str, value: str) -> int:
        known = self._labelled.get((label, value))
        if known is None:
            known = self._labelled[label, value] = self._which(lambda node: node.labels.get(label) == value)
        return known

    def _which(self, test: Callable[[Node], bool]) -> int:
        return sum(1 << slot for slot, node in enumerate(self.nodes) if test(node))

    def _make(self, nodes: Mapping[str, Node], free: Amounts, unused: Amounts) -> None:
        self._keys = sorted(_key(name) for name in nodes)
        self.names = [name for _, name in self._keys]
        self.slots = {name: slot for slot, name in enumerate(self.names)}
        self.nodes = [nodes[name] for name in self.names]
        self.everything = (1 << len(self.names)) - 1
        self.free = self._columns(free(name) for name in self.names)
        self._reserved = self._columns(unused(name) for name in self.names)
        self.open = self.free.without(self._reserved)
        self._suits.clear()
        for index in self._indexes:
            index.clear()
        unavailable: dict[str, list[int]] = {}
        tainted: dict[tuple[Taint, ...], list[int]] = {}
        for slot, node in enumerate(self.nodes):
            if node.unavailable:
                unavailable.setdefault(node.unavailable, []).append(slot)
            if node.taints:
                tainted.setdefault(node.taints, []).append(slot)
        self._unavailable.update({words: joined(slots) for words, slots in unavailable.items()})
        self._tainted.update({taints: joined(slots) for taints, slots in tainted.items()})
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
        for index in self._indexes:
            for value, nodes in index.items():
                index[value] = move(nodes)
        self._suits.clear()
        self._left.clear()
        self._on_slots(move)

    def _replace(self, slot: int, node: Node, *, anew: bool) -> None:
        """A node is another one now, of another kind or only of another size."""
        before = self.nodes[slot]
        self.nodes[slot] = node
        if anew or _kind(before) != _kind(node):
            self._index(slot, node)
            self._suits.clear()

    def _index(self, slot: int, node: Node) -> None:
        """Put a node into the sets that it belongs to, and out of the others."""
        if node.unavailable:
            self._unavailable.setdefault(node.unavailable, 0)
        if node.taints:
            self._tainted.setdefault(node.taints, 0)
        bit = 1 << slot
        _keep(self._unavailable, bit, lambda words: words == node.unavailable)
        _keep(self._tainted, bit, lambda taints: taints == node.taints)
        _keep(self._labelled, bit, lambda label: node.labels.get(label[0]) == label[1])
        _keep(self._having, bit, lambda resource: node.allocatable.get(resource, 0) > 0)
        for index in self._indexes[:2]:
            for value in [value for value, nodes in index.items() if not nodes]:
                del index[value]


def _put(columns: Columns, slots: Mapping[str, int], names: Iterable[str], amounts: Amounts) -> None:
    present = [name for name in names if name in slots]
    columns.put([slots[name] for name in present], [amounts(name) for name in present])


def _kind(node: Node) -> object:
    """All of a node that decides whom it suits."""
    return node.labels, node.taints, node.unavailable, {name for name, most in node.allocatable.items() if most > 0}


def _keep(index: dict[Any, int], bit: int, belongs: Callable[[Any], bool]) -> None:
    for value, nodes in index.items():
        index[value] = nodes | bit if belongs(value) else nodes & ~bit


def _by_first(index: dict[T, int]) -> list[tuple[T, int]]:
    """The sets in the order of their first nodes, which does not depend on the order in which the nodes came."""
    return sorted(index.items(), key=lambda item: item[1] & -item[1])


def _key(name: str) -> tuple[int, str]:
    return crc32(name.encode()), name

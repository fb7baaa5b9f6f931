"""Sets of nodes by what they are (labels, taints, availability, resources), and so whom they suit.

What a node is changes seldom: there is one set for each value that anybody has asked for, kept up as nodes change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tender.allocation.model import Framework, Node, Reason, Taint
from tender.allocation.slots import joined
from tender.allocation.suitability import Wants, wants_of

T = TypeVar("T")

Obstacle = tuple[Reason, str, int]
"""A reason in the way whatever is free, in words, and the nodes that it concerns."""


@dataclass(frozen=True, slots=True)
class Suit:
    """The nodes that suit somebody, and what is the matter with the others; no node counts twice."""

    nodes: int
    obstacles: tuple[Obstacle, ...]


class NodeSets:
    """Sets of the nodes in slots."""

    def __init__(self) -> None:
        self._nodes: Sequence[Node] = ()
        self._everything = 0
        self._unavailable: dict[str, int] = {}
        self._tainted: dict[tuple[Taint, ...], int] = {}
        self._labelled: dict[tuple[str, str], int] = {}
        self._having: dict[str, int] = {}
        self._indexes: tuple[dict[Any, int], ...] = (self._unavailable, self._tainted, self._labelled, self._having)
        self._suits: dict[object, Suit] = {}
        self._wants_of: dict[str, tuple[Framework, frozenset[str], Wants]] = {}

    def make(self, nodes: Sequence[Node]) -> None:
        """These are the nodes from now on, by slot; the list is looked at later too."""
        self._nodes = nodes
        self._everything = (1 << len(nodes)) - 1
        self._suits.clear()
        for index in self._indexes:
            index.clear()
        unavailable: dict[str, list[int]] = {}
        tainted: dict[tuple[Taint, ...], list[int]] = {}
        for slot, node in enumerate(nodes):
            if node.unavailable:
                unavailable.setdefault(node.unavailable, []).append(slot)
            if node.taints:
                tainted.setdefault(node.taints, []).append(slot)
        self._unavailable.update({words: joined(slots) for words, slots in unavailable.items()})
        self._tainted.update({taints: joined(slots) for taints, slots in tainted.items()})

    def move(self, move: Callable[[int], int], nodes: Sequence[Node]) -> None:
        """A node came or went: this is how slots moved, and what nodes there are now."""
        self._nodes = nodes
        self._everything = (1 << len(nodes)) - 1
        self._suits.clear()
        for index in self._indexes:
            for value, concerned in index.items():
                index[value] = move(concerned)

    def replace(self, slot: int, before: Node | None, node: Node) -> None:
        """The node of a slot is another one now; None: it is new."""
        if before is None or _kind(before) != _kind(node):
            self._index(slot, node)
            self._suits.clear()

    def forget(self, framework: str) -> None:
        """A framework is gone."""
        self._wants_of.pop(framework, None)

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
        nodes = self._everything
        for concerned in self._unavailable.values():
            nodes &= ~concerned
        return nodes

    def _find(self, wants: Wants) -> Suit:
        left = self._everything
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
            rule_out(Reason.UNSUITABLE, message, self._everything & ~self._labels(label, value))
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
        return joined(slot for slot, node in enumerate(self._nodes) if test(node))

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


def _kind(node: Node) -> object:
    """All of a node that decides whom it suits."""
    return node.labels, node.taints, node.unavailable, {name for name, most in node.allocatable.items() if most > 0}


def _keep(index: dict[Any, int], bit: int, belongs: Callable[[Any], bool]) -> None:
    for value, nodes in index.items():
        index[value] = nodes | bit if belongs(value) else nodes & ~bit


def _by_first(index: dict[T, int]) -> list[tuple[T, int]]:
    """The sets in the order of their first nodes, which does not depend on the order in which the nodes came."""
    return sorted(index.items(), key=lambda item: item[1] & -item[1])

"""Filters: what frameworks have refused, on which nodes, and until when.

A refusal blocks only offers that are contained in what was refused, on that node; a larger one passes. It counts for
the framework in all of its roles: a node that does not suit it suits it no better at another's expense.

Of every framework two sets of nodes are kept: where it refuses anything, and where what is open now is no more than it
has refused. They follow the refusals, the amounts and the slots of the nodes, so that a cycle need not look at refusals
that stand as before: a new one is looked at when it comes.
"""

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import count

from tender.allocation.model import Refusal
from tender.allocation.slots import joined, lowest
from tender.api.quantities import Resources

Place = Callable[[str], tuple[int, Resources] | None]
"""The slot of a node and what was left there in the last cycle, for everybody; None if nobody looked."""


def _unknown(_: str) -> None:
    """Nothing is known of a node's place."""


class Filters:
    """All refusals, by framework and node."""

    def __init__(self, *, fast: bool = True) -> None:
        self._fast = fast
        self._all: dict[Hashable, Refusal] = {}
        self._by_framework: dict[str, _Refusals] = {}

    def put(self, key: Hashable, refusal: Refusal, place: Place = _unknown) -> None:
        """Set the refusal of this key."""
        self.remove(key, place)
        self._all[key] = refusal
        self._by_framework.setdefault(refusal.framework, _Refusals()).put(refusal, place)

    def remove(self, key: Hashable, place: Place = _unknown) -> None:
        """End the refusal of this key."""
        refusal = self._all.pop(key, None)
        if refusal is not None and refusal.framework in self._by_framework:
            self._by_framework[refusal.framework].remove(refusal, place)

    def clear_framework(self, framework: str) -> None:
        """End all refusals of a framework."""
        self._by_framework.pop(framework, None)

    def clear_node(self, node: str) -> None:
        """End all refusals on a node."""
        for refusals in self._by_framework.values():
            refusals.clear(node)

    def on(self, framework: str, node: str, now: float) -> list[Resources]:
        """What a framework refuses on a node at this time."""
        refusals = self._by_framework.get(framework)
        return refusals.on(node, now) if refusals is not None else []

    def standing(self, framework: str, now: float) -> dict[str, list[Resources]]:
        """What a framework refuses at this time, by node."""
        refusals = self._by_framework.get(framework)
        return refusals.standing(now) if refusals is not None else {}

    def ends(self, framework: str, node: str, now: float) -> list[float]:
        """When what a framework refuses on a node at this time ends."""
        refusals = self._by_framework.get(framework)
        return refusals.ends(node, now) if refusals is not None else []

    def amounts_changed(self, nodes: int) -> None:
        """Another amount is open on these nodes."""
        for refusals in self._by_framework.values():
            refusals.doubt(nodes)

    def slots_changed(self, move: Callable[[int], int] | None) -> None:
        """The nodes have other slots."""
        for refusals in self._by_framework.values():
            refusals.move(move)

    def sets(
        self, framework: str, now: float, slots: Mapping[str, int], names: list[str], left: Callable[[int], Resources]
    ) -> tuple[int, int]:
        """The nodes where a framework refuses anything, and those where it refuses all that is left there now."""
        refusals = self._by_framework.get(framework)
        if refusals is None:
            return 0, 0
        if not self._fast:
            refusals.move(None)
        return refusals.sets(now, slots, names, left)


class _Refusals:
    """The refusals of one framework. Sets of nodes are right but for those in doubt."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Refusal, ...]] = {}
        self._ends: list[tuple[float, int, Refusal]] = []
        self._number = count()
        self._refused = 0
        self._blocked = 0
        self._unsure: dict[str, None] = {}
        self._doubted = 0
        self._seen = -math.inf
        self._lost = False

    def put(self, refusal: Refusal, place: Place) -> None:
        places, unsure = self._places, self._unsure
        alone = (refusal,)
        refused: list[int] = []
        blocked: list[int] = []
        for node, amounts in refusal.nodes.items():
            before = places.get(node)
            places[node] = alone if before is None else (*before, refusal)
            known = place(node) if before is None and node not in unsure else None
            if known is None:
                unsure[node] = None
                continue
            slot, left = known
            refused.append(slot)
            if is_refused(left, (amounts,)):
                blocked.append(slot)
        self._refused |= joined(refused)
        self._blocked |= joined(blocked)
        heapq.heappush(self._ends, (refusal.until, next(self._number), refusal))

    def remove(self, refusal: Refusal, place: Place) -> None:
        ended: list[int] = []
        for node in refusal.nodes:
            left = tuple(one for one in self._places.pop(node, ()) if one is not refusal)
            known = None if left or node in self._unsure else place(node)
            if left:
                self._places[node] = left
            if known is None:
                self._unsure[node] = None
            else:
                ended.append(known[0])
        standing = ~joined(ended)
        self._refused &= standing
        self._blocked &= standing
        if len(self._ends) > 2 * len(self._places) + 16:
            self._list_ends()

    def clear(self, node: str) -> None:
        if self._places.pop(node, None) is not None:
            self._unsure[node] = None

    def on(self, node: str, now: float) -> list[Resources]:
        return [one.nodes[node] for one in self._places.get(node, ()) if one.until > now]

    def ends(self, node: str, now: float) -> list[float]:
        return [one.until for one in self._places.get(node, ()) if one.until > now]

    def standing(self, now: float) -> dict[str, list[Resources]]:
        return {node: refused for node in self._places if (refused := self.on(node, now))}

    def doubt(self, nodes: int) -> None:
        self._doubted |= nodes & self._refused

    def move(self, move: Callable[[int], int] | None) -> None:
        if move is None:
            self._lost = True
        else:
            self._refused, self._blocked, self._doubted = map(move, (self._refused, self._blocked, self._doubted))

    def sets(
        self, now: float, slots: Mapping[str, int], names: list[str], left: Callable[[int], Resources]
    ) -> tuple[int, int]:
        if self._lost or now < self._seen:
            self._lost = False
            self._refused = self._blocked = self._doubted = 0
            self._unsure = dict.fromkeys(self._places)
            self._list_ends()
        self._seen = now
        while self._ends and self._ends[0][0] <= now:
            self._unsure.update(dict.fromkeys(heapq.heappop(self._ends)[2].nodes))
        if self._doubted:
            self._look_again(now, names, left)
        if self._unsure:
            self._settle(now, slots, left)
        return self._refused, self._blocked

    def _look_again(self, now: float, names: list[str], left: Callable[[int], Resources]) -> None:
        """Another amount is open on the nodes in doubt, which the same is refused on."""
        rest = self._doubted
        blocked = self._blocked & ~rest
        while rest:
            slot = lowest(rest)
            bit = 1 << slot
            rest ^= bit
            if is_refused(left(slot), self.on(names[slot], now)):
                blocked |= bit
        self._blocked = blocked
        self._doubted = 0

    def _settle(self, now: float, slots: Mapping[str, int], left: Callable[[int], Resources]) -> None:
        checked: list[int] = []
        refused: list[int] = []
        blocked: list[int] = []
        elsewhere = []
        places = self._places
        for node in self._unsure:
            slot = slots.get(node)
            refusals = places.get(node, ())
            if slot is None:
                if refusals:
                    elsewhere.append(node)
                continue
            checked.append(slot)
            standing = [one.nodes[node] for one in refusals if one.until > now]
            if standing:
                refused.append(slot)
                if is_refused(left(slot), standing):
                    blocked.append(slot)
        settled = ~joined(checked)
        self._refused = self._refused & settled | joined(refused)
        self._blocked = self._blocked & settled | joined(blocked)
        self._unsure = dict.fromkeys(elsewhere)

    def _list_ends(self) -> None:
        standing = {id(one): one for refusals in self._places.values() for one in refusals}
        self._ends = [(one.until, next(self._number), one) for one in standing.values()]
        heapq.heapify(self._ends)


def is_refused(offer: Resources, refusals: Iterable[Resources]) -> bool:
    """Whether an offer is contained in something refused. The number of pods is left out: nobody refuses that."""
    for refused in refusals:
        if offer == refused:
            return True
        for resource, amount in offer.items():
            if amount > refused.get(resource, 0) and resource != "pods":
                break
        else:
            return True
    return False

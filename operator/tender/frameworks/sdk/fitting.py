"""Which of the slices with room a task goes to: the one that is left with least, or the one where fewest others are.

Best fit by what remains: of each resource the part of all that is on offer, and of those the largest, then the second
largest. Small pieces are used up so, and large ones stay whole for whoever needs them. Where constraints spread tasks,
they decide first.
"""

import heapq
from collections.abc import Sequence

from tender.api.quantities import Resources
from tender.frameworks.sdk.launching import needs_of
from tender.frameworks.sdk.wants import Piece, Want

_Place = tuple[list[float], str, int, Piece]
"""A slice, after what a task would leave of it, its node, and a number of its own."""


def fit(want: Want, pieces: Sequence[Piece], totals: Resources, *, own_only: bool) -> bool:
    """Claim slices for the missing tasks, as far as there is room, and say whether any was claimed.

    `totals` is all that is on offer. With `own_only` a slice gets no more of the tasks than it was made for.
    """
    if want.left <= 0:
        return False
    places = sorted(
        (_rest(want, piece, totals), piece.node, number, piece)
        for number, piece in enumerate(pieces)
        if want.room(piece) > 0 and want.forbidden(piece) is None
    )
    return (_spread if want.spreads else _pack)(want, places, own_only)


def _pack(want: Want, places: list[_Place], own_only: bool) -> bool:
    """Fill slice after slice: a task leaves less of its slice, so the next one fits there best again."""
    before = want.left
    for *_, piece in places:
        count = _room(want, piece, own_only)
        if count > 0:
            want.take(piece, count)
    return want.left < before


def _spread(want: Want, places: list[_Place], own_only: bool) -> bool:
    """Task by task, each to the slice that constraints prefer, of those that they allow.

    Slices of which the constraints can tell no difference lie on one stack, the best fit on top. What is forbidden may
    be allowed after other tasks were placed, so all stacks are looked at again until nothing comes of it.
    """
    stacks: dict[tuple[str, ...], list[_Place]] = {}
    for place in reversed(places):
        stacks.setdefault(want.values(place[1]), []).append(place)
    room: list[dict[str, int]] = [{} for _ in want.spreads]
    for values, stack in stacks.items():
        for known, value in zip(room, values, strict=True):
            known[value] = known.get(value, 0) + sum(want.room(piece) for *_, piece in stack)
    before = want.left
    progress = True
    while progress and want.left > 0:
        progress = False
        heap = [(_preference(want, values, room), stack[-1][:3], values) for values, stack in stacks.items() if stack]
        heapq.heapify(heap)
        while heap and want.left > 0:
            preference, _, values = heapq.heappop(heap)
            stack = stacks[values]
            while stack and _room(want, stack[-1][3], own_only) <= 0:
                stack.pop()
            now = _preference(want, values, room)
            if not stack or (now == preference and want.crowded(values) is not None):
                continue
            if now == preference:
                want.take(stack[-1][3], 1)
                progress = True
            heapq.heappush(heap, (_preference(want, values, room), stack[-1][:3], values))
    return want.left < before


def _room(want: Want, piece: Piece, own_only: bool) -> int:
    room, task = want.room(piece), want.shape.name
    return min(room, piece.made_for.get(task, 0) - piece.tasks.get(task, 0)) if own_only else room


def _preference(want: Want, values: tuple[str, ...], room: Sequence[dict[str, int]]) -> tuple[int, ...]:
    spreads = zip(want.spreads, values, room, strict=True)
    return tuple(spread.preference(value, known) for spread, value, known in spreads)


def _rest(want: Want, piece: Piece, totals: Resources) -> list[float]:
    """The parts of all that is on offer, by resource, that a task would leave of a slice, the largest first."""
    needs = needs_of(want.shape.requests, piece.amounts)
    parts = [
        (amount - needs.get(resource, 0)) / totals[resource]
        for resource, amount in piece.free.items()
        if resource != "pods" and totals[resource] > 0
    ]
    parts.sort(reverse=True)
    return parts

"""Which offers a framework claims for which of its tasks, which it refuses, and why.

The master makes a slice for tasks of a demand and says so in it, but a slice is only resources: any shape that fits
is claimed, the shape that the slice was made for first. What is claimed is written with the number of tasks of each
shape, so that the launches can be finished by whoever reads the claim after a crash.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tender.api.offer import ResourceOffer
from tender.api.quantities import format_resources
from tender.frameworks.sdk.fitting import fit
from tender.frameworks.sdk.funnel import Obstacle, Refusal
from tender.frameworks.sdk.model import Answer, Claim, Decline, Shape
from tender.frameworks.sdk.wants import Piece, Present, Surroundings, Want

REFUSE_UNUSABLE_SECONDS = 120
"""How long an offer of which nothing fits is refused, while tasks are waiting."""
REFUSE_FOR_NOW_SECONDS = 5
"""How long it is refused where the framework's own tasks are in the way: what becomes of them ends no refusal."""
REFUSE_IDLE_SECONDS = 5
"""How long an offer is refused when nothing is waiting: short, as the demand says already what is wanted."""

_NOTHING_ELSE = Surroundings()


@dataclass(frozen=True, slots=True)
class Matched:
    """An answer to every open offer, and the nodes whose last offers were of no use to the tasks that wait."""

    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]


def match(
    shapes: Iterable[Shape],
    missing: Mapping[str, int],
    offers: Iterable[ResourceOffer],
    hold_seconds: int,
    placed: Mapping[tuple[str, str], int],
    around: Surroundings = _NOTHING_ELSE,
    answered: Iterable[ResourceOffer] = (),
) -> Matched:
    """Answer the open offers.

    `missing` counts the tasks still to be launched, by shape; `hold_seconds` > 0 refuses everything for so long;
    `placed` counts the tasks that there are, by shape and node. `answered` are offers that were claimed or declined
    before: they say which nodes were refused, as long as nothing newer is known of these.
    """
    shapes, offers = tuple(shapes), tuple(offers)
    present = Present(shapes, placed, around)
    wants = [Want(shape, missing.get(shape.name, 0), present) for shape in shapes if missing.get(shape.name, 0) > 0]
    pieces = {offer.metadata.name: [Piece(offer, index) for index in range(len(offer.spec.slices))] for offer in offers}
    if hold_seconds > 0:
        answers: list[Answer] = [Decline(name, hold_seconds, "launches are put off after failures") for name in pieces]
        return Matched(tuple(answers), _refusals(_kinds(_waiting(wants)), [], answered))
    every = [piece for own in pieces.values() for piece in own]
    _claim(wants, every)
    waiting = _waiting(wants)
    kinds, names = _kinds(waiting), {want.shape.name for want in waiting}
    by_name = {shape.name: shape for shape in shapes}
    return Matched(
        tuple(_answer(offer, own, by_name, names, kinds) for offer, own in pieces.items()),
        _refusals(kinds, every, answered),
    )


def _claim(wants: Sequence[Want], pieces: Sequence[Piece]) -> None:
    """Give every slice to the tasks that it was made for, and what is left to whatever fits."""
    totals: dict[str, int] = {}
    made_for: dict[str, list[Piece]] = {}
    for piece in pieces:
        for resource, amount in piece.amounts.items():
            totals[resource] = totals.get(resource, 0) + amount
        for task in piece.made_for:
            made_for.setdefault(task, []).append(piece)
    for want in wants:
        fit(want, made_for.get(want.shape.name, ()), totals, own_only=True)
    again = True
    while again:
        claimed = False
        unfit: set[tuple[str, ...]] = set()
        for want in _waiting(wants):
            if want.kind not in unfit:
                claimed |= fit(want, pieces, totals, own_only=False)
            if want.left > 0:
                unfit.add(want.kind)
        # Tasks of one shape may make room for those of another that spreads over the same values.
        again = claimed and any(want.spreads for want in _waiting(wants))


def _waiting(wants: Iterable[Want]) -> list[Want]:
    return [want for want in wants if want.left > 0]


def _answer(
    offer: str, pieces: Sequence[Piece], shapes: Mapping[str, Shape], waiting: set[str], kinds: Sequence[Want]
) -> Answer:
    claims = tuple(_claim_of(piece, shapes) for piece in pieces if piece.tasks)
    if claims:
        return Claim(offer, claims)
    if not waiting:
        return Decline(offer, REFUSE_IDLE_SECONDS, "no task is waiting")
    made_for = {task for piece in pieces for task in piece.made_for}
    if made_for and not made_for & waiting:
        # It says nothing of the tasks that are waiting.
        return Decline(offer, REFUSE_IDLE_SECONDS, "the tasks that it was made for are not waiting any more")
    obstacles = (want.obstacle(piece) for piece in pieces for want in kinds)
    passing = next((one.message for one in obstacles if one is not None and one.passing), None)
    if passing is not None:
        return Decline(offer, REFUSE_FOR_NOW_SECONDS, f"no waiting task fits now: {passing}"[:1024])
    return Decline(offer, REFUSE_UNUSABLE_SECONDS, "no waiting task fits")


def _claim_of(piece: Piece, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    claimed = {
        resource: amount - piece.free[resource]
        for resource, amount in piece.amounts.items()
        if amount > piece.free[resource]
    }
    # In the order of the shapes' requests.
    order = [resource for task in piece.tasks for resource in shapes[task].requests if resource in claimed]
    resources = {resource: claimed[resource] for resource in order}
    return {"slice": piece.index, "resources": format_resources(resources), "tasks": dict(piece.tasks)}


def _refusals(kinds: Sequence[Want], pieces: Iterable[Piece], answered: Iterable[ResourceOffer]) -> tuple[Refusal, ...]:
    """What is in the way on nodes whose last offers were of no use: of several tasks, to the one that came nearest."""
    if not kinds:
        return ()
    last: dict[str, tuple[float | None, list[Piece]]] = {}
    for offer in sorted(answered, key=lambda one: (_answered_at(one), one.metadata.name)):
        claimed = {claim.slice for claim in offer.status.claims}
        for index, one in enumerate(offer.spec.slices):
            if index in claimed:
                last.pop(one.node, None)
            else:
                last[one.node] = _answered_at(offer), [Piece(offer, index)]
    offered: dict[str, list[Piece]] = {}
    for piece in pieces:
        offered.setdefault(piece.node, []).append(piece)
    for node, own in offered.items():
        last[node] = None, own
    refusals = []
    for node, (at, own) in sorted(last.items()):
        if any(piece.tasks for piece in own):
            continue
        nearest = _nearest(kinds, own)
        if nearest is not None:
            refusals.append(Refusal(node, nearest[0].shape.name, nearest[1], at))
    return tuple(refusals)


def _nearest(kinds: Sequence[Want], pieces: Sequence[Piece]) -> tuple[Want, Obstacle] | None:
    """The task that gets farthest on the slices of a node, and what is in its way; None if nothing is."""
    nearest: tuple[Want, Obstacle] | None = None
    for piece in pieces:
        for want in kinds:
            obstacle = want.obstacle(piece)
            if obstacle is None:
                return None
            if nearest is None or obstacle.depth > nearest[1].depth:
                nearest = want, obstacle
    return nearest


def _kinds(waiting: Iterable[Want]) -> list[Want]:
    """One of all shapes that differ in nothing which an offer is looked at for."""
    return list({want.kind: want for want in reversed(list(waiting))}.values())[::-1]


def _answered_at(offer: ResourceOffer) -> float:
    answered = offer.status.answered_at
    return 0.0 if answered is None else answered.timestamp()

"""Which offers a framework claims for which of its tasks, and which it refuses.

The master makes a slice for tasks of a demand and says so in it, but a slice is only resources: any shape that fits
is claimed, the shape that the slice was made for first. What is claimed is written with the number of tasks of each
shape, so that the launches can be finished by whoever reads the claim after a crash.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tender.api.offer import ResourceOffer, Slice
from tender.api.quantities import format_resources
from tender.frameworks.sdk.model import Answer, Claim, Decline, Shape

REFUSE_UNUSABLE_SECONDS = 120
"""How long an offer of which nothing fits is refused, while tasks are waiting."""
REFUSE_IDLE_SECONDS = 5
"""How long an offer is refused when nothing is waiting: short, as the demand says already what is wanted."""


def match(
    shapes: Iterable[Shape], missing: Mapping[str, int], offers: Iterable[ResourceOffer], hold_seconds: int
) -> tuple[Answer, ...]:
    """An answer to every offer.

    `missing` counts the tasks still to be launched, by shape; `hold_seconds` > 0 refuses everything for so long.
    """
    shapes = tuple(shapes)
    left = dict(missing)
    answers: list[Answer] = []
    for offer in offers:
        name = offer.metadata.name
        if hold_seconds > 0:
            answers.append(Decline(name, hold_seconds, "launches are put off after failures"))
            continue
        waiting = any(count > 0 for count in left.values())
        claims = tuple(
            claim
            for index, one in enumerate(offer.spec.slices)
            if (claim := _claim(index, one, shapes, left)) is not None
        )
        if claims:
            answers.append(Claim(name, claims))
        elif waiting:
            answers.append(Decline(name, REFUSE_UNUSABLE_SECONDS, "no waiting task fits"))
        else:
            answers.append(Decline(name, REFUSE_IDLE_SECONDS, "no task is waiting"))
    return tuple(answers)


def _claim(index: int, one: Slice, shapes: tuple[Shape, ...], left: dict[str, int]) -> dict[str, Any] | None:
    free = dict(one.amounts)
    claimed: dict[str, int] = {}
    tasks: dict[str, int] = {}
    for shape in sorted(shapes, key=lambda shape: shape.name not in one.tasks):
        count = _how_many(shape, free, left.get(shape.name, 0))
        if count <= 0:
            continue
        left[shape.name] -= count
        tasks[shape.name] = count
        for resource, amount in shape.requests.items():
            free[resource] = free.get(resource, 0) - count * amount
            claimed[resource] = claimed.get(resource, 0) + count * amount
    if not tasks:
        return None
    return {"slice": index, "resources": format_resources(claimed), "tasks": tasks}


def _how_many(shape: Shape, free: Mapping[str, int], wanted: int) -> int:
    if shape.max_per_node is not None:
        wanted = min(wanted, shape.max_per_node)
    for resource, amount in shape.requests.items():
        if amount > 0:
            wanted = min(wanted, free.get(resource, 0) // amount)
    return wanted

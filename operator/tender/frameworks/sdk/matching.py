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
    shapes: Iterable[Shape],
    missing: Mapping[str, int],
    offers: Iterable[ResourceOffer],
    hold_seconds: int,
    placed: Mapping[tuple[str, str], int],
) -> tuple[Answer, ...]:
    """An answer to every offer.

    `missing` counts the tasks still to be launched, by shape; `hold_seconds` > 0 refuses everything for so long;
    `placed` counts the tasks that there are, by shape and node.
    """
    shapes = tuple(shapes)
    left = dict(missing)
    present = dict(placed)
    answers: list[Answer] = []
    for offer in offers:
        name = offer.metadata.name
        if hold_seconds > 0:
            answers.append(Decline(name, hold_seconds, "launches are put off after failures"))
            continue
        waiting = {task for task, count in left.items() if count > 0}
        claims = tuple(
            claim
            for index, one in enumerate(offer.spec.slices)
            if (claim := _claim(index, one, shapes, left, present)) is not None
        )
        if claims:
            answers.append(Claim(name, claims))
        elif not waiting:
            answers.append(Decline(name, REFUSE_IDLE_SECONDS, "no task is waiting"))
        elif _made_for_others(offer, waiting):
            answers.append(
                Decline(name, REFUSE_IDLE_SECONDS, "the tasks that it was made for are not waiting any more")
            )
        else:
            answers.append(Decline(name, REFUSE_UNUSABLE_SECONDS, "no waiting task fits"))
    return tuple(answers)


def _made_for_others(offer: ResourceOffer, waiting: set[str]) -> bool:
    """Whether the offer was made for tasks of which none is waiting now: it says nothing of those that are."""
    tasks = {task for one in offer.spec.slices for task in one.tasks}
    return bool(tasks) and not tasks & waiting


def _claim(
    index: int, one: Slice, shapes: tuple[Shape, ...], left: dict[str, int], present: dict[tuple[str, str], int]
) -> dict[str, Any] | None:
    free = dict(one.amounts)
    claimed: dict[str, int] = {}
    tasks: dict[str, int] = {}
    for shape in sorted(shapes, key=lambda shape: shape.name not in one.tasks):
        if shape.node_selector and shape.name not in one.tasks:
            continue  # only the master knows whether the node has the labels
        needs = _needs(shape, one)
        here = (shape.name, one.node)
        count = _room(needs, free, left.get(shape.name, 0))
        if shape.max_per_node is not None:
            count = min(count, shape.max_per_node - present.get(here, 0))
        if count <= 0 or not needs:
            continue
        left[shape.name] -= count
        present[here] = present.get(here, 0) + count
        tasks[shape.name] = count
        for resource, amount in needs.items():
            free[resource] -= count * amount
            claimed[resource] = claimed.get(resource, 0) + count * amount
    if not tasks:
        return None
    return {"slice": index, "resources": format_resources(claimed), "tasks": tasks}


def _needs(shape: Shape, one: Slice) -> dict[str, int]:
    """What one task takes of a slice. A slice that does not count pods has room for any number."""
    return {
        resource: amount
        for resource, amount in shape.requests.items()
        if amount > 0 and (resource != "pods" or resource in one.amounts)
    }


def _room(needs: Mapping[str, int], free: Mapping[str, int], wanted: int) -> int:
    """For how many of the wanted tasks there is room."""
    return min([wanted, *(free.get(resource, 0) // amount for resource, amount in needs.items())])

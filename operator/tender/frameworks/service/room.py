"""Whether the constraints of a service leave a node for one more pod, and what people are told where they do not.

This is not how nodes are chosen: matching does that, offer by offer, with the same rules. It says beforehand that no
offer could be of use, so that a change that waits for what cannot come is not silent about it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tender.api.core import Node
from tender.api.framework import Framework
from tender.api.placement import Constraint
from tender.frameworks.sdk.constraints import (
    COUNTING,
    Forbidden,
    Group,
    Spread,
    forbidden_by_itself,
    value_of,
)
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.suiting import is_open, unsuitable


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why no node can have one more pod, for people; `passing` if it would be possible once another pod has gone."""

    message: str
    passing: bool


def no_place(framework: Framework, shape: Shape, nodes: Mapping[str, Node]) -> NoPlace | None:
    """What the constraints have against every node; None if there may be a place.

    Where no node is known, or none suits for other reasons, that is for others to tell.
    """
    if not shape.constraints:
        return None
    selector = {**framework.spec.node_selector, **shape.node_selector}
    suiting = [
        name for name, node in nodes.items() if is_open(node) and unsuitable(node, selector, shape.tolerations) is None
    ]
    allowed = [name for name in suiting if _by_itself(shape.constraints, name, nodes) is None]
    group = Group(shape.peers, nodes)
    spreads = [
        Spread(
            one, group, frozenset(value for name in allowed if (value := value_of(one.key, name, nodes)) is not None)
        )
        for one in shape.constraints
        if one.operator in COUNTING
    ]
    example = ""
    for name in allowed:
        forbidden = _by_others(spreads, name, nodes)
        if forbidden is None:
            return None
        example = example or forbidden.message
    if example:
        return NoPlace(f"no place for one more pod on {_nodes(len(allowed))}, as by {example}", passing=True)
    if suiting:
        forbidden = _by_itself(shape.constraints, suiting[0], nodes)
        example = forbidden.message if forbidden is not None else ""
        return NoPlace(f"no place on {_nodes(len(suiting))}, as by {example}", passing=False)
    return None


def _by_itself(constraints: Iterable[Constraint], node: str, nodes: Mapping[str, Node]) -> Forbidden | None:
    found = (forbidden_by_itself(one, node, nodes) for one in constraints)
    return next((one for one in found if one is not None), None)


def _by_others(spreads: Iterable[Spread], node: str, nodes: Mapping[str, Node]) -> Forbidden | None:
    for spread in spreads:
        value = value_of(spread.constraint.key, node, nodes)
        forbidden = spread.forbidden(value) if value is not None else None
        if forbidden is not None:
            return forbidden
    return None


def _nodes(count: int) -> str:
    return "the only node that suits" if count == 1 else f"any of the {count} nodes that suit"

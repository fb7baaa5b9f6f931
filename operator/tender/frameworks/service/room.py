"""Whether the constraints of a service leave a node for one more pod, and what people are told where they do not.

This is not how nodes are chosen: matching does that, offer by offer. It says beforehand of `Unique` and `MaxPer` that
no offer could be of use, so that a change that waits for nothing is not silent about it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tender.api.core import Node, Taint
from tender.api.framework import Framework
from tender.api.placement import NODE_NAME, Constraint
from tender.frameworks.sdk.model import Shape


def full(framework: Framework, shape: Shape, nodes: Mapping[str, Node]) -> str | None:
    """Which constraint is in the way on every node that suits, for people; None if there may be a place.

    Where no node is known, or none suits, that is for others to tell.
    """
    if not shape.constraints:
        return None
    suiting = [node for node in nodes.values() if _suits(framework, shape, node)]
    if not suiting:
        return None
    for constraint in shape.constraints:
        most = _most(constraint)
        values = {value for node in suiting if (value := _value(constraint.key, node)) is not None}
        if most is None or not values:
            continue
        taken = Counter(_value(constraint.key, nodes[peer]) if peer in nodes else None for peer in shape.peers)
        if all(taken[value] >= most for value in values):
            return _sentence(constraint, most, len(values), len(suiting))
    return None


def _sentence(constraint: Constraint, most: int, values: int, nodes: int) -> str:
    each = "1 pod" if most == 1 else f"{most} pods"
    places = "1 node" if nodes == 1 else f"{nodes} nodes"
    if constraint.key != NODE_NAME:
        places = f"the {places} have {values} values of {constraint.key}, each of which"
    else:
        places = f"each of {places}"
    return f"constraint {constraint.operator} allows {each}, and {places} has that already"


def _most(constraint: Constraint) -> int | None:
    """How many pods one value may have; None where the constraint does not bound that."""
    if constraint.operator == "Unique":
        return 1
    if constraint.operator == "MaxPer" and (constraint.value or "").isdigit():
        return int(constraint.value or "")
    return None


def _value(key: str, node: Node) -> str | None:
    return node.metadata.name if key == NODE_NAME else node.metadata.labels.get(key)


def _suits(framework: Framework, shape: Shape, node: Node) -> bool:
    """Whether pods of the shape may be on the node at all, as far as the node itself goes."""
    wanted = {**framework.spec.node_selector, **shape.node_selector}
    labels = node.metadata.labels
    return (
        node.ready
        and not node.leaving
        and not node.spec.unschedulable
        and all(labels.get(key) == value for key, value in wanted.items())
        and all(_tolerated(taint, shape.tolerations) for taint in node.spec.taints)
    )


def _tolerated(taint: Taint, tolerations: Iterable[Mapping[str, Any]]) -> bool:
    return taint.effect == "PreferNoSchedule" or any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    key = toleration.get("key")
    if toleration.get("operator") == "Exists":
        return key in (None, "", taint.key)
    return key == taint.key and (toleration.get("value") or "") == taint.value

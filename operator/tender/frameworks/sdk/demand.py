"""What a framework tells the master of its shapes: a demand, narrowed by the constraints that the master can heed.

The master knows nothing of constraints. What of them can be said as a node selector or as a number of tasks for each
node is, so that fewer offers are made of nodes that would only be refused. It is never more than the constraint itself
demands: whatever an entry rules out, matching would refuse.
"""

import re
from collections.abc import Iterator
from typing import Any

from tender.api.meta import LONGEST_LABEL
from tender.api.placement import NODE_NAME, Constraint
from tender.api.quantities import format_resources
from tender.frameworks.sdk.constraints import is_number, mistakes
from tender.frameworks.sdk.model import Shape
from tender.frameworks.sdk.ports import ports_of_template

_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_MOST_SELECTORS = 32


def demand_entry(shape: Shape) -> dict[str, Any]:
    """The entry of `Framework.status.demand` for a shape."""
    asked = {name: amount + shape.spare.get(name, 0) for name, amount in shape.requests.items() if name != "pods"}
    entry: dict[str, Any] = {"name": shape.name, "count": shape.count, "requests": format_resources(asked)}
    selector = _selector(shape)
    if selector:
        entry["nodeSelector"] = selector
    if shape.tolerations:
        entry["tolerations"] = [dict(one) for one in shape.tolerations]
    most = min(_most_per_node(shape), default=None)
    if most is not None:
        entry["maxPerNode"] = most
    return entry


def _selector(shape: Shape) -> dict[str, str]:
    """The shape's selector, and the labels that constraints demand."""
    selector = dict(shape.node_selector)
    for one in shape.constraints:
        value = _only_value(one)
        if value is not None and one.key not in selector and len(selector) < _MOST_SELECTORS:
            selector[one.key] = value
    return selector


def _only_value(constraint: Constraint) -> str | None:
    """The one value that a label may have; None if there are several, such as numbers that are written differently."""
    value = constraint.value
    if constraint.key == NODE_NAME or value is None or len(value) > LONGEST_LABEL or not _LABEL_VALUE.fullmatch(value):
        return None
    if constraint.operator == "Cluster" or (constraint.operator == "Is" and not is_number(value)):
        return value
    return None


def _most_per_node(shape: Shape) -> Iterator[int]:
    """How many tasks one node may have, each by another rule: as many as may be on all nodes of its value, at most."""
    if shape.max_per_node is not None:
        yield shape.max_per_node
    if ports_of_template(shape.template["spec"]):
        yield 1
    for one in shape.constraints:
        if one.operator == "Unique":
            yield 1
        elif one.operator == "MaxPer" and one.value is not None and mistakes([one]) is None:
            yield int(one.value)

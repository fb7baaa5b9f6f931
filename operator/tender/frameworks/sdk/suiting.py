"""Which nodes suit a shape at all: by its node selector, their taints and whether anything new may start there.

The master offers only nodes that suit the demand which an offer was made for. This is for the others: a shape that is
to take a slice made for another one, and the values over which a constraint spreads tasks.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tender.api.core import Node, Taint

_KEEPS_OUT = frozenset({"NoSchedule", "NoExecute"})


def tolerations_of(template: Mapping[str, Any], more: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The tolerations of a pod: its template's, and those that are added."""
    return (*(template["spec"].get("tolerations") or ()), *more)


def unsuitable(
    node: Node, selector: Mapping[str, str], tolerations: Iterable[Mapping[str, Any]], name: str = "the node"
) -> str | None:
    """Why pods of this selector and these tolerations may not be on a node; None if they may."""
    labels = node.metadata.labels
    for key, value in selector.items():
        if labels.get(key) != value:
            return f"{name} does not have the label {key}={value}"
    for taint in node.spec.taints:
        if taint.effect in _KEEPS_OUT and not any(_tolerates(one, taint) for one in tolerations):
            return f"{name} has the taint {taint.key}:{taint.effect}, which is not tolerated"
    return None


def is_open(node: Node) -> bool:
    """Whether anything new may start on a node."""
    return node.ready and not node.spec.unschedulable and not node.leaving


def _tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    key = toleration.get("key")
    if toleration.get("operator") == "Exists":
        return not key or key == taint.key
    return bool(key == taint.key and (toleration.get("value") or "") == taint.value)

"""From a step's values as written to the model's: quantities to integers, mappings to nodes, roles and frameworks.

A value that makes no sense raises Refused, which says so in the field's own words.
"""

import math
from collections.abc import Mapping
from typing import Any

from tender.allocation.model import Demand, Framework, Node, Role, Taint, Toleration
from tender.api.durations import parse_duration
from tender.api.quantities import format_amount, parse_resources


class Refused(Exception):  # noqa: N818
    """A step is refused; the message says why and what to do."""


def read_amounts(quantities: Mapping[str, Any], where: str) -> dict[str, int]:
    """Amounts by resource name, none below zero."""
    try:
        amounts = parse_resources({str(name): str(quantity) for name, quantity in quantities.items()})
    except ValueError as error:
        raise Refused(f"{where}: {error}") from None
    for resource, amount in amounts.items():
        if amount < 0:
            raise Refused(f"{where}: {resource}: {format_amount(resource, amount)} is negative; write 0 or more")
    return amounts


def read_milliseconds(text: object, where: str) -> int:
    """A duration in whole milliseconds, so that no rounding moves the clock."""
    try:
        return round(parse_duration(str(text)) * 1000)
    except ValueError as error:
        negative = " (a duration must not be negative)" if str(text).startswith("-") else ""
        raise Refused(f"{where}: {error}{negative}") from None


def read_count(value: object, where: str) -> int:
    """A whole number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"{where}: expected a whole number, got {value!r}")
    if value < 0:
        raise Refused(f"{where}: {value} is negative; write 0 or more")
    return value


def read_node(value: Mapping[str, Any]) -> Node:
    """The node of a `node` step."""
    return Node(
        name=str(value["name"]),
        allocatable=read_amounts(value.get("allocatable", {}), "allocatable"),
        labels=_labels(value.get("labels", {})),
        taints=tuple(
            Taint(str(taint.get("key", "")), str(taint.get("value", "")), str(taint.get("effect", "NoSchedule")))
            for taint in value.get("taints", ())
        ),
        unavailable="the node is cordoned" if value.get("unschedulable") else "",
    )


def read_role(value: Mapping[str, Any]) -> Role:
    """The role of a `role` step."""
    name = str(value["name"])
    try:
        weight = float(value.get("weight", 1))
    except (TypeError, ValueError):
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise Refused(f"role {name}: weight: {value.get('weight')!r} is no number above zero")
    quota = value.get("quota", {})
    guarantee = read_amounts(quota.get("guarantee", {}), f"role {name}: quota.guarantee")
    limit = read_amounts(quota.get("limit", {}), f"role {name}: quota.limit")
    for resource, amount in guarantee.items():
        if resource in limit and amount > limit[resource]:
            raise Refused(
                f"role {name}: quota.guarantee: {format_amount(resource, amount)} {resource} is more than the limit of "
                f"{format_amount(resource, limit[resource])}; raise the limit or lower the guarantee"
            )
    parent = value.get("parent")
    return Role(name, None if parent is None else str(parent), weight, guarantee, limit)


def read_framework(value: Mapping[str, Any]) -> Framework:
    """The framework of a `framework` step, as if it were active and not suppressed."""
    name = str(value["name"])
    minimum = value.get("minimumOffer")
    demand = value.get("demand")
    entries = None if demand is None else tuple(_demand(entry, name) for entry in demand)
    if entries is not None and len({entry.name for entry in entries}) < len(entries):
        raise Refused(f"framework {name}: demand: two entries have the same name; give each its own")
    return Framework(
        name=name,
        role=str(value.get("role", "default")),
        demand=entries,
        minimum=(
            None if minimum is None else tuple(read_amounts(one, f"framework {name}: minimumOffer") for one in minimum)
        ),
        node_selector=_labels(value.get("nodeSelector", {})),
        tolerations=_tolerations(value.get("tolerations", ())),
        capabilities=frozenset(str(one) for one in value.get("capabilities", ())),
    )


def _demand(entry: Mapping[str, Any], framework: str) -> Demand:
    name = str(entry.get("name", "task"))
    where = f"framework {framework}: demand {name}"
    most = entry.get("maxPerNode")
    return Demand(
        name=name,
        requests=read_amounts(entry.get("requests", {}), f"{where}: requests"),
        count=read_count(entry.get("count", 1), f"{where}: count"),
        node_selector=_labels(entry.get("nodeSelector", {})),
        tolerations=_tolerations(entry.get("tolerations", ())),
        max_per_node=None if most is None else read_count(most, f"{where}: maxPerNode"),
    )


def _tolerations(values: Any) -> tuple[Toleration, ...]:
    return tuple(
        Toleration(
            key=str(one.get("key", "")),
            operator=str(one.get("operator", "Equal")),
            value=str(one.get("value", "")),
            effect=str(one.get("effect", "")),
        )
        for one in values
    )


def _labels(labels: Mapping[str, Any]) -> dict[str, str]:
    """Labels as text; YAML's true is the label "true"."""
    return {str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in labels.items()}

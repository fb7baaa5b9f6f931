"""Constraints: whether one more task of a group may go to a node, and why not.

The operators are Marathon's (`Constraints.scala`, docs/constraints.md of mesosphere/marathon). They count all tasks of
the group, whatever version they are of, and those that are claimed in the same turn. A node without the label suits
`Unlike` alone. Regular expressions are RE2's, since they come from tenants: what they take is linear in the text.

Where Marathon would wait for ever, it is read as follows: tasks on nodes that are gone count only by name; a value that
is given to `Cluster` decides, wherever tasks are; without one the value with most tasks does, so that a change from
another constraint can be rolled out; `GroupBy` compares with values that tasks can go to.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from tender.api.core import Node
from tender.api.placement import NODE_NAME, Constraint

COUNTING = frozenset({"Unique", "MaxPer", "GroupBy", "Cluster"})
"""The operators that look at where other tasks are."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,64}(\.[0-9]{1,64})?")
_COUNT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Why a task may not go to a node; `passing` if it may become possible by what other tasks of the group do."""

    message: str
    passing: bool = False


class Group:
    """The tasks of one group: how many are on nodes of which value. Grows as tasks are claimed in a turn."""

    def __init__(self, peers: Iterable[str], nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._on = Counter(peers)
        self._counts: dict[str, Counter[str]] = {}
        self.size = self._on.total()

    def join(self, peers: Iterable[str]) -> None:
        """Count the tasks that another shape of the group knows of: those that both know are the same."""
        self._on |= Counter(peers)
        self._counts.clear()
        self.size = self._on.total()

    def add(self, node: str, count: int = 1) -> None:
        """Count more tasks, which are about to be on a node."""
        self._on[node] += count
        self.size += count
        for key, counts in self._counts.items():
            value = value_of(key, node, self._nodes)
            if value is not None:
                counts[value] += count

    def counts(self, key: str) -> Counter[str]:
        """How many tasks are on nodes of each value; those on nodes without one are left out."""
        if key not in self._counts:
            counts = self._counts[key] = Counter()
            for node, count in self._on.items():
                value = value_of(key, node, self._nodes)
                if value is not None:
                    counts[value] += count
        return self._counts[key]


def value_of(key: str, node: str, nodes: Mapping[str, Node]) -> str | None:
    """What a node has for a constraint's key; None if nothing is known of it."""
    if key == NODE_NAME:
        return node
    known = nodes.get(node)
    return None if known is None else known.metadata.labels.get(key)


def mistakes(constraints: Iterable[Constraint]) -> str | None:
    """What is wrong with constraints that no node can meet, for the framework's status; None if nothing is."""
    for one in constraints:
        text = one.value
        if one.operator in ("Like", "Unlike"):
            problem = _expression(text or "")
            if isinstance(problem, str):
                return f"{_title(one)}: {problem}"
        if (one.operator == "MaxPer" or (one.operator == "GroupBy" and text is not None)) and _number(text) is None:
            return f"{_title(one)}: {text!r} is no number of 1 or more"
        if one.operator == "Is" and text is None:
            return f"{_title(one)}: a value is missing"
    return None


def forbidden_by_itself(constraint: Constraint, node: str, nodes: Mapping[str, Node]) -> Forbidden | None:
    """Why a node can not have a task, wherever others are."""
    value = value_of(constraint.key, node, nodes)
    wanted = constraint.value or ""
    title = _title(constraint)
    if (mistake := mistakes([constraint])) is not None:
        return Forbidden(mistake)
    if value is None:
        return None if constraint.operator == "Unlike" else Forbidden(f"{title}: the node does not have this label")
    met = True
    match constraint.operator:
        case "Is":
            met = _equal(value, wanted)
        case "Cluster":
            met = constraint.value is None or value == wanted
        case "Like":
            met = _matches(wanted, value)
        case "Unlike":
            met = not _matches(wanted, value)
    return None if met else Forbidden(f"{title}: the node has {value!r}")


class Spread:
    """A constraint that counts, applied to a group. `values` are those that tasks of a shape could go to at all."""

    def __init__(self, constraint: Constraint, group: Group, values: frozenset[str]) -> None:
        self.constraint = constraint
        self._group = group
        self._values = values
        self._least_at: tuple[int, tuple[int, str]] | None = None
        self._title = _title(constraint)

    @property
    def _counts(self) -> Counter[str]:
        return self._group.counts(self.constraint.key)

    def forbidden(self, value: str) -> Forbidden | None:
        """Why one more task may not go to the nodes of this value, as tasks are now."""
        counts = self._counts
        here = counts.get(value, 0)
        match self.constraint.operator:
            case "Unique" if here:
                return self._forbid(f"{value!r} has {_tasks(here)} already")
            case "MaxPer" if here >= (most := _number(self.constraint.value) or 0):
                return self._forbid(f"{value!r} has {_tasks(here)} already, of at most {most}")
            case "GroupBy" if here:
                return self._uneven(value, here)
            case "Cluster" if self.constraint.value is None and counts:
                most_on = min(counts, key=lambda one: (-counts[one], one))
                if value != most_on:
                    return self._forbid(f"tasks are on {most_on!r} ({counts[most_on]}), and this node has {value!r}")
        return None

    def preference(self, value: str, room: Mapping[str, int]) -> int:
        """What is less the better the value is for the next task; `room` has for how many there is room on each."""
        if self.constraint.operator == "GroupBy":
            return self._counts.get(value, 0)
        if self.constraint.operator == "Cluster":
            return -room.get(value, 0)
        return 0

    def _uneven(self, value: str, here: int) -> Forbidden | None:
        at_least = _number(self.constraint.value)
        used = +self._counts
        if at_least is not None and len(used) < at_least:
            return self._forbid(
                f"{value!r} has {_tasks(here)}, and of at least {at_least} values only {len(used)} have any"
            )
        least, other = self._least(at_least is not None)
        if here > least:
            return self._forbid(f"{value!r} has {_tasks(here)}, and {other!r} only {least}")
        return None

    def _least(self, only_used: bool) -> tuple[int, str]:
        """The fewest tasks on a value that they could go to, and which that is."""
        size = self._group.size
        if self._least_at is None or self._least_at[0] != size:
            counts = self._counts
            used = (+counts).keys()
            compared = (used & self._values if only_used else self._values) or used
            self._least_at = size, min((counts[one], one) for one in compared)
        return self._least_at[1]

    def _forbid(self, why: str) -> Forbidden:
        return Forbidden(f"{self._title}: {why}", passing=True)


def _title(constraint: Constraint) -> str:
    value = "" if constraint.value is None else f" {constraint.value}"
    return f"constraint {constraint.operator}{value} on {constraint.key}"


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _number(text: str | None) -> int | None:
    """The number that MaxPer and GroupBy are given; None if it is none."""
    return int(text) if text is not None and _COUNT.fullmatch(text) else None


def _equal(value: str, wanted: str) -> bool:
    """Whether two values are the same, as text or as numbers."""
    if value == wanted:
        return True
    return bool(_NUMBER.fullmatch(value) and _NUMBER.fullmatch(wanted)) and float(value) == float(wanted)


def is_number(text: str) -> bool:
    """Whether a value is compared as a number too."""
    return _NUMBER.fullmatch(text) is not None


def _matches(expression: str, value: str) -> bool:
    compiled = _expression(expression)
    return not isinstance(compiled, str) and compiled.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _expression(text: str) -> Any:
    """The compiled regular expression, or as text what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        problem = error.args[0] if error.args else error
        problem = problem.decode(errors="replace") if isinstance(problem, bytes) else str(problem)
        return f"{text!r} is no regular expression: {problem}"

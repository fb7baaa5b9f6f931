"""Conditions as values: set one, keep the time of its last change, and the triple that kstatus reads.

The triple is `Ready`, `Reconciling` and `Stalled` (sigs.k8s.io/cli-utils, kstatus), so that `kubectl wait`,
Helm and Argo CD understand when an object has settled. The clock is an argument.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from tender.api.meta import Condition

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
THROTTLED = "Throttled"
"""What the master says of a framework that asks too much of it; no part of the triple."""

State = Literal["Ready", "Reconciling", "Stalled"]
Status = Literal["True", "False", "Unknown"]

_LONGEST_MESSAGE = 32768


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((condition for condition in conditions if condition.type == type_), None)


def own_conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The triple, without what others say of the object (the master's `Throttled`)."""
    return tuple(condition for condition in conditions if condition.type in (READY, RECONCILING, STALLED))


def set_condition(
    conditions: Iterable[Condition],
    type_: str,
    status: Status,
    *,
    reason: str,
    message: str,
    generation: int | None,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with one of them added or replaced in place.

    `lastTransitionTime` is kept while the status stays the same, and is `now` otherwise. A message beyond
    what the API server takes (32,768 characters) is cut.
    """
    known = tuple(conditions)
    before = find_condition(known, type_)
    message = message[:_LONGEST_MESSAGE]
    if before is not None and (status, reason, message, generation) == (
        before.status,
        before.reason,
        before.message,
        before.observed_generation,
    ):
        return known
    after = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and before.status == status else now,
    )
    if before is None:
        return (*known, after)
    return tuple(after if condition is before else condition for condition in known)


def set_state(
    conditions: Iterable[Condition],
    state: State,
    *,
    reason: str,
    message: str,
    generation: int | None,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with the triple set: the one named by `state` is True, the other two are False.

    All three carry the same reason and message, so that each can be read on its own.
    """
    result = tuple(conditions)
    for type_ in (READY, RECONCILING, STALLED):
        status: Status = "True" if type_ == state else "False"
        result = set_condition(result, type_, status, reason=reason, message=message, generation=generation, now=now)
    return result

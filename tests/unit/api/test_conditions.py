"""Conditions keep the time of their last change, and exactly one of the triple holds."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from tender.api.conditions import READY, RECONCILING, STALLED, State, find_condition, set_condition, set_state
from tender.api.meta import Condition

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def ready(status: str = "True", *, at: datetime = NOON, reason: str = "Running", message: str = "") -> Condition:
    return Condition.model_validate(
        {
            "type": READY,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": 1,
            "lastTransitionTime": at,
        }
    )


def set_ready(conditions: tuple[Condition, ...], status: str, message: str = "all pods run") -> tuple[Condition, ...]:
    assert status in ("True", "False", "Unknown")
    return set_condition(
        conditions,
        READY,
        status,  # type: ignore[arg-type]
        reason="Running",
        message=message,
        generation=2,
        now=LATER,
    )


class TestOneCondition:
    def test_a_new_one_is_added_with_the_time_of_now(self):
        (condition,) = set_ready((), "True")
        assert condition == Condition(
            type=READY,
            status="True",
            reason="Running",
            message="all pods run",
            observed_generation=2,
            last_transition_time=LATER,
        )

    def test_the_time_stays_while_the_status_stays(self):
        (condition,) = set_ready((ready("True", reason="Started"),), "True")
        assert condition.last_transition_time == NOON
        assert (condition.reason, condition.observed_generation) == ("Running", 2)

    def test_the_time_moves_with_the_status(self):
        (condition,) = set_ready((ready("True"),), "False")
        assert condition.last_transition_time == LATER

    def test_other_conditions_and_their_order_stay(self):
        others = tuple(ready().model_copy(update={"type": type_}) for type_ in ("First", "Last"))
        result = set_ready((others[0], ready(), others[1]), "False")
        assert [condition.type for condition in result] == ["First", READY, "Last"]
        assert (result[0], result[2]) == others

    def test_a_message_is_cut_to_what_the_api_server_takes(self):
        (condition,) = set_ready((), "True", message="x" * 40_000)
        assert len(condition.message) == 32_768

    def test_a_missing_one_is_not_found(self):
        assert find_condition((ready(),), STALLED) is None
        assert find_condition((ready(),), READY) == ready()


class TestTheTriple:
    @pytest.mark.parametrize("state", get_args(State))
    def test_exactly_the_named_one_holds(self, state: State):
        result = set_state((), state, reason="Because", message="so it is", generation=3, now=NOON)
        assert {condition.type: condition.status for condition in result} == {
            type_: "True" if type_ == state else "False" for type_ in (READY, RECONCILING, STALLED)
        }
        assert {(c.reason, c.message, c.observed_generation) for c in result} == {("Because", "so it is", 3)}

    def test_only_what_changes_gets_a_new_time(self):
        before = set_state((), "Reconciling", reason="Starting", message="", generation=1, now=NOON)
        after = set_state(before, "Ready", reason="Running", message="", generation=1, now=LATER)
        assert {condition.type: condition.last_transition_time for condition in after} == {
            READY: LATER,
            RECONCILING: LATER,
            STALLED: NOON,
        }

    def test_setting_the_same_again_changes_nothing(self):
        once = set_state((), "Ready", reason="Running", message="", generation=1, now=NOON)
        assert set_state(once, "Ready", reason="Running", message="", generation=1, now=LATER) == once

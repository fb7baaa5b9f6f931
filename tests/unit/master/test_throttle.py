"""What a framework may ask of the master, and what becomes of one that asks for more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOON

from tender.master.conduct import (
    CALM_SECONDS,
    DEMAND_BURST,
    FORGIVEN_SECONDS,
    LONGEST_REFUSAL_SECONDS,
    LONGEST_REST_SECONDS,
    QUICK_ROUNDS,
    Declines,
    Lapses,
)
from tender.master.throttle import Throttle

KEY = "shop/spark"


def declined(rounds: int) -> Declines:
    """So many rounds, each of an offer that was made after the last."""
    one = Declines()
    for number in range(rounds):
        one = one.after(NOON + number + 0.5, NOON + number + 1)
    return one


def lapsed(rounds: int, at: float = NOON) -> Lapses:
    """So many rounds; what is claimed as soon as something is offered again lapses after a minute."""
    one = Lapses()
    for _ in range(rounds):
        at = max(at, one.rests_until) + 61
        one = one.after(at - 60, at)
    return one


def told(throttle: Throttle, now: float) -> tuple[str, str]:
    """Status and reason of the condition."""
    throttle.look(now)
    condition = throttle.condition(KEY, 1)
    return ("", "") if condition is None else (condition["status"], condition["reason"])


class TestDeclines:
    def test_for_no_time_count_as_they_are_at_first(self):
        assert declined(QUICK_ROUNDS).least_refusal == 0

    def test_count_for_longer_and_longer_if_they_go_on(self):
        waits = [declined(QUICK_ROUNDS + beyond).least_refusal for beyond in range(1, 9)]
        assert waits == [1, 2, 4, 8, 16, 32, LONGEST_REFUSAL_SECONDS, LONGEST_REFUSAL_SECONDS]

    def test_of_offers_that_were_made_together_are_one_round(self):
        one = Declines()
        for answered in range(50):
            one = one.after(NOON, NOON + 0.01 * (answered + 1))
        assert one.rounds == 1

    def test_of_long_ago_are_forgiven(self):
        one = declined(QUICK_ROUNDS + 5)
        later = one.last + FORGIVEN_SECONDS
        assert one.after(later - 1, later).rounds == 1

    @given(st.integers(0, 10_000))
    def test_never_count_for_longer_than_a_minute(self, rounds: int):
        assert 0 <= Declines(rounds, NOON).least_refusal <= LONGEST_REFUSAL_SECONDS


class TestLapses:
    def test_once_is_no_reason_to_rest(self):
        one = lapsed(1)
        assert one.rests_until == one.last

    def test_rests_grow(self):
        rests = [one.rests_until - one.last for one in map(lapsed, range(2, 10))]
        assert rests == [10, 20, 40, 80, 160, 320, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS]

    def test_of_what_was_claimed_before_the_last_lapse_are_of_its_round(self):
        one = Lapses().after(NOON, NOON + 60).after(NOON + 30, NOON + 90)
        assert one.rounds == 1

    def test_of_long_ago_are_forgiven(self):
        one = lapsed(5)
        later = one.rests_until + FORGIVEN_SECONDS
        assert one.after(later - 1, later).rounds == 1


class TestAChangingDemand:
    def change(self, throttle: Throttle, now: float, number: int) -> bool:
        """One change; whether it is taken up."""
        manifest: dict[str, Any] = {"number": number}
        if throttle.holds_back(KEY, manifest, now):
            return False
        throttle.demand_changed(KEY, now)
        return True

    def test_is_taken_up_once_a_second_beyond_its_burst_and_the_last_one_wins(self):
        throttle = Throttle()
        taken = [self.change(throttle, NOON, number) for number in range(100)]
        assert taken == [True] * DEMAND_BURST + [False] * (100 - DEMAND_BURST)
        assert throttle.due(NOON + 0.5) == []
        assert throttle.due(NOON + 1) == [{"number": 99}]
        assert throttle.due(NOON + 1) == []

    def test_is_told_of_until_it_is_calm(self):
        throttle = Throttle()
        assert told(throttle, NOON) == ("", "")
        for number in range(100):
            self.change(throttle, NOON + 1, number)
        assert told(throttle, NOON + 1) == ("True", "DemandChangesTooOften")
        assert told(throttle, NOON + CALM_SECONDS) == ("True", "DemandChangesTooOften")
        throttle.due(NOON + CALM_SECONDS)
        assert told(throttle, NOON + CALM_SECONDS + 1) == ("False", "WithinBudget")
        assert told(throttle, NOON + CALM_SECONDS + 1 + FORGIVEN_SECONDS) == ("", "")

    @given(st.lists(st.floats(0, 3), max_size=150))
    def test_is_never_lost(self, waits: list[float]):
        throttle, now, seen = Throttle(), NOON, -1
        for number, wait in enumerate(waits):
            now += wait / 10
            for manifest in throttle.due(now):
                seen = manifest["number"]
                throttle.demand_changed(KEY, now)
            if self.change(throttle, now, number):
                seen = number
        for manifest in throttle.due(now + 2):
            seen = manifest["number"]
        assert seen == len(waits) - 1


class TestWhatPeopleAreTold:
    @pytest.fixture
    def throttle(self) -> Throttle:
        """Of a framework that has claimed three times without launching anything."""
        throttle = Throttle()
        for number in range(3):
            throttle.lapsed(KEY, NOON + number - 0.5, NOON + number)
        return throttle

    def test_says_what_it_did_what_happens_and_what_to_do(self, throttle: Throttle):
        throttle.look(NOON + 2)
        condition = throttle.condition(KEY, 7)
        assert condition == {
            "type": "Throttled",
            "status": "True",
            "reason": "ClaimsNotLaunched",
            "message": "it has claimed offers 3 times in a row and launched nothing of them within 60 s; it is offered "
            "nothing until 2026-05-01T12:00:22Z, and for longer each time. Launch what is claimed (pods with the label "
            "tender.dev/offer), or claim only what can be launched: one launch ends this",
            "observedGeneration": 7,
            "lastTransitionTime": "2026-05-01T12:00:02Z",
        }
        assert {reason for reason, count in throttle.counts().items() if count} == {"ClaimsNotLaunched"}
        assert throttle.resting(NOON + 2) == {KEY: condition["message"]}

    def test_ends_with_a_launch(self, throttle: Throttle):
        throttle.look(NOON + 2)
        throttle.launched(KEY)
        assert told(throttle, NOON + 4) == ("False", "WithinBudget")
        assert throttle.resting(NOON + 4) == {}
        assert not any(throttle.counts().values())

    def test_stays_the_same_while_nothing_changes(self, throttle: Throttle):
        throttle.look(NOON + 2)
        changes = throttle.changes
        throttle.look(NOON + 60)
        assert throttle.changes == changes

    def test_names_all_that_it_does(self, throttle: Throttle):
        for number in range(QUICK_ROUNDS + 1):
            throttle.declined(KEY, NOON + number, 0, NOON + number + 0.5)
        throttle.look(NOON + 20)
        condition = throttle.condition(KEY, None)
        assert condition is not None
        assert "launched nothing" in condition["message"]
        assert "declining" in condition["message"]

    def test_is_nothing_of_a_framework_that_is_gone(self, throttle: Throttle):
        throttle.look(NOON + 2)
        throttle.forget(KEY)
        assert throttle.condition(KEY, 1) is None
        assert throttle.resting(NOON + 2) == {}

    def test_a_claim_or_a_longer_refusal_ends_the_growth_of_refusals(self):
        for end in ("claim", "refuse"):
            throttle = Throttle()
            for number in range(QUICK_ROUNDS + 3):
                least = throttle.declined(KEY, NOON + number, 0, NOON + number + 0.5)
            assert least == 4
            if end == "claim":
                throttle.claimed(KEY)
            else:
                assert throttle.declined(KEY, NOON + 50, 5, NOON + 51) == 0
            assert throttle.declined(KEY, NOON + 60, 0, NOON + 61) == 0

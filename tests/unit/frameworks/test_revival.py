"""How often a framework may change its demand: twenty times at once, and once a second from then on."""

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOON

from tender.frameworks.sdk import Revival


def spent(count: int, at: float = NOON) -> Revival:
    one = Revival()
    for _ in range(count):
        assert one.allowed(at)
        one = one.after(at)
    return one


def test_twenty_changes_may_follow_each_other_at_once_and_no_more():
    assert not spent(20).allowed(NOON)


def test_each_second_allows_one_more():
    one = spent(20)
    assert one.next_at(NOON) == NOON + 1
    assert not one.allowed(NOON + 0.9)
    assert one.allowed(one.next_at(NOON))
    assert not one.after(NOON + 1).allowed(NOON + 1)


def test_what_is_allowed_is_allowed_now():
    assert Revival().next_at(NOON) == NOON


def test_no_more_than_twenty_are_saved_up():
    rested = spent(20)
    for _ in range(20):
        rested = rested.after(NOON + 3600)
    assert not rested.allowed(NOON + 3600)


def test_a_clock_that_is_put_back_gives_nothing_and_takes_nothing():
    one = spent(20)
    assert not one.allowed(NOON - 60)
    assert one.next_at(NOON - 60) == NOON + 1


@given(st.lists(st.floats(0, 120), max_size=200))
def test_in_any_time_there_are_no_more_than_its_seconds_and_the_burst(waits):
    one, now, allowed = Revival(), NOON, []
    for wait in waits:
        now += wait / 60
        if one.allowed(now):
            one = one.after(now)
            allowed.append(now)
    for first, start in enumerate(allowed):
        for last in range(first, len(allowed)):
            assert last - first + 1 <= 20 + (allowed[last] - start) + 1e-3

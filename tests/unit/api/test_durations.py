"""Durations are written as in Go and Kubernetes, with days besides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tender.api.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("60s", 60),
        ("1h30m", 5400),
        ("1d", 86_400),
        ("1.5s", 1.5),
        ("0s", 0),
        ("2m1ms", 120.001),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "s", "-1s", "1 h", "1w", "1h 30m", "1hs", "ms"])
def test_what_is_no_duration_is_refused_and_named(text: str):
    with pytest.raises(ValueError, match="is no duration") as refusal:
        parse_duration(text)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.5, "500ms"), (60, "1m"), (5400, "1h30m"), (90_061.001, "1d1h1m1s1ms")]
)
def test_a_duration_is_written_in_its_shortest_usual_form(seconds: float, text: str):
    assert format_duration(seconds) == text


@given(st.integers(0, 10**12))
def test_writing_keeps_every_millisecond(milliseconds: int):
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


def test_a_negative_number_of_seconds_cannot_be_written():
    with pytest.raises(ValueError, match="must not be negative"):
        format_duration(-1)


def test_a_duration_is_capped_at_a_hundred_years():
    assert parse_duration("99999999999999d") == parse_duration("36500d")

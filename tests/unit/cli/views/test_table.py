"""Tables, ages and amounts as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from tender.cli.views.ages import age, duration
from tender.cli.views.amounts import amount, amounts
from tender.cli.views.table import Column, Layout, table

COLUMNS = [
    Column[tuple[str, str]]("NAME", lambda row: row[0]),
    Column[tuple[str, str]]("STATE", lambda row: row[1], colours={"Ready": "green"}),
    Column[tuple[str, str]]("LENGTH", lambda row: str(len(row[0])), wide=True),
]


def test_columns_are_as_wide_as_their_widest_cell_and_lines_have_no_blanks_at_their_end():
    assert list(table(COLUMNS, [("a-long-name", "Ready"), ("b", "")])) == [
        "NAME          STATE",
        "a-long-name   Ready",
        "b             <none>",
    ]


def test_wide_columns_are_shown_on_demand():
    assert list(table(COLUMNS, [("b", "Ready")], wide=True)) == ["NAME   STATE   LENGTH", "b      Ready   1"]


def test_a_colour_takes_no_room():
    def paint(text: str, colour: str) -> str:
        return f"<{colour}>{text}</>"

    titles, ready, stalled = table(COLUMNS, [("b", "Ready (all)"), ("c", "Stalled")], wide=True, paint=paint)
    assert titles == "NAME   STATE         LENGTH"
    assert ready == "b      <green>Ready (all)</>   1"
    assert stalled == "c      Stalled       1"


def test_what_others_wrote_does_not_steer_the_terminal():
    [_, line] = table(COLUMNS, [("a", "\033[2J gone")])
    assert line == "a      \ufffd[2J gone"


def test_rows_that_come_later_are_put_under_the_same_titles():
    layout = Layout(COLUMNS, [("node-1", "Ready")])
    assert layout.line(("a", "Gone")) == "a        Gone"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (119, "119s"),
        (120, "2m"),
        (303, "5m3s"),
        (5400, "90m"),
        (3 * 3600 + 1200, "3h20m"),
        (30 * 3600, "30h"),
        (3 * 86400 + 7200, "3d2h"),
        (100 * 86400, "100d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_are_as_precise_as_kubectls(seconds: int, text: str):
    assert duration(seconds) == text


def test_what_has_not_happened_has_no_age():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert age(None, now) == "<none>"
    assert age(now - timedelta(minutes=3), now) == "3m"


@pytest.mark.parametrize(
    ("resource", "number", "text"),
    [
        ("cpu", 1500, "1500m"),
        ("cpu", 3000, "3"),
        ("memory", 1536 * 1024**2, "1.5Gi"),
        ("memory", 0, "0"),
        ("memory", 8061824 * 1024, "7.7Gi"),
        ("nvidia.com/gpu", 8, "8"),
    ],
)
def test_amounts_are_rounded_for_people(resource: str, number: int, text: str):
    assert amount(resource, number) == text


def test_cpu_and_memory_come_first_and_what_is_zero_is_left_out():
    held = {"pods": 3, "nvidia.com/gpu": 1, "memory": 1024**3, "cpu": 2000, "example.com/a": 0}
    assert amounts(held) == "cpu 2, memory 1Gi, nvidia.com/gpu 1, pods 3"

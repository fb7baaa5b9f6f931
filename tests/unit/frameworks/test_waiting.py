"""What tasks wait for, as it stands in the status: since when, and why the last offer of each node was of no use."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, timestamp

from tender.api.framework import Waiting
from tender.frameworks.sdk.funnel import Obstacle, Refusal
from tender.frameworks.sdk.waiting import still_waiting

ZONES = "constraint Unique on zone: 'a' has 1 task already"


def refusal(node: str, reason: str = "CPU", message: str = "too little", at: float | None = None) -> Refusal:
    return Refusal(node, "web", Obstacle(reason, message), at)


def after(before: dict[str, Any] | None, tasks: int = 2, *refusals: Refusal, now: float = NOON, **more: Any) -> Any:
    known = None if before is None else Waiting.model_validate(before)
    return still_waiting(known, tasks, refusals, now=now, placed=more.pop("placed", False), **more)


def reasons(waiting: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["nodes"] for one in waiting["reasons"]}


def nodes(waiting: dict[str, Any]) -> list[str]:
    return [one["node"] for one in waiting["nodes"]]


class TestSince:
    def test_tells_when_tasks_began_to_wait(self):
        first = after(None)
        assert first == {"since": timestamp(NOON), "tasks": 2}
        assert after(first, 5, now=NOON + 600) == {"since": timestamp(NOON), "tasks": 5}

    def test_begins_anew_when_a_task_was_placed(self):
        assert after(after(None), 1, now=NOON + 600, placed=True) == {"since": timestamp(NOON + 600), "tasks": 1}

    def test_nothing_is_said_when_nothing_waits(self):
        assert after(after(None), 0, refusal("a")) is None


class TestReasons:
    def test_are_counted_over_the_last_offer_of_each_node_in_the_order_of_the_funnel(self):
        first = after(None, 1, refusal("b", "Ports"), refusal("a", "CPU"), refusal("c", "Constraint", ZONES))
        assert first["reasons"] == [
            {"reason": "Constraint", "nodes": 1, "message": f"c: {ZONES}"},
            {"reason": "CPU", "nodes": 1, "message": "a: too little"},
            {"reason": "Ports", "nodes": 1, "message": "b: too little"},
        ]
        assert reasons(after(first, 1, refusal("a", "Constraint"), refusal("d", "CPU"))) == {
            "Constraint": 2,
            "CPU": 1,
            "Ports": 1,
        }

    def test_a_node_of_which_something_was_claimed_is_no_reason_any_more(self):
        first = after(None, 1, refusal("a"), refusal("b"))
        assert reasons(after(first, 1, of_use=["b"])) == {"CPU": 1}

    def test_nor_is_one_that_has_left_the_cluster(self):
        first = after(None, 1, refusal("a"), refusal("b"))
        assert reasons(after(first, 1, nodes={"a"})) == {"CPU": 1}

    def test_are_not_limited_to_the_nodes_that_are_named(self):
        many = after(None, 1, *(refusal(f"n{number:03}") for number in range(100)))
        assert reasons(many) == {"CPU": 100}
        assert nodes(many) == [f"n{number:03}" for number in range(32)]


class TestNodes:
    def test_tell_the_task_the_reason_and_when(self):
        (one,) = after(None, 1, refusal("a", "Constraint", ZONES))["nodes"]
        assert one == {"node": "a", "task": "web", "reason": "Constraint", "message": ZONES, "at": timestamp(NOON)}

    def test_the_newest_come_first_and_the_oldest_go(self):
        first = after(None, 1, *(refusal(f"n{number:02}") for number in range(32)))
        second = after(first, 1, refusal("z"), now=NOON + 1)
        assert nodes(second) == ["z", *(f"n{number:02}" for number in range(31))]

    def test_an_offer_refused_earlier_has_its_own_time(self):
        (one,) = after(None, 1, refusal("a", at=NOON - 50.7))["nodes"]
        assert one["at"] == timestamp(int(NOON - 50.7))

    def test_keep_their_time_while_the_reason_stays(self):
        first = after(None, 1, refusal("a", message="1 is lacking"))
        same = after(first, 1, refusal("a", message="2 are lacking"), now=NOON + 60)
        assert same["nodes"] == [{**first["nodes"][0], "message": "2 are lacking"}]
        other = after(same, 1, refusal("a", "Memory"), now=NOON + 60)
        assert other["nodes"][0]["at"] == timestamp(NOON + 60)

    def test_long_messages_are_cut(self):
        waiting = after(None, 1, refusal("a", message="x" * 999))
        assert len(waiting["nodes"][0]["message"]) == 256
        assert Waiting.model_validate(waiting)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["Role", "Constraint", "CPU", "GPU"]), st.integers(0, 90)),
        max_size=40,
    )
)
def test_t5_however_offers_come_the_counts_are_those_of_the_last_offer_of_each_node(offers):
    written: dict[str, Any] | None = None
    last: dict[int, str] = {}
    now = NOON
    for node, reason, wait in offers:
        now += wait
        last[node] = reason
        written = after(written, 1, refusal(f"n{node}", reason), now=now)
        assert after(written, 1, now=now + 3600) == written
        assert reasons(written) == {reason: list(last.values()).count(reason) for reason in set(last.values())}
        assert {one["node"]: one["reason"] for one in written["nodes"]} == {f"n{one}": why for one, why in last.items()}

"""`tender why`: the sentence on what would have to change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders import NOON, framework

from tender.cli.views.why import Why, change, lines

NOW = datetime.fromtimestamp(NOON, UTC)
WAITING = {"since": (NOW - timedelta(minutes=3)).isoformat(), "tasks": 2}


def not_offered(*reasons: tuple[str, int, str]) -> dict[str, Any]:
    return {"notOffered": [{"reason": name, "nodes": nodes, "message": text} for name, nodes, text in reasons]}


def answer(**now: Any) -> dict[str, Any]:
    """What the master serves of a framework."""
    return {"now": {"suppressed": "", "nextOffers": [], "waits": [], **now}}


def wait(*reasons: tuple[str, int, str, str]) -> dict[str, Any]:
    told = [
        {"reason": name, "nodes": nodes, "message": text, "detail": detail, "names": ["n1"]}
        for name, nodes, text, detail in reasons
    ]
    return {"role": "ml", "demand": "worker", "missing": 2, "notOffered": told}


def why(asked: dict[str, Any] | None = None, **status: Any) -> Why:
    return Why(framework(status=status), asked, NOW)


class TestWhatWouldHaveToChange:
    def test_is_found_at_the_reason_that_is_farthest_down_the_funnel(self):
        told = not_offered(
            ("Tainted", 38, "taint a=b:NoSchedule is not tolerated; add a toleration"),
            ("Quota", 2, "quota of role ml: 4 of 4 cpu used; raise its limit or free some"),
        )
        assert change(why(waiting=WAITING, allocation=told)) == (
            "raise its limit or free some (on 2 nodes: quota of role ml: 4 of 4 cpu used)."
        )

    def test_is_what_the_framework_refuses_as_long_as_offers_come(self):
        refused = {"reason": "Ports", "nodes": 1, "message": "n1: port 80 is taken"}
        told = not_offered(("ShareOrder", 5, "others came first; add nodes"))
        assert change(why(waiting={**WAITING, "reasons": [refused]}, allocation=told)) == (
            "ask for other ports of nodes, or add nodes (n1: port 80 is taken)."
        )

    def test_has_the_details_that_the_master_knows(self):
        asked = answer(
            waits=[wait(("Exhausted", 1, "a task needs cpu 4, and less is free; add nodes", "n1 is nearest"))]
        )
        assert change(why(asked)) == "add nodes (on 1 node: a task needs cpu 4, and less is free; n1 is nearest)."

    def test_is_nothing_while_an_offer_is_coming(self):
        asked = answer(nextOffers=[{"role": "ml", "node": "n1", "resources": {"cpu": "1"}}])
        assert change(why(asked, waiting=WAITING)) == "nothing, the next cycle offers it something on 1 node."

    def test_is_to_answer_what_is_offered(self):
        held = {"offered": {"cpu": "2"}}
        assert change(why(waiting=WAITING, allocation=held)) == "nothing, it is to answer what it is offered: cpu 2."

    def test_is_that_the_controller_declares_a_demand(self):
        idle = "its controller has not declared a demand yet; does the controller run?"
        assert change(why(answer(suppressed=idle))) == f"{idle}."
        assert change(why(allocation=not_offered(("Suppressed", 3, idle)))) == f"{idle}."

    def test_is_nothing_for_one_that_is_deleted(self):
        gone = framework(deleted=NOON)
        assert change(Why(gone, None, NOW)) == "nothing, it is being deleted."


def test_the_funnel_is_told_in_its_order():
    asked = answer(
        waits=[wait(("Quota", 3, "quota; raise it", ""), ("Tainted", 1, "tainted; tolerate it", "as the others"))]
    )
    text = "\n".join(lines(why(asked, waiting=WAITING)))
    assert "2 tasks waiting for a place, for 3m" in text
    assert "In role ml, 2 more of task worker cannot be offered now:" in text
    assert text.index("Tainted  ") < text.index("Quota  ")
    assert "tainted; tolerate it (as the others)" in text
    assert "n1" not in text
    assert "n1" in "\n".join(lines(why(asked), wide=True))

"""One framework is told in full why it waits: in every role, for every demand, node by node."""

from random import Random

from tests.unit.allocation.builders import (
    ANYTHING,
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    role,
    settle,
    tainted,
    wanting,
)

from tender.allocation import Charge, Demand, Ledger, Reason, Refusal, Reservation, explain
from tender.allocation.explanation import Explanation, Obstacle

ALL = node().allocatable


def explained(on: Ledger, name: str = "f1", now: float = 0.0) -> Explanation:
    return explain(on, ANYTHING, now, Random(1), name)


def obstacles(on: Ledger, name: str = "f1", now: float = 0.0) -> dict[Reason, Obstacle]:
    """What is in the way of what the framework waits for first."""
    return {one.reason: one for one in explained(on, name, now).waits[0].obstacles}


class TestAFramework:
    def test_is_told_the_nodes_of_every_reason_by_name(self):
        on = ledger(
            *(tainted(f"t{number}") for number in (2, 1)),
            node("c1", unavailable="the node is cordoned"),
            node("s1", cpu=500),
            wanting(),
        )
        told = obstacles(on)
        assert {reason: one.nodes for reason, one in told.items()} == {
            Reason.TAINTED: ("t1", "t2"),
            Reason.UNAVAILABLE: ("c1",),
            Reason.EXHAUSTED: ("s1",),
        }

    def test_is_told_the_same_messages_as_in_the_cycle(self):
        on = ledger(tainted("t1"), node("n1", cpu=500), framework("f1", node_selector={"a": "b"}))
        in_cycle = {one.reason: (one.nodes, one.message) for one in cycle(on).not_offered["f1"]}
        in_full = {one.reason: (len(one.nodes), one.message) for one in obstacles(on).values()}
        assert in_full == in_cycle

    def test_is_told_of_every_entry_of_its_demand_that_is_not_met(self):
        entries = (
            Demand("small", amounts(cpu=100), 1),
            Demand("large", amounts(cpu=9000), 2),
            Demand("huge", amounts(cpu=99000), 3),
        )
        told = explained(ledger(node(), framework(demand=entries)))
        assert [(wait.demand, wait.missing) for wait in told.waits] == [(entries[1], 2), (entries[2], 3)]

    def test_is_told_of_every_role(self):
        on = ledger(node(), role("a", limit={"cpu": 0}), wanting(role="a", further_roles=("b",), cpu=9000))
        told = explained(on)
        assert [(wait.role, [one.reason for one in wait.obstacles]) for wait in told.waits] == [
            ("a", [Reason.EXHAUSTED]),
            ("b", [Reason.EXHAUSTED]),
        ]

    def test_is_told_what_the_next_cycle_would_offer(self):
        on = ledger(node("n1"), tainted("n2"), wanting(), framework("f2"))
        assert [(one.node, one.tasks) for one in explained(on).next_offers] == [("n1", {"task": 1})]
        assert explained(on).waits == ()

    def test_that_has_all_it_wants_waits_for_nothing(self):
        on = ledger(node(), wanting(), Charge("n1", amounts(cpu=1000, memory=1024), "f1", {"task": 1}))
        assert explained(on) == Explanation("", (), ())

    def test_that_takes_no_part_is_told_so(self):
        on = ledger(node(), framework("f1", demand=()), framework("f2", inactive="the framework is being deleted"))
        assert explained(on).idle.startswith("the framework has declared that it needs nothing")
        assert explained(on, "f2") == Explanation("the framework is being deleted", (), ())

    def test_is_told_without_an_effect(self):
        on = ledger(node("n1"), node("n2", cpu=500), wanting(count=9), framework("f2"))
        before = cycle(on)
        explained(on)
        assert offered(cycle(on)) == offered(before)
        assert cycle(on).not_offered == before.not_offered


class TestDetails:
    def test_name_the_node_that_comes_nearest_and_who_holds_what(self):
        on = ledger(
            node("n1"),
            node("n2"),
            Charge("n1", amounts(cpu=3500), "f2"),
            Charge("n2", amounts(cpu=3000, memory=1024), "f2", offered=True),
            Charge("n2", amounts(cpu=500)),
            framework("f2", demand=()),
            wanting(memory=4096),
        )
        assert obstacles(on)[Reason.EXHAUSTED].detail == (
            "n1 comes nearest, with cpu 500m, memory 4Gi free; held on these nodes by f2 (cpu 3500m), "
            "offers to f2 (cpu 3, memory 1Gi), pods outside of frameworks (cpu 500m)"
        )

    def test_do_not_list_holders_without_end(self):
        charges = [Charge("n1", amounts(cpu=800), f"f{number}") for number in range(2, 7)]
        told = obstacles(ledger(node(), *charges, wanting()))
        assert told[Reason.EXHAUSTED].detail == (
            "n1 comes nearest, with cpu 0, memory 4Gi free; "
            "held on these nodes by f2 (cpu 800m), f3 (cpu 800m), f4 (cpu 800m) and 2 more"
        )

    def test_tell_when_the_number_of_pods_is_what_is_missing(self):
        on = ledger(node(), framework(demand=(Demand("task", {"cpu": 1000, "pods": 1}, 1),)))
        assert obstacles(on)[Reason.EXHAUSTED].detail == "n1 comes nearest, with cpu 4, pods 0 free"

    def test_of_what_is_too_small_say_how_much_there_is(self):
        on = ledger(node(), framework(), Charge("n1", amounts(cpu=3995, memory=4090)))
        assert obstacles(on)[Reason.TOO_SMALL].detail.startswith("n1 comes nearest, with cpu 5m free")

    def test_tell_the_holders_of_reservations_apart(self):
        on = ledger(
            node("n1"),
            node("n2"),
            node("n3"),
            role("prod"),
            Reservation("n1", ALL, "prod"),
            Reservation("n2", ALL, "prod", "db"),
            Reservation("n3", ALL, "prod"),
            wanting(),
        )
        [wait] = explained(on).waits
        assert [(one.nodes, one.message.partition("reserved for ")[2]) for one in wait.obstacles] == [
            (("n1", "n3"), "prod; end a reservation or add nodes"),
            (("n2",), "prod (framework db); end a reservation or add nodes"),
        ]

    def test_of_refusals_say_when_they_end(self):
        on = ledger(
            node("n1"), node("n2"), Refusal("f1", 30.0, {"n1": ALL}), Refusal("f1", 60.0, {"n2": ALL}), framework()
        )
        assert obstacles(on, now=5.0)[Reason.FILTERED].detail == "ends in 25 to 55 s, node by node"
        assert obstacles(on, now=30.0)[Reason.FILTERED].detail == "ends in 30 s"

    def test_of_the_order_give_the_shares_and_who_was_served(self):
        on = ledger(
            node(cpu=2000),
            role("org", weight=2.0),
            role("team", "org"),
            Charge("n1", amounts(cpu=1000), "f1"),
            wanting("f0"),
            wanting(role="team", count=2),
        )
        assert obstacles(on)[Reason.SHARE_ORDER].detail == (
            "shares of roles by weight: team 0.5000, org 0.2500; served there: f0 on 1"
        )

    def test_follow_what_has_been_offered_since(self):
        on = ledger(node(cpu=1000), wanting("f0", memory=4096), wanting(memory=4096))
        settle(on, cycle(on))
        assert obstacles(on)[Reason.EXHAUSTED].detail == (
            "nothing is free; held on these nodes by offers to f0 (cpu 1, memory 4Gi)"
        )

"""Limits bind whole subtrees; guarantees come first, and room is kept for those that are not met."""

from tests.unit.allocation.builders import (
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    reasons,
    role,
    settle,
    tainted,
    tasks_granted,
    tolerating,
    wanting,
)

from tender.allocation import Charge, Node, Reason

ONE = amounts(cpu=1000, memory=1024)
TWO = amounts(cpu=2000, memory=2048)
FOUR = amounts(cpu=4000, memory=4096)


class TestLimits:
    def test_cut_a_node(self):
        one = ledger(node(), role("a", limit=ONE), framework(role="a"))
        assert offered(cycle(one)) == {"f1": {"n1": ONE}}

    def test_leave_resources_alone_that_they_do_not_name(self):
        one = ledger(node(), role("a", limit=amounts(cpu=500)), framework(role="a"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=500, memory=4096)}}

    def test_leave_pods_to_others_in_proportion_to_what_they_cut_off(self):
        there = {**FOUR, "pods": 110}
        one = ledger(Node("n1", there), role("a", limit=ONE), framework(role="a"), wanting("late", 3))
        assert offered(cycle(one))["f1"] == {"n1": {**ONE, "pods": 28}}
        settle(one, cycle(one))
        assert one.free("n1")["pods"] == 82

    def test_bind_the_sum_of_everything_below(self):
        one = ledger(
            node(),
            role("a", limit=amounts(cpu=3000)),
            role("b", "a"),
            role("c", "b"),
            wanting("f1", 9, "a", memory=1),
            wanting("f2", 9, "b", memory=1),
            wanting("f3", 9, "c", memory=1),
        )
        assert sum(tasks_granted(cycle(one)).values()) == 3

    def test_never_offer_a_part_of_a_task(self):
        one = ledger(node(), role("a", limit=amounts(cpu=1500)), wanting(count=2, role="a"))
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_take_nothing_away_from_a_role_that_is_beyond(self):
        one = ledger(node(), role("a", limit=ONE), framework(role="a"), Charge("n1", TWO, "f1"))
        assert offered(cycle(one)) == {}
        assert reasons(cycle(one)) == {Reason.QUOTA: 1}

    def test_keep_room_under_them_for_what_children_are_guaranteed(self):
        one = ledger(
            node(),
            role("a", limit=amounts(cpu=3000)),
            role("b", "a", guarantee=amounts(cpu=2000)),
            role("c", "a"),
            wanting("greedy", 9, "c", memory=1),
        )
        assert tasks_granted(cycle(one)) == {"greedy": 1}
        one.put_framework(wanting("late", 9, "b", memory=1))
        settle(one, cycle(one, seed=1))
        assert one.held("late")["cpu"] >= 2000


class TestGuarantees:
    def test_are_served_before_lower_shares(self):
        one = ledger(
            node(),
            role("prod", guarantee=FOUR),
            framework("f1", "prod"),
            framework("f2"),
            node("n2"),
            Charge("n2", ONE, "f1"),
        )
        assert offered(cycle(one, nodes=["n1"]))["f1"] == {"n1": FOUR}

    def test_are_kept_for_a_role_without_frameworks(self):
        one = ledger(node(), role("prod", guarantee=ONE), framework("f1"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=3000, memory=3072)}}

    def test_are_kept_for_a_role_whose_framework_is_suppressed(self):
        one = ledger(node(), role("prod", guarantee=FOUR), framework("idle", "prod", demand=()), framework("f1"))
        assert offered(cycle(one)) == {}
        assert reasons(cycle(one)) == {Reason.HEADROOM: 1}

    def test_let_a_role_burst_from_the_surplus_only(self):
        one = ledger(node(), role("a", guarantee=ONE), role("b", guarantee=ONE), framework(role="a"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=3000, memory=3072)}}

    def test_let_a_task_through_that_needs_a_little_more_than_is_owed(self):
        one = ledger(node(), role("a", guarantee=amounts(cpu=1500)), wanting(count=9, role="a", memory=0))
        assert tasks_granted(cycle(one)) == {"f1": 4}

    def test_are_not_given_to_others_one_task_at_a_time_either(self):
        one = ledger(node(), role("prod", guarantee=amounts(cpu=1500)), wanting(count=9, memory=0))
        assert tasks_granted(cycle(one)) == {"f1": 2}
        assert reasons(cycle(one)) == {Reason.HEADROOM: 1}

    def test_of_a_child_count_inside_those_of_its_parent(self):
        one = ledger(
            node(),
            role("a", guarantee=amounts(cpu=2000)),
            role("b", "a", guarantee=amounts(cpu=1000)),
            framework("f1"),
        )
        assert offered(cycle(one))["f1"]["n1"]["cpu"] == 2000

    def test_of_children_add_up_when_they_are_more_than_their_parents(self):
        one = ledger(
            node(),
            role("a", guarantee=amounts(cpu=1000)),
            role("b", "a", guarantee=amounts(cpu=1000)),
            role("c", "a", guarantee=amounts(cpu=2000)),
            framework("f1"),
        )
        assert offered(cycle(one))["f1"]["n1"]["cpu"] == 1000

    def test_of_a_child_are_not_met_by_what_its_siblings_hold(self):
        one = ledger(
            node(),
            node("n2"),
            role("a", guarantee=amounts(cpu=2000)),
            role("b", "a", guarantee=amounts(cpu=1000)),
            role("c", "a"),
            framework("sibling", "c", demand=()),
            Charge("n2", FOUR, "sibling"),
            framework("f1"),
        )
        assert offered(cycle(one))["f1"]["n1"]["cpu"] == 3000

    def test_are_never_kept_beyond_a_limit_above(self):
        one = ledger(
            node(),
            role("a", limit=amounts(cpu=1000)),
            role("b", "a", guarantee=amounts(cpu=3000)),
            framework("f1"),
        )
        assert offered(cycle(one))["f1"]["n1"]["cpu"] == 3000

    def test_that_are_met_leave_everything_else_to_everybody(self):
        one = ledger(
            node(),
            node("n2"),
            role("prod", guarantee=ONE),
            framework("f2", "prod"),
            framework("f1"),
            Charge("n2", ONE, "f2"),
        )
        assert offered(cycle(one, nodes=["n1"])) == {"f1": {"n1": FOUR}}


class TestHeadroom:
    def test_is_not_counted_on_nodes_where_nothing_may_start(self):
        one = ledger(node(), node("n2", unavailable="cordoned"), role("prod", guarantee=FOUR), framework("f1"))
        assert offered(cycle(one)) == {}

    def test_is_not_kept_on_nodes_that_the_role_could_not_use(self):
        one = ledger(
            tainted("n1"),
            role("prod", guarantee=FOUR),
            framework("f1", tolerations=tolerating()),
        )
        assert offered(cycle(one)) == {"f1": {"n1": FOUR}}

    def test_is_kept_on_tainted_nodes_for_a_framework_that_tolerates_them(self):
        one = ledger(
            tainted("n1"),
            role("prod", guarantee=FOUR),
            framework("idle", "prod", demand=(), tolerations=tolerating()),
            framework("f1", tolerations=tolerating()),
        )
        assert offered(cycle(one)) == {}

    def test_is_counted_over_all_nodes_when_a_cycle_looks_at_one(self):
        one = ledger(node(), node("n2"), role("prod", guarantee=FOUR), framework("f1"))
        assert offered(cycle(one, nodes=["n1"])) == {"f1": {"n1": FOUR}}

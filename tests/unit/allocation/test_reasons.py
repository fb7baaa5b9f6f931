"""Everybody who waits is told why, counted per node."""

import pytest
from tests.unit.allocation.builders import amounts, cycle, framework, ledger, node, reasons, role, tainted, wanting

from tender.allocation import Charge, Reason, Refusal, Reservation, Taint

ALL = node().allocatable
HALF = amounts(cpu=2000, memory=2048)


CAUSES = {
    Reason.UNAVAILABLE: (node(unavailable="the node is cordoned"),),
    Reason.TAINTED: (tainted("n1"),),
    Reason.UNSUITABLE: (node(gpu=1),),
    Reason.QUOTA: (node(), role("role-of-f1", limit={"cpu": 0, "memory": 0})),
    Reason.HEADROOM: (node(), role("prod", guarantee=ALL)),
    Reason.RESERVED: (node(), role("prod"), Reservation("n1", ALL, "prod")),
    Reason.FILTERED: (node(), Refusal("f1", 1.0, {"n1": ALL})),
    Reason.EXHAUSTED: (node(), Charge("n1", ALL)),
    Reason.SHARE_ORDER: (node(cpu=1000), wanting("f0", memory=4096)),
}


class TestEveryReason:
    @pytest.mark.parametrize("reason", CAUSES)
    @pytest.mark.parametrize("asking", [framework(), wanting(count=4)], ids=["without-demand", "with-demand"])
    def test_is_given_for_its_cause(self, reason, asking):
        told = cycle(ledger(asking, *CAUSES[reason]))
        assert reasons(told)[reason] == 1
        assert told.not_offered["f1"][0].message

    def test_too_small(self):
        one = ledger(node(), framework(), Charge("n1", amounts(cpu=3995, memory=4090)))
        assert reasons(cycle(one)) == {Reason.TOO_SMALL: 1}
        assert cycle(one).not_offered["f1"][0].message == "cpu 5m, memory 6Mi is less than the minimum offer"

    def test_suppressed(self):
        one = ledger(node(), framework("f1", demand=()), framework("f2", inactive="the framework is being deleted"))
        assert reasons(cycle(one), "f1") == {Reason.SUPPRESSED: 0}
        assert cycle(one).not_offered["f2"][0].message == "the framework is being deleted"

    def test_has_a_cause_here(self):
        assert set(Reason) == CAUSES.keys() | {Reason.TOO_SMALL, Reason.SUPPRESSED}


class TestSeveralReasons:
    def test_are_counted_apart_the_most_frequent_first(self):
        one = ledger(tainted("n1"), tainted("n2"), node("n3", unavailable="the node is not ready"), framework())
        told = cycle(one).not_offered["f1"]
        assert [(reason.reason, reason.nodes) for reason in told] == [(Reason.TAINTED, 2), (Reason.UNAVAILABLE, 1)]

    def test_count_a_node_once_under_the_first_that_applies(self):
        one = ledger(
            node("n1", taints=(Taint("dedicated"),), unavailable="the node is not ready"),
            tainted("n2"),
            Charge("n2", ALL),
            framework(),
        )
        assert reasons(cycle(one)) == {Reason.UNAVAILABLE: 1, Reason.TAINTED: 1}

    def test_count_full_nodes_without_the_wanted_label_as_unsuitable(self):
        one = ledger(node(), Charge("n1", ALL), framework(node_selector={"disk": "ssd"}))
        assert reasons(cycle(one)) == {Reason.UNSUITABLE: 1}


class TestWhoWaits:
    def test_is_told_when_there_is_no_node_at_all(self):
        assert reasons(cycle(ledger(framework()))) == {Reason.EXHAUSTED: 0}
        assert reasons(cycle(ledger(wanting()))) == {Reason.EXHAUSTED: 0}

    def test_is_told_when_a_part_of_its_demand_is_met(self):
        one = ledger(node(cpu=2000), node("n2", cpu=500), wanting(count=5))
        assert reasons(cycle(one)) == {Reason.EXHAUSTED: 2}

    def test_is_told_of_the_first_entry_of_its_demand_that_is_not_met(self):
        one = ledger(node(), wanting(count=1, cpu=9000))
        assert cycle(one).not_offered["f1"][0].message == "a task needs cpu 9, memory 1Gi, and less is free"

    def test_hears_nothing_when_its_demand_is_met(self):
        assert cycle(ledger(node(), wanting(count=1))).not_offered == {}


class TestMessages:
    def test_of_a_limit_name_the_role_that_has_it(self):
        one = ledger(
            node(),
            role("org", limit=amounts(cpu=3000)),
            role("team", "org"),
            wanting(count=9, role="team"),
            Charge("n1", amounts(cpu=2500), "f1"),
        )
        assert cycle(one).not_offered["f1"][0].message == "quota of role org: 2500m of 3 cpu used"

    def test_of_a_limit_name_what_is_kept_below_it(self):
        one = ledger(
            node(),
            role("org", limit=amounts(cpu=3000)),
            role("team", "org"),
            role("prod", "org", guarantee=amounts(cpu=3000)),
            wanting(count=1, role="team"),
        )
        message = cycle(one).not_offered["f1"][0].message
        assert message == "quota of role org: 0 of 3 cpu used, 3 kept for roles below it"

    def test_of_a_reservation_name_its_role(self):
        one = ledger(node(), role("prod"), Reservation("n1", HALF, "prod"), wanting(count=1, cpu=3000))
        assert "reserved for prod" in cycle(one).not_offered["f1"][0].message

"""Everybody who waits is told why, counted per node."""

import pytest
from tests.unit.allocation.builders import amounts, cycle, framework, ledger, node, reasons, role, tainted, wanting

from tender.allocation import Charge, Demand, NotOffered, Reason, Refusal, Reservation, Taint

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
        assert cycle(one).not_offered["f1"][0].message == (
            "less is free than the minimum offer of cpu 10m or memory 32Mi; "
            "free more there or lower spec.offers.minimum"
        )

    def test_suppressed(self):
        one = ledger(node(), framework("f1", demand=()), framework("f2", inactive="the framework is being deleted"))
        assert reasons(cycle(one), "f1") == {Reason.SUPPRESSED: 0}
        assert cycle(one).not_offered["f2"][0].message == "the framework is being deleted"

    def test_throttled(self):
        resting = framework(inactive="it rests", inactive_reason=Reason.THROTTLED)
        told = cycle(ledger(node(), resting))
        assert told.grants == ()
        assert told.not_offered["f1"] == (NotOffered(Reason.THROTTLED, 0, "it rests"),)

    def test_has_a_cause_here(self):
        assert set(Reason) == CAUSES.keys() | {Reason.TOO_SMALL, Reason.SUPPRESSED, Reason.THROTTLED}


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


class TestAQuota:
    def test_is_in_the_way_also_where_a_role_above_has_reserved(self):
        reserved = Reservation("n1", HALF, "a")
        one = ledger(node(), role("a"), role("b", "a", limit={"cpu": 0}), reserved, wanting(count=1, role="b"))
        assert reasons(cycle(one)) == {Reason.QUOTA: 1}


class TestWhoWaits:
    def test_is_told_when_there_is_no_node_at_all(self):
        assert reasons(cycle(ledger(framework()))) == {Reason.EXHAUSTED: 0}
        assert reasons(cycle(ledger(wanting()))) == {Reason.EXHAUSTED: 0}

    def test_is_told_when_a_part_of_its_demand_is_met(self):
        one = ledger(node(cpu=2000), node("n2", cpu=500), wanting(count=5))
        assert reasons(cycle(one)) == {Reason.EXHAUSTED: 2}

    def test_is_told_of_the_first_entry_of_its_demand_that_is_not_met(self):
        one = ledger(node(), wanting(count=1, cpu=9000))
        assert "a task needs cpu 9, memory 1Gi" in cycle(one).not_offered["f1"][0].message

    def test_hears_nothing_when_its_demand_is_met(self):
        assert cycle(ledger(node(), wanting(count=1))).not_offered == {}


class TestSeveralRoles:
    def test_are_all_heard_of_each_in_its_own_words(self):
        one = ledger(
            node(),
            role("shop", limit={"cpu": 0}),
            role("batch", limit={"cpu": 0}),
            wanting(role="shop", further_roles=("batch",)),
        )
        told = cycle(one).not_offered["f1"]
        assert told == (
            NotOffered(
                Reason.QUOTA,
                1,
                "in role shop: quota of role shop: 0 of 0 cpu used; raise its limit or free some. "
                "in role batch: quota of role batch: 0 of 0 cpu used; raise its limit or free some",
            ),
        )

    def test_may_wait_for_different_reasons(self):
        one = ledger(
            node(),
            role("shop", limit={"cpu": 0, "memory": 0}),
            role("prod", guarantee=ALL),
            framework("f1", "shop", further_roles=("batch",)),
        )
        told = {why.reason: why.message for why in cycle(one).not_offered["f1"]}
        assert told.keys() == {Reason.QUOTA, Reason.HEADROOM}
        assert told[Reason.QUOTA].startswith("in role shop: quota of role shop")
        assert told[Reason.HEADROOM].startswith("in role batch: ")

    @pytest.mark.parametrize("asking", [framework, wanting])
    def test_tell_once_what_is_the_same_in_all(self, asking):
        one = ledger(tainted("n1"), tainted("n2"), asking(role="shop", further_roles=("batch",)))
        [why] = cycle(one).not_offered["f1"]
        assert (why.reason, why.nodes) == (Reason.TAINTED, 2)
        assert "in role" not in why.message

    def test_do_not_blame_others_for_what_the_framework_was_offered_in_another(self):
        whole = ledger(node("n1"), node("n2"), framework("f1", "shop", further_roles=("batch",)))
        assert cycle(whole).not_offered == {}
        tasks = ledger(node("n1"), node("n2"), wanting(count=9, role="shop", further_roles=("batch",)))
        assert reasons(cycle(tasks)) == {Reason.EXHAUSTED: 2}


class TestMessages:
    """Each says what is the case, with numbers, and what would have to change."""

    def message(self, *facts: object, reason: Reason) -> str:
        told = {one.reason: one.message for one in cycle(ledger(*facts)).not_offered["f1"]}  # type: ignore[arg-type]
        return told[reason]

    def test_of_a_limit_name_the_role_that_has_it(self):
        message = self.message(
            node(),
            role("org", limit=amounts(cpu=3000)),
            role("team", "org"),
            wanting(count=9, role="team"),
            Charge("n1", amounts(cpu=3000), "f1"),
            reason=Reason.QUOTA,
        )
        assert message == "quota of role org: 3 of 3 cpu used; raise its limit or free some"

    def test_of_a_limit_that_is_nearly_used_up_name_what_a_task_needs(self):
        message = self.message(
            node(),
            role("team", limit=amounts(cpu=3000)),
            wanting(count=9, role="team"),
            Charge("n1", amounts(cpu=2500), "f1"),
            reason=Reason.QUOTA,
        )
        assert message == "quota of role team: 2500m of 3 cpu used, and a task needs 1; raise its limit or free some"

    def test_of_a_limit_name_what_is_kept_below_it(self):
        message = self.message(
            node(),
            role("org", limit=amounts(cpu=3000)),
            role("team", "org"),
            role("prod", "org", guarantee=amounts(cpu=3000)),
            wanting(count=1, role="team"),
            reason=Reason.QUOTA,
        )
        assert message == (
            "quota of role org: 0 of 3 cpu used, 3 kept for roles below it; raise its limit or free some"
        )

    def test_of_headroom_say_how_much_is_kept_and_for_whom(self):
        message = self.message(
            node(),
            node("n2", cpu=2000),
            role("prod", guarantee=amounts(cpu=3000)),
            role("db", guarantee=amounts(cpu=3000, gpu=1)),
            role("memory", guarantee=amounts(memory=1024)),
            wanting(memory=0),
            reason=Reason.HEADROOM,
        )
        assert message == (
            "cpu 6 is kept for guarantees that are not met (roles db, prod); "
            "free as much more, add nodes or lower the guarantees"
        )

    def test_of_headroom_do_not_list_roles_without_end(self):
        roles = [role(f"r{number}", guarantee=amounts(cpu=1000)) for number in range(6)]
        message = self.message(node(), *roles, wanting(), reason=Reason.HEADROOM)
        assert "(roles r0, r1, r2 and 3 more)" in message

    def test_of_a_reservation_name_its_holder(self):
        holder = Reservation("n1", HALF, "prod", "db")
        message = self.message(node(), role("prod"), holder, wanting(cpu=3000), reason=Reason.RESERVED)
        assert message == (
            "a task needs cpu 3, memory 1Gi, which is free, but reserved for prod (framework db); "
            "end a reservation or add nodes"
        )

    def test_of_a_taint_name_it(self):
        valued = node(taints=(Taint("dedicated", "db"),))
        message = self.message(valued, wanting(), reason=Reason.TAINTED)
        assert message == ("taint dedicated=db:NoSchedule is not tolerated; add a toleration or take the taint off")
        message = self.message(tainted("n1"), wanting(), reason=Reason.TAINTED)
        assert message.startswith("taint dedicated:NoSchedule is not tolerated")

    def test_of_a_label_name_it(self):
        message = self.message(node(), wanting(node_selector={"disk": "ssd"}), reason=Reason.UNSUITABLE)
        assert message == "label disk=ssd is missing; label the node so or ask for another"

    def test_of_a_full_node_say_what_a_task_needs_but_for_being_a_pod(self):
        entry = Demand("task", {**amounts(cpu=9000, memory=1024), "pods": 1}, 1)
        message = self.message(node(), framework(demand=(entry,)), reason=Reason.EXHAUSTED)
        assert message == (
            "a task needs cpu 9, memory 1Gi, and less is free; free as much on one node, add nodes or ask for less"
        )

    def test_of_the_order_give_the_share_that_was_held(self):
        message = self.message(
            node(cpu=2000),
            Charge("n1", amounts(cpu=1000), "f1"),
            wanting("f0"),
            wanting(count=2),
            reason=Reason.SHARE_ORDER,
        )
        assert message == (
            "others came first in the order of shares (its own in role role-of-f1 was 0.5000); "
            "add nodes or raise the weight of its role"
        )

    def test_stay_the_same_while_nothing_changes_but_the_time(self):
        one = ledger(node(), Refusal("f1", 30.0, {"n1": ALL}), framework())
        assert cycle(one, now=1.0).not_offered == cycle(one, now=20.0).not_offered


class TestOwnReservations:
    """What is reserved for who waits is not told as reserved for others."""

    def reasons_of(self, asking, *facts) -> dict[Reason, int]:
        limited = role("b", "a", limit={"cpu": 0, "memory": 0})
        return reasons(cycle(ledger(node("n1"), node("n2"), role("a"), limited, *facts, asking)))

    @pytest.mark.parametrize("asking", [framework(role="b"), wanting(count=4, role="b")], ids=["whole", "tasks"])
    def test_are_told_apart_from_those_of_others(self, asking):
        others = Reservation("n2", ALL, "other")
        for own in (Reservation("n1", ALL, "a"), Reservation("n1", ALL, "a", "f1")):
            assert Reason.RESERVED not in self.reasons_of(asking, own)
            assert self.reasons_of(asking, own, others)[Reason.RESERVED] == 1

    @pytest.mark.parametrize("asking", [framework(role="b"), wanting(count=4, role="b")], ids=["whole", "tasks"])
    def test_that_are_too_small_are_told_where_others_hold_the_rest(self, asking):
        some = Reservation("n1", amounts(cpu=5), "a")
        rest = Reservation("n1", amounts(cpu=3995, memory=4096), "other")
        assert self.reasons_of(asking, some, rest)[Reason.RESERVED] == 1

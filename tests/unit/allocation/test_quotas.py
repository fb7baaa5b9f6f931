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

from tender.allocation import Charge, Framework, Ledger, Node, Reason, Reservation, Role, Settings
from tender.allocation.headroom import Headroom
from tender.allocation.quotas import Quotas

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

    def test_is_not_kept_on_nodes_that_only_others_of_the_tree_could_use(self):
        one = ledger(
            tainted("n1"),
            role("a"),
            role("b", "a", guarantee=FOUR),
            framework("beside", "a", demand=(), tolerations=tolerating()),
            framework("owed", "b", demand=(), node_selector={"disk": "ssd"}),
            framework("f1", tolerations=tolerating()),
        )
        assert offered(cycle(one)) == {"f1": {"n1": FOUR}}

    def test_is_kept_wherever_any_framework_of_the_role_could_run(self):
        one = ledger(
            node("n1", labels={"disk": "ssd"}),
            node("n2", labels={"disk": "hdd"}),
            node("n3"),
            role("prod", guarantee=amounts(cpu=8000, memory=8192)),
            framework("fast", "prod", demand=(), node_selector={"disk": "ssd"}),
            framework("slow", "prod", demand=(), node_selector={"disk": "hdd"}),
            framework("f1"),
        )
        assert offered(cycle(one)) == {"f1": {"n3": FOUR}}

    def test_is_kept_for_roles_with_frameworks_and_without(self):
        one = ledger(
            tainted("n1"),
            node("n2"),
            role("prod", guarantee=FOUR),
            role("later", guarantee=FOUR),
            framework("idle", "prod", demand=(), tolerations=tolerating()),
            framework("f1", tolerations=tolerating()),
        )
        assert offered(cycle(one)) == {}

    def test_is_not_kept_on_open_nodes_if_all_roles_have_frameworks_that_need_others(self):
        one = ledger(
            node("n1"),
            role("prod", guarantee=ONE),
            role("test", guarantee=ONE),
            framework("prod", "prod", demand=(), node_selector={"disk": "ssd"}),
            framework("test", "test", demand=(), node_selector={"disk": "hdd"}),
            framework("f1"),
        )
        assert offered(cycle(one)) == {"f1": {"n1": FOUR}}

    def test_loses_nothing_by_what_is_granted_elsewhere(self):
        for seed in range(6):
            one = ledger(
                node("n1"),
                tainted("n2"),
                role("prod", guarantee=ONE),
                framework("f1", tolerations=tolerating()),
            )
            made = offered(cycle(one, seed=seed))
            assert made == {"f1": {"n1": amounts(cpu=3000, memory=3072), "n2": FOUR}}

    def test_leaves_out_a_resource_of_which_nothing_may_be_taken(self):
        one = ledger(node(), role("prod", guarantee=amounts(cpu=4000)), framework("f1"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(memory=4096)}}

    def test_lets_the_last_bit_be_taken_that_is_not_needed(self):
        one = ledger(node(), role("prod", guarantee=amounts(cpu=3999)), framework("f1"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=1, memory=4096)}}

    def test_of_a_resource_that_no_node_has_keeps_nothing_else_back(self):
        one = ledger(node(), role("prod", guarantee={"fpga": 1}), framework("f1"))
        assert offered(cycle(one)) == {"f1": {"n1": FOUR}}

    def test_keeps_no_unmet_guarantee_on_nodes_without_room_for_both(self):
        one = ledger(
            node("n1"),
            node("n2"),
            role("prod", guarantee=amounts(cpu=6000)),
            wanting("f1", 8, cpu=1000, memory=0),
        )
        assert tasks_granted(cycle(one)) == {"f1": 2}


class TestTheShortfall:
    """How much less is available than guarantees need: what is taken back for."""

    def shortfall(self, *facts) -> dict[str, int]:
        one = ledger(*facts)
        headroom = Headroom(one, Settings(), Quotas(one, one.role_holdings()))
        return headroom.shortfall(["cpu", "memory", "nvidia.com/gpu"])

    def test_is_what_is_lacking(self):
        used = Charge("n1", amounts(cpu=3000))
        assert self.shortfall(node(), used, role("a", guarantee=FOUR)) == amounts(cpu=3000)

    def test_is_all_where_there_is_nothing(self):
        assert self.shortfall(role("a", guarantee=amounts(cpu=1, gpu=1))) == amounts(cpu=1, gpu=1)

    def test_is_nothing_where_there_is_just_enough(self):
        assert self.shortfall(node(), role("a", guarantee=FOUR)) == {}

    def test_is_nothing_without_guarantees(self):
        full = Charge("n1", FOUR)
        assert self.shortfall(node(), full, role("a", limit=ONE)) == {}


class TestASingleGpu:
    """Amounts of one, where an error of one is an error of all."""

    NODE = node("g1", gpu=1)
    ABLE = frozenset({"nvidia.com/gpu"})

    def test_is_kept_for_a_role_that_is_guaranteed_it(self):
        one = ledger(self.NODE, role("ml", guarantee=amounts(gpu=1)), framework("f1", capabilities=self.ABLE))
        assert offered(cycle(one)) == {"f1": {"g1": FOUR}}

    def test_is_given_to_a_role_that_may_have_one(self):
        one = ledger(self.NODE, role("ml", limit={"nvidia.com/gpu": 1}), framework("f1", "ml", capabilities=self.ABLE))
        assert offered(cycle(one)) == {"f1": {"g1": amounts(cpu=4000, memory=4096, gpu=1)}}

    def test_is_not_given_to_a_role_that_may_have_none(self):
        one = ledger(self.NODE, role("ml", limit={"nvidia.com/gpu": 0}), framework("f1", "ml", capabilities=self.ABLE))
        assert offered(cycle(one)) == {"f1": {"g1": FOUR}}

    def test_is_kept_under_a_limit_for_the_child_that_is_guaranteed_it(self):
        one = ledger(
            self.NODE,
            role("a", limit=amounts(gpu=1)),
            role("b", "a", guarantee=amounts(gpu=1)),
            role("c", "a"),
            wanting("f1", 1, "c", gpu=1),
        )
        assert cycle(one).grants == ()
        one.put_framework(wanting("f1", 1, "b", gpu=1))
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_goes_to_the_role_that_is_guaranteed_it_though_others_hold_less(self):
        one = ledger(
            self.NODE,
            node("n2"),
            role("ml", guarantee=amounts(gpu=1)),
            wanting("f1", 1, "ml", gpu=1),
            wanting("f2", 1, gpu=1),
            Charge("n2", ONE, "f1"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_is_kept_for_a_sibling_out_of_what_the_parent_is_guaranteed(self):
        one = ledger(
            node("g1", gpu=2),
            role("a", guarantee=amounts(gpu=2)),
            role("b", "a"),
            role("c", "a", guarantee=amounts(gpu=1)),
            wanting("f1", 2, "b", gpu=1),
        )
        assert tasks_granted(cycle(one)) == {"f1": 1}


class TestSeveralLimits:
    def test_bind_by_the_tightest_wherever_it_is(self):
        for above, below in ((3000, 1000), (1000, 3000)):
            one = ledger(
                node(),
                role("a", limit=amounts(cpu=above)),
                role("b", "a", limit=amounts(cpu=below)),
                framework("f1", "b"),
            )
            assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=1000, memory=4096)}}

    def test_name_the_tightest_when_they_bind(self):
        limits = (role("a", limit=amounts(cpu=3000)), role("b", "a", limit=amounts(cpu=2000)))
        asking = wanting("f1", 1, "b", cpu=3500)
        assert "quota of role b" in quota_message(ledger(node(), *limits, asking))
        elsewhere = framework("f2", "a", demand=())
        held = Charge("n1", amounts(cpu=2500), "f2")
        assert "quota of role a" in quota_message(ledger(node("n0"), node(), *limits, asking, elsewhere, held))
        kept = role("c", "a", guarantee=amounts(cpu=1500))
        assert "quota of role a" in quota_message(ledger(node(), *limits, kept, asking))

    def test_leave_out_a_resource_that_is_used_up(self):
        one = ledger(node(), role("a", limit={"cpu": 0}), framework("f1", "a"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(memory=4096)}}


def quota_message(on: Ledger) -> str:
    (message,) = (one.message for one in cycle(on).not_offered["f1"] if one.reason == Reason.QUOTA)
    return message


class TestNestedGuarantees:
    def tree(self, **guarantees: int) -> tuple[Role, ...]:
        """A role `a` with the children `b` and `c`, and what of each is guaranteed in CPUs."""
        cpus = {name: amounts(cpu=1000 * count) for name, count in guarantees.items()}
        return (
            role("a", guarantee=cpus.get("a", {})),
            role("b", "a", guarantee=cpus.get("b", {})),
            role("c", "a", guarantee=cpus.get("c", {})),
        )

    def asking(self, count: int, role: str, cpu: int = 1000, name: str = "f1") -> Framework:
        return wanting(name, count, role, cpu=cpu, memory=0)

    def test_of_a_parent_are_for_a_child_beyond_its_own(self):
        one = ledger(node(cpu=3000), *self.tree(a=3, b=2), self.asking(9, "b"))
        assert tasks_granted(cycle(one)) == {"f1": 3}

    def test_of_a_parent_are_for_a_child_but_for_what_its_sibling_is_guaranteed(self):
        one = ledger(node(cpu=3000), *self.tree(a=3, b=1, c=1), self.asking(9, "b"))
        assert tasks_granted(cycle(one)) == {"f1": 2}

    def test_of_a_parent_and_its_own_may_go_into_one_task(self):
        one = ledger(node(cpu=3000), *self.tree(a=3, b=1, c=1), self.asking(1, "b", cpu=2000))
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_of_a_sibling_are_nothing_that_is_owed(self):
        one = ledger(
            node(cpu=3000),
            node("n2"),
            *self.tree(b=2),
            self.asking(1, "c"),
            self.asking(1, "elsewhere", name="f2"),
            Charge("n2", FOUR, "f1"),
        )
        assert tasks_granted(cycle(one)) == {"f2": 1}

    def test_under_a_limit_may_be_used_by_one_large_task(self):
        one = ledger(
            node(),
            role("a", limit=amounts(cpu=3000)),
            role("b", "a", guarantee=amounts(cpu=2000)),
            self.asking(1, "b", cpu=3000),
        )
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_shrink_by_what_is_granted_and_by_no_more(self):
        one = ledger(
            node(), role("prod", guarantee=amounts(cpu=3000)), self.asking(1, "prod"), self.asking(9, "x", name="f2")
        )
        assert tasks_granted(cycle(one)) == {"f1": 1, "f2": 1}

    def test_of_a_parent_shrink_by_what_its_children_are_granted(self):
        one = ledger(node(), *self.tree(a=3, b=1), self.asking(2, "b"), self.asking(9, "x", name="f2"))
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 1}

    def test_are_met_before_the_next_round_begins(self):
        one = ledger(
            node(cpu=2000),
            node("n2"),
            *self.tree(b=1, c=1),
            self.asking(5, "b"),
            self.asking(5, "c", name="f2"),
            Charge("n2", amounts(memory=4096), "f2"),
        )
        assert tasks_granted(cycle(one, nodes=["n1"])) == {"f1": 1, "f2": 1}

    def test_serve_only_tasks_that_bring_the_role_nearer_to_them(self):
        one = ledger(
            node(cpu=1000, gpu=1),
            role("ml", guarantee=amounts(gpu=1)),
            wanting("f1", 1, "ml", cpu=1000, memory=0),
            wanting("f2", 1, cpu=1000, memory=0),
            node("n2"),
            Charge("n2", amounts(cpu=1000), "f1"),
        )
        assert tasks_granted(cycle(one, nodes=["n1"])) == {}
        able = frozenset({"nvidia.com/gpu"})
        one.put_framework(wanting("f1", 1, "ml", cpu=1000, memory=0, capabilities=able))
        one.put_framework(wanting("f2", 1, cpu=1000, memory=0, capabilities=able))
        assert tasks_granted(cycle(one, nodes=["n1"])) == {"f2": 1}


class TestWhatQuotasSay:
    def quotas(self, *facts) -> Quotas:
        one = ledger(*facts)
        return Quotas(one, one.role_holdings())

    def test_is_nothing_where_no_role_has_one(self):
        quotas = self.quotas(node(), role("a"), framework("f1", "a"))
        assert not quotas
        assert not quotas.bind("a")
        assert (quotas.required, quotas.room("a"), quotas.guaranteed("a"), quotas.excess("a")) == ({}, {}, {}, {})
        assert quotas.cut("a", ONE) == ONE
        assert quotas.unmet_roles() == []

    def test_is_of_a_role_and_of_those_below_it(self):
        quotas = self.quotas(role("a", limit=ONE), role("b", "a"), role("c", "b"), role("other"))
        assert quotas
        assert [name for name in ("a", "b", "c", "other", "unknown") if quotas.bind(name)] == ["a", "b", "c"]

    def test_is_what_is_held_beyond_a_limit(self):
        held = Charge("n1", {"cpu": 1001, "nvidia.com/gpu": 3}, "f1")
        limit = {"cpu": 1000, "nvidia.com/gpu": 3, "memory": 0}
        quotas = self.quotas(node(), role("a", limit=limit), framework("f1", "a"), held)
        assert quotas.excess("a") == {"cpu": 1}
        assert quotas.excess("unknown") == {}

    def test_is_which_roles_lack_something_of_their_own(self):
        quotas = self.quotas(
            role("a", guarantee=amounts(cpu=2000)),
            role("b", "a", guarantee=amounts(cpu=2000)),
            role("c", guarantee=amounts(gpu=1)),
            role("d"),
        )
        assert sorted(quotas.unmet_roles()) == ["b", "c"]
        assert quotas.unmet_roles(["nvidia.com/gpu"]) == ["c"]
        assert quotas.unmet_roles([]) == []

    def test_is_the_same_after_a_grant_that_is_taken_back(self):
        facts = (node(), role("a", guarantee=FOUR, limit=FOUR), role("b", "a", guarantee=ONE, limit=TWO))
        quotas = self.quotas(*facts)
        before = (dict(quotas.required), quotas.room("b"), quotas.guaranteed("b"))
        quotas.grant("b", ONE)
        assert quotas.required == amounts(cpu=3000, memory=3072)
        assert (quotas.room("b"), quotas.guaranteed("b")) == (ONE, amounts(cpu=3000, memory=3072))
        quotas.grant("b", ONE, sign=-1)
        assert (quotas.required, quotas.room("b"), quotas.guaranteed("b")) == before

    def test_counts_a_grant_from_a_reservation_only_beneath_the_role_of_that(self):
        facts = (role("a", limit=FOUR), role("b", "a", limit=FOUR), role("c", "b", limit=FOUR))
        quotas = self.quotas(node(), *facts, Reservation("n1", TWO, "b"))
        quotas.grant("c", ONE, beneath="b")
        assert (quotas.room("a"), quotas.room("b")) == (TWO, TWO)
        assert quotas.room("c") == TWO
        assert quotas.cut("c", FOUR, beneath="b") == amounts(cpu=3000, memory=3072)
        assert quotas.cut("c", FOUR, beneath="c") == FOUR

    def test_counts_a_reservation_of_the_role_itself_as_held_already(self):
        quotas = self.quotas(node(), role("a", limit=FOUR), Reservation("n1", TWO, "a"))
        quotas.grant("a", TWO, beneath="a")
        assert quotas.room("a") == TWO

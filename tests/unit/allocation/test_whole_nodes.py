"""A framework without demand is offered whole nodes, one after the other, cut to what it may have."""

import dataclasses

import pytest
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
    tolerating,
    wanting,
)

from tender.allocation import Charge, Demand, Node, Reason, Refusal, Reservation, Settings

ALL = node().allocatable
HALF = amounts(cpu=2000, memory=2048)
ABLE = frozenset({"nvidia.com/gpu"})


def holders(*facts, **options) -> dict[str, int]:
    """How many nodes each framework is offered."""
    return {name: len(nodes) for name, nodes in offered(cycle(ledger(*facts), **options)).items()}


class TestNodes:
    def test_go_to_the_lowest_share_one_by_one(self):
        nodes = [node(f"n{number}") for number in range(6)]
        assert holders(*nodes, framework("f1"), framework("f2")) == {"f1": 3, "f2": 3}
        assert holders(*nodes, framework("f1"), framework("f2"), framework("f3")) == {"f1": 2, "f2": 2, "f3": 2}

    def test_go_to_the_weights(self):
        nodes = [node(f"n{number}") for number in range(8)]
        weighted = (role("a", weight=3), role("b"))
        assert holders(*nodes, *weighted, framework("f1", "a"), framework("f2", "b")) == {"f1": 6, "f2": 2}

    def test_are_given_with_all_that_is_left_on_them(self):
        one = ledger(node(gpu=1), framework(capabilities=ABLE), Charge("n1", amounts(cpu=1000)))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=3000, memory=4096, gpu=1)}}

    def test_are_given_without_what_is_used_up(self):
        one = ledger(node(), framework(), Charge("n1", amounts(cpu=4000, memory=1)))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(memory=4095)}}

    def test_are_given_once(self):
        one = ledger(node(), framework("f1"), framework("f2"))
        settle(one, cycle(one))
        assert cycle(one).grants == ()

    def test_begin_anywhere(self):
        one = ledger(*(node(f"n{number}") for number in range(4)), framework("f1"), framework("f2"))
        first = {frozenset(offered(cycle(one, seed=seed))["f1"]) for seed in range(30)}
        assert len(first) > 1
        assert frozenset.union(*first) == {"n0", "n1", "n2", "n3"}

    def test_are_only_those_that_the_cycle_is_about(self):
        one = ledger(node("n1"), node("n2"), framework())
        assert offered(cycle(one, nodes=["n2", "unknown"])) == {"f1": {"n2": ALL}}
        assert cycle(one, nodes=[]).grants == ()

    def test_are_told_by_framework_and_role(self):
        nodes = (node(f"n{number}") for number in range(9))
        one = ledger(*nodes, framework("f2", "z", further_roles=("a",)), framework("f1"))
        whose = [(grant.framework, grant.role) for grant in cycle(one).grants]
        assert whose == sorted(whose)
        assert set(whose) == {("f1", "role-of-f1"), ("f2", "a"), ("f2", "z")}


class TestTheMinimum:
    def test_is_any_of_its_sets(self):
        for left, there in (
            (amounts(cpu=10), True),
            (amounts(memory=32), True),
            (amounts(cpu=9, memory=31), False),
            ({}, False),
        ):
            used = {name: amount - left.get(name, 0) for name, amount in ALL.items()}
            made = offered(cycle(ledger(node(), framework(), Charge("n1", used))))
            assert made == ({"f1": {"n1": left}} if there else {})

    def test_needs_all_of_one_set(self):
        one = ledger(node(), framework(minimum=({"cpu": 1000, "nvidia.com/gpu": 1},)))
        assert offered(cycle(one)) == {}

    def test_of_a_framework_counts_before_that_of_the_settings(self):
        one = ledger(node(), framework("f1", minimum=(amounts(cpu=5000),)), framework("f2", minimum=(amounts(cpu=1),)))
        assert offered(cycle(one)) == {"f2": {"n1": ALL}}

    def test_that_is_empty_lets_anything_through_but_pods_alone(self):
        there = Node("n1", {"cpu": 4000, "pods": 110})
        one = ledger(there, framework(minimum=()), Charge("n1", {"cpu": 3999}))
        assert offered(cycle(one)) == {"f1": {"n1": {"cpu": 1, "pods": 110}}}
        one.put_charge("rest", Charge("n1", {"cpu": 1}))
        assert offered(cycle(one)) == {}

    def test_is_looked_for_also_in_what_tasks_of_others_left(self):
        one = ledger(node(), node("n2"), wanting("f1", 3), framework("f2", minimum=(amounts(cpu=1500),)))
        one.put_charge("held", Charge("n2", ALL, "f2"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=3000, memory=3072)}}

    def test_that_no_limit_leaves_is_told_as_quota(self):
        limit = amounts(cpu=5, memory=1)
        one = ledger(node(), role("a", limit=limit), framework(role="a"))
        assert reasons(cycle(one)) == {Reason.QUOTA: 1}

    def test_may_be_left_by_a_limit_in_another_resource(self):
        one = ledger(node(), role("a", limit=amounts(cpu=5)), framework(role="a"))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=5, memory=4096)}}


class TestRefusedNodes:
    def test_are_not_offered_until_there_is_more(self):
        one = ledger(node(), node("n2"), framework(), Refusal("f1", 10.0, {"n1": ALL, "n2": HALF}))
        assert offered(cycle(one)) == {"f1": {"n2": ALL}}
        assert reasons(cycle(one)) == {Reason.FILTERED: 1}

    def test_go_to_others(self):
        one = ledger(node(), framework("f1"), framework("f2"), Refusal("f1", 10.0, {"n1": ALL}))
        assert offered(cycle(one)) == {"f2": {"n1": ALL}}

    def test_are_judged_by_what_is_offered_and_not_by_what_is_there(self):
        refused = Refusal("f1", 10.0, {"n1": amounts(cpu=1000, memory=4096)})
        limited = role("a", limit=amounts(cpu=1000))
        assert offered(cycle(ledger(node(), limited, framework(role="a"), refused))) == {}
        wider = role("a", limit=amounts(cpu=1001))
        assert offered(cycle(ledger(node(), wider, framework(role="a"), refused)))["f1"]["n1"]["cpu"] == 1001

    def test_are_each_told_as_refused(self):
        part = amounts(cpu=1000, memory=4096)
        refused = Refusal("f1", 10.0, {"n1": part, "n2": part})
        one = ledger(node("n1"), node("n2"), role("a", limit=amounts(cpu=1000)), framework(role="a"), refused)
        assert reasons(cycle(one)) == {Reason.FILTERED: 2}

    def test_are_judged_with_what_is_reserved_for_the_framework(self):
        refused = Refusal("f1", 10.0, {"n1": HALF})
        kept = Reservation("n1", HALF, "a")
        assert offered(cycle(ledger(node(), role("a"), kept, framework(role="a"), refused))) == {"f1": {"n1": ALL}}
        assert offered(cycle(ledger(node(), role("a"), kept, framework(role="b"), refused))) == {}

    def test_that_are_all_there_is_leave_nothing_to_wait_for_but_the_time(self):
        one = ledger(node(), framework(), Refusal("f1", 10.0, {"n1": ALL}))
        assert cycle(one).grants == ()
        assert offered(cycle(one, now=10.0)) == {"f1": {"n1": ALL}}


class TestManyNodes:
    """Tasks of others leave on some nodes less than is worth an offer; the others are found among them."""

    BIG = amounts(cpu=3995, memory=4090)
    BUSY = (node("busy"), Charge("busy", ALL, "f1"))

    def offers(self, count: int, *facts, seed: int, minimum=None) -> dict[str, dict[str, int]]:
        """What `f1` is offered, after the tasks of `f2` were placed, one on a third of the nodes each."""
        nodes = [node(f"n{number}", labels={"disk": "ssd"}) for number in range(count)]
        tasks = framework("f2", demand=(Demand("task", self.BIG, count // 3),), node_selector={"disk": "ssd"})
        whole = framework("f1", "a", minimum=minimum, tolerations=tolerating())
        return offered(cycle(ledger(*nodes, *facts, *self.BUSY, tasks, whole), seed=seed)).get("f1", {})

    @pytest.mark.parametrize("minimum", [None, (amounts(cpu=10),), (amounts(memory=5000), amounts(cpu=6))])
    @pytest.mark.parametrize("count", [6, 60])
    def test_are_all_offered_that_nobody_used(self, count, minimum):
        for facts in ((), (role("a", limit=amounts(cpu=9_000_000)),)):
            for seed in range(4):
                made = self.offers(count, *facts, seed=seed, minimum=minimum)
                assert len(made) == count - count // 3
                assert all(one == ALL for one in made.values())

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_offered_with_the_rest_of_others_if_anything_is_worth_it(self, count):
        for seed in range(4):
            made = self.offers(count, role("a", limit=amounts(cpu=9_000_000)), seed=seed, minimum=())
            assert len(made) == count
            assert sorted(one["cpu"] for one in made.values())[: count // 3] == [5] * (count // 3)

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_offered_but_for_what_is_kept_for_guarantees(self, count):
        for seed in range(4):
            made = self.offers(count, role("prod", guarantee=amounts(cpu=6000)), seed=seed)
            rests = 5 * (count // 3)
            assert sum(one.get("cpu", 0) for one in made.values()) == 4000 * (count - count // 3) - (6000 - rests)
            assert sum(one["memory"] for one in made.values()) == ALL["memory"] * (count - count // 3)

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_offered_inside_and_outside_of_what_is_kept(self, count):
        outside = [tainted(f"t{number}") for number in range(count)]
        for seed in range(4):
            made = self.offers(count, *outside, role("prod", guarantee=amounts(cpu=6000)), seed=seed)
            assert {name for name in made if name.startswith("t")} == {one.name for one in outside}
            assert all(made[one.name] == ALL for one in outside)
            assert sum(made[name]["memory"] for name in made if name.startswith("n")) == ALL["memory"] * (
                count - count // 3
            )

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_offered_with_those_reserved_for_the_role(self, count):
        kept = [Reservation(f"r{number}", ALL, "a") for number in range(count)]
        reserved = [node(f"r{number}") for number in range(count)]
        for seed in range(4):
            made = self.offers(count, *reserved, *kept, role("a", limit=amounts(cpu=9_000_000)), seed=seed)
            assert {name for name in made if name.startswith("r")} == {one.name for one in reserved}
            assert len(made) == count + count - count // 3

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_not_offered_beyond_the_limit(self, count):
        for seed in range(4):
            made = self.offers(count, role("a", limit=amounts(cpu=10_000, memory=10 * 1024)), seed=seed)
            assert sum(one["cpu"] for one in made.values()) == 6000
            assert sum(one["memory"] for one in made.values()) == amounts(memory=6 * 1024)["memory"]


class TestAGuarantee:
    def test_is_met_first_with_the_nodes_that_meet_it(self):
        one = ledger(
            node("g1", gpu=1),
            node("n1"),
            role("ml", guarantee=amounts(gpu=1)),
            framework("f1", "ml", capabilities=ABLE),
            framework("f2"),
        )
        for seed in range(4):
            assert offered(cycle(one, seed=seed)) == {
                "f1": {"g1": amounts(cpu=4000, memory=4096, gpu=1)},
                "f2": {"n1": ALL},
            }

    def test_leaves_other_nodes_for_later(self):
        one = ledger(
            node("g1", gpu=1),
            node("n1"),
            role("ml", guarantee=amounts(gpu=1)),
            framework("f1", "ml", capabilities=ABLE),
        )
        for seed in range(4):
            assert offered(cycle(one, seed=seed))["f1"].keys() == {"g1", "n1"}

    def test_is_met_before_lower_shares_and_no_further(self):
        nodes = [node(f"n{number}") for number in range(3)]
        one = ledger(
            *nodes,
            node("held"),
            role("prod", guarantee=amounts(cpu=8000)),
            framework("f1", "prod"),
            framework("f2"),
            Charge("held", amounts(cpu=4000), "f1"),
        )
        made = offered(cycle(one, nodes=[one.name for one in nodes]))
        assert sum(amounts["cpu"] for amounts in made["f1"].values()) == 4000
        assert sum(amounts["cpu"] for amounts in made["f2"].values()) == 8000


class TestPods:
    def test_go_with_the_part_that_is_taken(self):
        there = dataclasses.replace(node(), allocatable={**ALL, "pods": 100})
        one = ledger(there, role("a", limit=amounts(cpu=1000)), framework("f1", "a", minimum=()))
        assert offered(cycle(one)) == {"f1": {"n1": {**amounts(cpu=1000, memory=4096), "pods": 100}}}
        one.put_role(role("a", limit=amounts(cpu=1000, memory=2048)))
        assert offered(cycle(one)) == {"f1": {"n1": {**amounts(cpu=1000, memory=2048), "pods": 50}}}

    def test_are_taken_of_what_is_not_reserved_last(self):
        there = dataclasses.replace(node(), allocatable={**ALL, "pods": 100})
        kept = Reservation("n1", {**HALF, "pods": 40}, "a")
        limit = role("b", "a", limit=amounts(cpu=1000, memory=1024))
        one = ledger(there, role("a"), limit, kept, framework("f1", "b", minimum=()))
        assert offered(cycle(one)) == {"f1": {"n1": {**amounts(cpu=1000, memory=1024), "pods": 25}}}

    def test_that_are_spared_are_there_for_others(self):
        there = dataclasses.replace(node(), allocatable={**ALL, "pods": 100})
        kept = Reservation("n1", {**HALF, "pods": 40}, "a")
        limit = role("b", "a", limit=amounts(cpu=1000, memory=1024))
        one = ledger(there, role("a"), limit, kept, framework("f1", "b"), framework("f2", "a"))
        one.put_node(node("n2"))
        one.put_charge("busy", Charge("n2", ALL, "f2"))
        assert offered(cycle(one)) == {
            "f1": {"n1": {**amounts(cpu=1000, memory=1024), "pods": 25}},
            "f2": {"n1": {**amounts(cpu=3000, memory=3072), "pods": 75}},
        }

    def test_are_spared_to_the_last_one(self):
        there = dataclasses.replace(node(), allocatable={**ALL, "pods": 2})
        one = ledger(there, role("a", limit=HALF), framework("f1", "a"))
        assert offered(cycle(one)) == {"f1": {"n1": {**HALF, "pods": 1}}}

    def test_count_for_no_share(self):
        there = [Node(f"n{number}", {**ALL, "pods": 100}) for number in range(2)]
        busy = Charge("n0", {"pods": 100}, "f1")
        one = ledger(*there, framework("f1"), framework("f2"), busy, Charge("n0", amounts(cpu=1), "f2"))
        assert "n1" in offered(cycle(one, settings=Settings(), nodes=["n1"]))["f1"]

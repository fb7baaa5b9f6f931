"""A framework with demand is offered at most that, one task at a time, spread over the nodes that suit."""

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
    tasks_granted,
    tolerating,
    wanting,
)

from tender.allocation import Charge, Demand, Reason, Refusal, Reservation, Settings


def grants_per_node(*facts) -> list[int]:
    return sorted(sum(grant.tasks.values()) for grant in cycle(ledger(*facts)).grants)


class TestCounts:
    def test_include_what_runs_and_what_is_on_offer(self):
        one = ledger(
            node(),
            wanting(count=4),
            Charge("n1", amounts(cpu=1000), "f1", {"task": 1}),
            Charge("n1", amounts(cpu=1000), "f1", {"task": 1}, offered=True),
        )
        assert tasks_granted(cycle(one)) == {"f1": 2}

    def test_do_not_include_tasks_of_other_names(self):
        one = ledger(node(), wanting(count=1), Charge("n1", amounts(cpu=1000), "f1", {"other": 1}))
        assert tasks_granted(cycle(one)) == {"f1": 1}

    def test_below_what_runs_ask_for_nothing(self):
        one = ledger(node(), wanting(count=1), Charge("n1", amounts(cpu=1000), "f1", {"task": 3}))
        assert cycle(one).grants == ()
        assert cycle(one).not_offered == {}

    def test_are_met_once_and_not_again(self):
        one = ledger(node(), wanting(count=2))
        settle(one, cycle(one))
        assert cycle(one).grants == ()

    def test_start_again_when_a_node_with_tasks_goes(self):
        one = ledger(node(), node("n2"), wanting(count=1), Charge("n2", amounts(cpu=1000), "f1", {"task": 1}))
        one.remove_node("n2")
        assert tasks_granted(cycle(one)) == {"f1": 1}


class TestSpreading:
    def test_gives_every_node_its_turn(self):
        assert grants_per_node(node("n1"), node("n2"), node("n3"), wanting(count=6)) == [2, 2, 2]

    def test_fills_what_is_left_when_a_node_is_full(self):
        assert grants_per_node(node("n1", cpu=1000), node("n2"), wanting(count=4)) == [1, 3]

    def test_stops_at_the_most_that_a_node_may_hold(self):
        running = Charge("n1", amounts(cpu=1000), "f1", {"task": 1})
        one = ledger(node(), node("n2"), wanting(count=9, max_per_node=2), running)
        assert {grant.node: grant.tasks["task"] for grant in cycle(one).grants} == {"n1": 1, "n2": 2}

    def test_begins_at_any_node(self):
        one = ledger(*(node(f"n{number}") for number in range(4)), wanting(count=1))
        firsts = {cycle(one, seed=seed).grants[0].node for seed in range(40)}
        assert firsts == {"n0", "n1", "n2", "n3"}

    def test_spares_nodes_with_anything_scarce(self):
        settings = Settings(scarce_resources=frozenset({"nvidia.com/gpu", "fpga"}))
        able = framework(
            demand=(Demand("web", amounts(cpu=1000), 2),), capabilities=frozenset({"nvidia.com/gpu", "fpga"})
        )
        one = ledger(node("g1", gpu=1), node("p1"), node("n1"), node("n2"), able)
        one.put_node(dataclasses.replace(node("p1"), allocatable={**node().allocatable, "fpga": 1}))
        for seed in range(10):
            made = cycle(one, settings=settings, seed=seed)
            assert {grant.node for grant in made.grants} == {"n1", "n2"}

    def test_leaves_nodes_with_gpus_to_the_last_for_tasks_that_need_none(self):
        demand = (
            Demand("train", amounts(cpu=1000, gpu=1), 1),
            Demand("web", amounts(cpu=1000), 4),
        )
        one = ledger(node("g1", gpu=1), node("n1"), framework(demand=demand))
        grants = {grant.node: grant.tasks for grant in cycle(one).grants}
        assert grants["g1"]["train"] == 1
        assert grants["n1"]["web"] >= 2


class TestManyNodes:
    """As long as there are few nodes they are looked at one by one, and then all at once."""

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_shared_until_none_has_room(self, count):
        nodes = [node(f"n{number}", cpu=1000) for number in range(count)]
        for seed in range(3):
            made = cycle(ledger(*nodes, wanting("f1", 99), wanting("f2", 99), wanting("f3", 99)), seed=seed)
            assert tasks_granted(made) == dict.fromkeys(("f1", "f2", "f3"), count // 3)
            assert sorted(grant.node for grant in made.grants) == sorted(one.name for one in nodes)

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_shared_but_for_what_is_reserved(self, count):
        nodes = [node(f"n{number}", cpu=1000) for number in range(count)]
        kept = [Reservation(f"n{number}", amounts(cpu=1000, memory=1024), "a") for number in range(count - 2)]
        one = ledger(*nodes, role("a"), *kept, wanting("f1", 99, "a"), wanting("f2", 99), wanting("f3", 99))
        made = cycle(one)
        assert {grant.node for grant in made.grants if grant.framework != "f1"} <= {f"n{count - 2}", f"n{count - 1}"}
        assert sum(tasks_granted(made).values()) == count

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_found_among_those_that_others_have_filled_meanwhile(self, count):
        nodes = [node(f"n{number}", cpu=1000) for number in range(count)]
        kept = [Reservation(f"n{number}", amounts(cpu=1000, memory=1024), "a") for number in range(count // 3)]
        for seed in range(4):
            one = ledger(*nodes, role("a"), *kept, wanting("f1", 99, "a"), wanting("f2", count // 3))
            made = cycle(one, seed=seed)
            assert tasks_granted(made) == {"f1": count - count // 3, "f2": count // 3}

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_used_for_tasks_and_for_whatever_is_left(self, count):
        nodes = [node(f"n{number}") for number in range(count)]
        made = offered(cycle(ledger(*nodes, wanting("f1", count), framework("f2"))))
        for resource, amount in node().allocatable.items():
            assert sum(one[resource] for by_node in made.values() for one in by_node.values()) == count * amount
        assert sum(one["cpu"] for one in made["f1"].values()) == count * 1000

    @pytest.mark.parametrize("count", [6, 60])
    def test_are_used_up_to_the_limit(self, count):
        nodes = [node(f"n{number}", cpu=2000) for number in range(count)]
        one = ledger(*nodes, role("a", limit=amounts(cpu=1000 * count)), wanting("f1", 99, "a"), wanting("f2", 99))
        assert tasks_granted(cycle(one)) == {"f1": count, "f2": count}


class TestSeveralEntries:
    def test_are_served_in_the_order_of_what_is_guaranteed_and_then_in_their_own(self):
        demand = (Demand("web", amounts(cpu=1000), 3), Demand("train", amounts(cpu=1000, gpu=1), 1))
        one = ledger(node(cpu=2000, gpu=1), role("ml", guarantee=amounts(gpu=1)), framework(role="ml", demand=demand))
        assert [dict(grant.tasks) for grant in cycle(one).grants] == [{"train": 1, "web": 1}]

    def test_are_served_in_their_order(self):
        demand = (Demand("a", amounts(cpu=3000), 1), Demand("b", amounts(cpu=1000), 9))
        one = ledger(node(), framework(demand=demand))
        assert [dict(grant.tasks) for grant in cycle(one).grants] == [{"a": 1, "b": 1}]

    def test_do_not_wait_for_one_that_fits_nowhere(self):
        demand = (Demand("a", amounts(cpu=9000), 1), Demand("b", amounts(cpu=1000), 1))
        one = ledger(node(), framework(demand=demand))
        assert [dict(grant.tasks) for grant in cycle(one).grants] == [{"b": 1}]

    def test_choose_nodes_each_for_itself(self):
        demand = (
            Demand("a", amounts(cpu=1000), 1, node_selector={"disk": "ssd"}),
            Demand("b", amounts(cpu=1000), 1, tolerations=tolerating()),
        )
        one = ledger(node("n1", labels={"disk": "ssd"}, cpu=1000), tainted("n2", cpu=1000), framework(demand=demand))
        assert {grant.node: dict(grant.tasks) for grant in cycle(one).grants} == {"n1": {"a": 1}, "n2": {"b": 1}}


class TestATask:
    def test_takes_nothing_of_what_it_names_and_does_not_need(self):
        one = ledger(node(), framework(demand=(Demand("task", {"cpu": 1000, "memory": 0}, 1),)))
        assert offered(cycle(one)) == {"f1": {"n1": {"cpu": 1000}}}

    def test_needs_all_of_what_it_needs(self):
        full = Charge("n1", amounts(memory=4096))
        assert cycle(ledger(node(), full, wanting(count=1))).grants == ()

    def test_fits_exactly(self):
        one = ledger(node(), wanting(count=2, cpu=4000, memory=4096))
        assert tasks_granted(cycle(one)) == {"f1": 1}


class TestSeveralRoles:
    def test_share_one_demand(self):
        one = ledger(node(), node("n2"), wanting(count=3, role="a", further_roles=("b",)))
        made = cycle(one)
        assert tasks_granted(made) == {"f1": 3}
        assert {grant.role for grant in made.grants} == {"a", "b"}

    def test_are_each_held_to_their_own_limit(self):
        one = ledger(
            node(), role("a", limit=amounts(cpu=1000)), wanting(count=9, role="a", further_roles=("b",), memory=0)
        )
        made = {grant.role: grant.tasks["task"] for grant in cycle(one).grants}
        assert made == {"a": 1, "b": 3}

    def test_share_what_a_node_may_hold(self):
        one = ledger(node(), wanting(count=9, role="a", further_roles=("b",), max_per_node=2))
        assert tasks_granted(cycle(one)) == {"f1": 4}


class TestScarceResources:
    def test_keep_their_nodes_for_those_who_demand_them(self):
        one = ledger(node("g1", gpu=1), framework("f1"), wanting("f2", gpu=1))
        assert tasks_granted(cycle(one)) == {"f2": 1}

    def test_are_asked_for_by_capability_too(self):
        one = ledger(node("g1", gpu=1), framework("f1", capabilities=frozenset({"nvidia.com/gpu"})))
        assert offered(cycle(one)) == {"f1": {"g1": amounts(cpu=4000, memory=4096, gpu=1)}}


class TestRefusedNodes:
    def refused(self, tasks: int) -> Refusal:
        return Refusal("f1", 10.0, {"n1": amounts(cpu=1000 * tasks, memory=1024 * tasks)})

    def test_are_not_offered_for_as_much(self):
        assert cycle(ledger(node(), wanting(count=2), self.refused(2))).grants == ()

    def test_are_offered_for_more(self):
        one = ledger(node(), wanting(count=3), self.refused(2))
        assert tasks_granted(cycle(one)) == {"f1": 3}

    def test_come_after_nodes_that_were_not_refused(self):
        one = ledger(node(), node("n2", cpu=8000, memory=8192), wanting(count=5), self.refused(2))
        assert {grant.node for grant in cycle(one).grants} == {"n2"}

    def test_are_offered_with_all_that_makes_it_more(self):
        (grant,) = cycle(ledger(node(), wanting(count=4), self.refused(2))).grants
        assert (dict(grant.tasks), grant.resources) == ({"task": 4}, amounts(cpu=4000, memory=4096))
        (grant,) = cycle(ledger(node(), wanting(count=3), self.refused(2))).grants
        assert (dict(grant.tasks), grant.resources) == ({"task": 3}, amounts(cpu=3000, memory=3072))

    def test_are_offered_for_more_of_any_resource(self):
        refused = Refusal("f1", 10.0, {"n1": amounts(cpu=4000, memory=1024)})
        assert tasks_granted(cycle(ledger(node(), wanting(count=2), refused))) == {"f1": 2}
        assert cycle(ledger(node(), wanting(count=1), refused)).grants == ()

    def test_are_offered_for_more_though_it_is_no_multiple(self):
        refused = Refusal("f1", 10.0, {"n1": amounts(cpu=1500, memory=4096)})
        (grant,) = cycle(ledger(node(), wanting(count=2), refused)).grants
        assert (dict(grant.tasks), grant.resources) == ({"task": 2}, amounts(cpu=2000, memory=2048))

    def test_are_offered_for_more_than_the_refusal_that_counts(self):
        refusals = (self.refused(2), Refusal("f1", 10.0, {"n1": amounts(cpu=500)}))
        assert tasks_granted(cycle(ledger(node(), wanting(count=3), *refusals))) == {"f1": 3}
        assert cycle(ledger(node(), wanting(count=2), *refusals)).grants == ()

    def test_are_offered_for_a_resource_that_was_not_refused(self):
        refused = Refusal("f1", 10.0, {"n1": amounts(cpu=4000)})
        assert tasks_granted(cycle(ledger(node(), wanting(count=1), refused))) == {"f1": 1}

    def test_are_offered_for_more_than_every_refusal(self):
        refusals = (self.refused(1), Refusal("f1", 10.0, {"n1": amounts(cpu=2000, memory=2048)}))
        assert cycle(ledger(node(), wanting(count=2), *refusals)).grants == ()
        assert tasks_granted(cycle(ledger(node(), wanting(count=3), *refusals))) == {"f1": 3}

    def test_are_not_offered_for_more_pods_alone(self):
        demand = (Demand("task", {**amounts(cpu=1000, memory=1024), "pods": 1}, 1),)
        there = dataclasses.replace(node(), allocatable={**node().allocatable, "pods": 110})
        assert cycle(ledger(there, framework(demand=demand), self.refused(1))).grants == ()

    def test_are_not_offered_for_a_task_of_pods_alone_however_many(self):
        demand = (Demand("task", {"pods": 1}, 9),)
        there = dataclasses.replace(node(), allocatable={**node().allocatable, "pods": 110})
        assert cycle(ledger(there, framework(demand=demand), self.refused(1))).grants == ()

    def test_are_offered_to_further_entries_once_the_offer_is_more_anyway(self):
        demand = (Demand("a", amounts(cpu=1000), 2), Demand("b", amounts(cpu=1000), 1))
        one = ledger(node(), framework(demand=demand), Refusal("f1", 10.0, {"n1": amounts(cpu=1000)}))
        assert [dict(grant.tasks) for grant in cycle(one).grants] == [{"a": 2, "b": 1}]

    def test_are_offered_for_what_together_with_other_entries_is_more(self):
        demand = (Demand("a", amounts(cpu=2000), 1), Demand("b", amounts(cpu=1000), 1))
        one = ledger(node(), framework(demand=demand), Refusal("f1", 10.0, {"n1": amounts(cpu=1500)}))
        assert [dict(grant.tasks) for grant in cycle(one).grants] == [{"a": 1, "b": 1}]

    def test_are_told_as_refused_each(self):
        names = ("n1", "n2", "n3")
        refused = Refusal("f1", 10.0, dict.fromkeys(names, amounts(cpu=1000, memory=1024)))
        assert reasons(cycle(ledger(*map(node, names), wanting(count=1), refused))) == {Reason.FILTERED: 3}

    def test_are_not_told_as_refused_if_others_filled_them(self):
        small = Refusal("f1", 10.0, {"n1": amounts(cpu=10)})
        one = ledger(node(cpu=1000), wanting("f0", 1), wanting("f1", 1), small)
        assert tasks_granted(cycle(one)) == {"f0": 1}
        assert reasons(cycle(one)) == {Reason.SHARE_ORDER: 1}

    def test_hold_no_more_than_a_node_may(self):
        one = ledger(node(), wanting(count=9, max_per_node=2), self.refused(1))
        assert tasks_granted(cycle(one)) == {"f1": 2}
        assert cycle(ledger(node(), wanting(count=9, max_per_node=1), self.refused(1))).grants == ()

    def test_are_offered_again_when_the_time_is_over(self):
        one = ledger(node(), wanting(count=2), self.refused(2))
        assert tasks_granted(cycle(one, now=10.0)) == {"f1": 2}

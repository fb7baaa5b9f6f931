"""A framework with demand is offered at most that, one task at a time, spread over the nodes that suit."""

from tests.unit.allocation.builders import (
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    settle,
    tainted,
    tasks_granted,
    tolerating,
    wanting,
)

from tender.allocation import Charge, Demand, Refusal


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

    def test_leaves_nodes_with_gpus_to_the_last_for_tasks_that_need_none(self):
        demand = (
            Demand("train", amounts(cpu=1000, gpu=1), 1),
            Demand("web", amounts(cpu=1000), 4),
        )
        one = ledger(node("g1", gpu=1), node("n1"), framework(demand=demand))
        grants = {grant.node: grant.tasks for grant in cycle(one).grants}
        assert grants["g1"]["train"] == 1
        assert grants["n1"]["web"] >= 2


class TestSeveralEntries:
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

    def test_are_offered_again_when_the_time_is_over(self):
        one = ledger(node(), wanting(count=2), self.refused(2))
        assert tasks_granted(cycle(one, now=10.0)) == {"f1": 2}

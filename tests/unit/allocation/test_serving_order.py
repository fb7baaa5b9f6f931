"""Who is served first: the lowest dominant share ÷ weight, level by level, or whoever the lot falls on."""

from collections import Counter
from random import Random

from tests.unit.allocation.builders import amounts, cycle, framework, ledger, node, role, tasks_granted, wanting

from tender.allocation import Charge, Ledger, Reservation, Settings, serving_order

RANDOM = Settings(sorter="random")


def order(on: Ledger, settings: Settings = Settings(), seed: int = 1) -> list[str]:  # noqa: B008
    return serving_order(on, settings, Random(seed))


def holding(name: str, cpu: int) -> Charge:
    return Charge("n1", amounts(cpu=cpu), name)


class TestDominantShares:
    def test_put_the_lowest_first(self):
        one = ledger(node(), framework("f1"), framework("f2"), holding("f1", 100))
        assert order(one) == ["f2", "f1"]

    def test_are_divided_by_weight(self):
        one = ledger(
            node(),
            role("heavy", weight=4),
            framework("f1", "heavy"),
            framework("f2"),
            holding("f1", 300),
            holding("f2", 100),
        )
        assert order(one) == ["f1", "f2"]

    def test_give_way_to_past_allocations_and_then_to_names_when_equal(self):
        one = ledger(node(), framework("f1"), framework("f2"), framework("f3"))
        one.note_allocation("f1")
        assert order(one) == ["f2", "f3", "f1"]

    def test_compare_whole_subtrees_first(self):
        one = ledger(
            node(),
            role("a"),
            role("a-b", "a"),
            role("a-c", "a"),
            framework("busy", "a-b"),
            framework("empty", "a-c"),
            framework("other", "d"),
            holding("busy", 200),
            holding("other", 100),
        )
        assert order(one) == ["other", "empty", "busy"]

    def test_gather_the_own_frameworks_of_a_parent_role_as_one_child(self):
        one = ledger(
            node(),
            role("a"),
            role("a-b", "a"),
            framework("own1", "a"),
            framework("own2", "a"),
            framework("child", "a-b"),
            holding("own1", 300),
            holding("child", 200),
        )
        assert order(one) == ["child", "own2", "own1"]

    def test_are_those_of_the_scarcest_resource(self):
        one = ledger(node(), framework("f1"), framework("f2"), holding("f1", 1000))
        one.put_charge("memory", Charge("n1", amounts(memory=2048), "f2"))
        assert order(one) == ["f1", "f2"]
        assert order(one, Settings(unshared_resources=frozenset({"memory"}))) == ["f2", "f1"]

    def test_leave_out_resources_that_no_node_has(self):
        one = ledger(node(), framework("f1"), framework("f2"), holding("f2", 1))
        one.put_charge("odd", Charge("n1", {"fpga": 7}, "f1"))
        assert order(one) == ["f1", "f2"]

    def test_are_divided_by_the_weights_of_every_level(self):
        one = ledger(
            node(),
            role("a", weight=2),
            role("a-b", "a", weight=4),
            role("a-c", "a"),
            framework("f1", "a-b"),
            framework("f2", "a-c"),
            framework("f3", "d"),
            holding("f1", 300),
            holding("f2", 100),
            holding("f3", 150),
        )
        assert order(one) == ["f3", "f1", "f2"]

    def test_of_roles_give_way_to_past_allocations_of_all_below_and_then_to_names(self):
        one = ledger(
            role("a"), role("a-b", "a"), framework("f1", "a-b"), framework("f2", "c"), framework("f3", "b"), node()
        )
        assert order(one) == ["f1", "f3", "f2"]
        one.note_allocation("f1")
        assert order(one) == ["f3", "f2", "f1"]
        one.note_allocation("f2")
        assert order(one) == ["f3", "f1", "f2"]
        one.note_allocation("f3")
        one.note_allocation("f3")
        assert order(one) == ["f1", "f2", "f3"]

    def test_of_the_own_frameworks_of_a_role_stand_among_its_children_by_its_name(self):
        one = ledger(
            role("m"), role("a", "m"), role("z", "m"), framework("f1", "z"), framework("f2", "m"), framework("f3", "a")
        )
        assert order(one) == ["f3", "f2", "f1"]
        one.note_allocation("f2")
        assert order(one) == ["f3", "f1", "f2"]
        one.note_allocation("f3")
        assert order(one) == ["f1", "f3", "f2"]

    def test_of_the_own_frameworks_of_a_role_add_up(self):
        one = ledger(
            node(), role("m"), role("z", "m"), framework("f1", "m"), framework("f2", "m"), framework("f3", "z")
        )
        for name in ("f1", "f2", "f3"):
            one.note_allocation(name)
        assert order(one) == ["f3", "f1", "f2"]
        for key, name in enumerate(("f1", "f2")):
            one.put_charge(key, holding(name, 100))
        one.put_charge("z", holding("f3", 150))
        assert order(one) == ["f3", "f1", "f2"]
        one.put_charge("z", holding("f3", 250))
        assert order(one) == ["f1", "f2", "f3"]

    def test_of_the_own_frameworks_of_a_role_weigh_one(self):
        one = ledger(
            node(),
            role("m", weight=9),
            role("a", "m", weight=3),
            framework("f1", "m"),
            framework("f2", "a"),
            holding("f1", 100),
            holding("f2", 290),
        )
        assert order(one) == ["f2", "f1"]
        one.put_charge("more", holding("f2", 20))
        assert order(one) == ["f1", "f2"]

    def test_of_the_own_frameworks_count_only_what_is_held_in_the_role(self):
        one = ledger(
            node(),
            role("m"),
            role("a", "m"),
            framework("f1", "m", further_roles=("elsewhere",)),
            framework("f2", "a"),
            holding("f2", 100),
        )
        one.put_charge("elsewhere", Charge("n1", amounts(cpu=3000), "f1", role="elsewhere"))
        assert order(one)[0] == "f1"
        one.put_charge("here", Charge("n1", amounts(cpu=500), "f1", role="m"))
        assert order(one)[0] == "f2"

    def test_of_a_framework_are_told_apart_by_role(self):
        one = ledger(node(), framework("f1", "a", further_roles=("b",)), framework("f2", "c"), holding("f2", 100))
        one.put_charge("in a", Charge("n1", amounts(cpu=500), "f1", role="a"))
        assert order(one) == ["f1", "f2"]
        one.put_charge("in b", Charge("n1", amounts(cpu=500), "f1", role="b"))
        assert order(one) == ["f2", "f1"]

    def test_hold_reservations_that_nobody_uses(self):
        one = ledger(node(), role("a"), framework("f1", "a"), framework("f2", "b"), holding("f2", 100))
        assert order(one) == ["f1", "f2"]
        one.put_reservation("r", Reservation("n1", amounts(cpu=200), "a"))
        assert order(one) == ["f2", "f1"]

    def test_of_a_framework_hold_reservations_that_name_it(self):
        one = ledger(node(), framework("f1", "a"), framework("f2", "a"), holding("f2", 100))
        assert order(one) == ["f1", "f2"]
        one.put_reservation("r", Reservation("n1", amounts(cpu=200), "a", "f1"))
        assert order(one) == ["f2", "f1"]

    def test_are_followed_as_holdings_change(self):
        one = ledger(node(), framework("f1"), framework("f2"), holding("f1", 100), holding("f2", 200))
        assert order(one) == ["f1", "f2"]
        one.put_charge(4, holding("f2", 50))
        assert order(one) == ["f2", "f1"]
        one.put_charge(4, holding("f2", 200))
        assert order(one) == ["f1", "f2"]
        one.put_charge(3, holding("f1", 300))
        assert order(one) == ["f2", "f1"]
        one.put_node(node("n2", cpu=100_000, memory=1))
        one.put_charge("memory", Charge("n1", amounts(memory=100), "f2"))
        assert order(one) == ["f1", "f2"]

    def test_are_followed_as_the_cluster_grows(self):
        one = ledger(node(), framework("f1"), framework("f2"), holding("f1", 1000))
        one.put_charge("memory", Charge("n1", amounts(memory=800), "f2"))
        assert order(one) == ["f2", "f1"]
        one.put_node(node("n2", cpu=100_000, memory=1))
        assert order(one) == ["f1", "f2"]

    def test_count_what_suppressed_frameworks_of_the_role_hold(self):
        one = ledger(
            node(),
            framework("f1", "a"),
            framework("idle", "a", demand=()),
            framework("f2", "b"),
            holding("idle", 200),
            holding("f2", 100),
        )
        assert order(one) == ["f2", "f1"]


class TestFairnessPerTask:
    def test_gives_the_example_of_the_paper(self):
        one = ledger(
            node(cpu=9000, memory=18 * 1024),
            wanting("fa", 100, cpu=1000, memory=4 * 1024),
            wanting("fb", 100, cpu=3000, memory=1024),
        )
        assert tasks_granted(cycle(one)) == {"fa": 3, "fb": 2}

    def test_follows_weights_that_do_not_divide_evenly(self):
        one = ledger(
            node(cpu=12000, memory=1 << 20),
            role("a", weight=3),
            role("b", weight=1),
            wanting("fa", 100, "a"),
            wanting("fb", 100, "b"),
        )
        assert tasks_granted(cycle(one)) == {"fa": 9, "fb": 3}

    def test_makes_up_for_what_is_held_already(self):
        one = ledger(node(cpu=8000, memory=1 << 20), wanting("fa", 100), wanting("fb", 100), holding("fa", 4000))
        assert tasks_granted(cycle(one)) == {"fb": 4}


class TestEqualShares:
    """Two tasks of `f1` are as much as one of `f2`; it comes to who has had fewer allocations, and then to names."""

    SMALL, LARGE = wanting("f1", 99, memory=0), wanting("f2", 99, cpu=2000, memory=0)

    def test_give_way_to_the_number_of_nodes_granted_in_this_cycle(self):
        for seed in range(4):
            one = ledger(node("n1", cpu=3000), node("n2", cpu=3000), self.SMALL, self.LARGE)
            assert tasks_granted(cycle(one, seed=seed)) == {"f1": 2, "f2": 2}

    def test_do_not_give_way_to_further_tasks_on_the_same_node(self):
        one = ledger(node(cpu=6000), self.SMALL, self.LARGE)
        assert tasks_granted(cycle(one)) == {"f1": 4, "f2": 1}


class TestFairnessInATree:
    NODE = node(cpu=12_000, memory=1 << 20)

    def test_shares_out_level_by_level(self):
        one = ledger(
            self.NODE,
            role("a"),
            role("a-b", "a"),
            role("a-c", "a"),
            wanting("f1", 99, "a-b"),
            wanting("f2", 99, "a-c"),
            wanting("f3", 99, "d"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 3, "f2": 3, "f3": 6}

    def test_shares_out_among_a_role_of_its_own_and_its_children(self):
        one = ledger(
            self.NODE,
            role("a"),
            role("a-b", "a"),
            wanting("f1", 99, "a"),
            wanting("f2", 99, "a"),
            wanting("f3", 99, "a-b"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 3, "f2": 3, "f3": 6}

    def test_leaves_what_a_framework_does_not_need_to_its_role(self):
        one = ledger(self.NODE, wanting("f1", 1, "a"), wanting("f2", 99, "a"), wanting("f3", 99, "b"))
        assert tasks_granted(cycle(one)) == {"f1": 1, "f2": 5, "f3": 6}

    def test_leaves_what_a_role_does_not_need_to_the_others(self):
        one = ledger(
            self.NODE,
            role("a"),
            role("a-b", "a"),
            wanting("f1", 2, "a-b"),
            wanting("f2", 1, "a"),
            wanting("f3", 99, "b"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 1, "f3": 9}

    def test_follows_weights_at_every_level(self):
        one = ledger(
            self.NODE,
            role("a", weight=2),
            role("a-b", "a", weight=3),
            role("a-c", "a"),
            wanting("f1", 99, "a-b"),
            wanting("f2", 99, "a-c"),
            wanting("f3", 99, "d"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 6, "f2": 2, "f3": 4}

    def test_counts_what_was_granted_for_a_guarantee(self):
        for guaranteed in (role("a", guarantee=amounts(cpu=4000)), role("a-b", "a", guarantee=amounts(cpu=4000))):
            one = ledger(
                self.NODE, role("a"), role("a-b", "a"), wanting("f1", 99, "a-b"), wanting("f2", 99, "c"), guaranteed
            )
            assert tasks_granted(cycle(one)) == {"f1": 6, "f2": 6}

    def test_counts_what_was_granted_for_a_guarantee_at_every_level(self):
        one = ledger(
            self.NODE,
            role("a"),
            role("a-b", "a", guarantee=amounts(cpu=5000)),
            role("a-c", "a"),
            wanting("f1", 99, "a-b"),
            wanting("f2", 99, "a-c"),
            wanting("f3", 99, "d"),
        )
        assert tasks_granted(cycle(one)) == {"f1": 5, "f2": 1, "f3": 6}

    def test_serves_a_framework_in_each_of_its_roles(self):
        one = ledger(self.NODE, wanting("f1", 99, "a", further_roles=("b",)), wanting("f2", 99, "c"))
        assert tasks_granted(cycle(one)) == {"f1": 8, "f2": 4}


class TestRandomSorter:
    def first(self, on: Ledger, rounds: int = 3000) -> dict[str, float]:
        firsts = Counter(order(on, RANDOM, seed)[0] for seed in range(rounds))
        return {name: count / rounds for name, count in firsts.items()}

    def test_draws_in_proportion_to_the_weights(self):
        one = ledger(role("a", weight=3), role("b"), framework("fa", "a"), framework("fb", "b"))
        assert abs(self.first(one)["fa"] - 0.75) < 0.05

    def test_draws_level_by_level(self):
        one = ledger(
            role("a"),
            role("a-1", "a", weight=3),
            role("a-2", "a"),
            role("b"),
            framework("f1", "a-1"),
            framework("f2", "a-2"),
            framework("f3", "b"),
        )
        chances = self.first(one)
        assert abs(chances["f1"] - 0.375) < 0.05
        assert abs(chances["f2"] - 0.125) < 0.05
        assert abs(chances["f3"] - 0.5) < 0.05

    def test_does_not_look_at_shares(self):
        one = ledger(node(), framework("fa"), framework("fb"), holding("fa", 4000))
        assert abs(self.first(one)["fa"] - 0.5) < 0.05

    def test_does_not_look_at_shares_within_a_cycle_either(self):
        one = ledger(
            node(cpu=404_000, memory=1 << 20),
            wanting("fa", 400, memory=0),
            wanting("fb", 400, memory=0),
            holding("fb", 4000),
        )
        granted = tasks_granted(cycle(one, settings=RANDOM))
        assert granted != {"fa": 202, "fb": 198}
        assert 170 <= granted["fa"] <= 230

    def test_draws_anew_for_every_task(self):
        one = ledger(
            node(cpu=400_000, memory=1 << 20),
            role("a", weight=3),
            role("b"),
            wanting("fa", 400, "a", memory=0),
            wanting("fb", 400, "b", memory=0),
        )
        granted = tasks_granted(cycle(one, settings=RANDOM))
        assert sum(granted.values()) == 400
        assert 270 <= granted["fa"] <= 330

    def test_is_the_same_for_the_same_seed(self):
        one = ledger(framework("fa"), framework("fb"), framework("fc"))
        assert order(one, RANDOM, 7) == order(one, RANDOM, 7)


class TestSuppressedAndInactiveFrameworks:
    def test_have_no_place_in_the_order(self):
        one = ledger(framework("f1", demand=()), framework("f2", inactive="being deleted"), framework("f3"))
        assert order(one) == ["f3"]

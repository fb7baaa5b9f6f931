"""Who is served first: the lowest dominant share ÷ weight, level by level, or whoever the lot falls on."""

from collections import Counter
from random import Random

from tests.unit.allocation.builders import amounts, cycle, framework, ledger, node, role, tasks_granted, wanting

from tender.allocation import Charge, Ledger, Settings, serving_order

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

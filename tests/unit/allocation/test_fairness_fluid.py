"""Whole tasks against divisible ones: how near the allocator comes to the weighted max-min fair dominant shares.

The fluid shares are computed by linear programmes (`oracles.fluid`), which know of no order in which tasks are given.
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.allocation.oracles.bounds import bounds
from tests.unit.allocation.oracles.cases import MANY, WEIGHTS, Case, Wish, allocate, flat
from tests.unit.allocation.oracles.fluid import level_by_level, max_min, most_share


class TestTheFluidSolution:
    @settings(max_examples=60, deadline=None)
    @given(flat())
    def test_is_the_same_by_raising_the_lowest_and_by_filling(self, case):
        """Max-min fairness and progressive filling are one (Bertsekas, Gallager, Data Networks, section 6.5.2)."""
        raised, filled = max_min(case), level_by_level(case)
        assert raised == pytest.approx(filled, abs=1e-5)

    @settings(max_examples=60, deadline=None)
    @given(flat())
    def test_gives_each_its_part_by_weight_or_all_it_wants(self, case):
        """Sharing incentive without any loss (Ghodsi et al., NSDI 2011, section 6.1): the oracle keeps the law too."""
        everybody = sum(case.weight(wish.role) for wish in case.wishes)
        for wish in case.wishes:
            part = float(case.weight(wish.role) / everybody)
            assert max_min(case)[wish.name] >= min(part, most_share(case, wish)) - 1e-6

    def test_of_the_paper_example_is_two_thirds_each(self):
        """Ghodsi et al., section 4.1: maximise x and y in x + 3y ≤ 9, 4x + y ≤ 18, 4x/18 = 3y/9."""
        paper = Case(((9, 18),), (Wish("a", "ra", (1, 4), MANY), Wish("b", "rb", (3, 1), MANY)))
        assert max_min(paper) == pytest.approx({"a": 2 / 3, "b": 2 / 3})


class TestWholeTasks:
    @settings(max_examples=120, deadline=None)
    @given(flat(largest_node=60), st.integers(0, 3))
    def test_end_within_the_bounds_that_follow_from_the_fluid_solution(self, case, seed):
        """For each framework an interval of tasks about its fluid share, as wide as everybody's last tasks make it.

        It cannot be one task in general. Where a large task finds no room, small ones take the rest of it, many of
        them; and see the small and the large weight below.
        """
        allowed, tasks = bounds(case, max_min(case)), allocate(case, seed).tasks
        for name, (fewest, most) in allowed.items():
            assert fewest <= tasks[name] <= most

    @settings(max_examples=80, deadline=None)
    @given(
        st.tuples(st.integers(1, 200), st.integers(1, 200)),
        st.tuples(st.integers(1, 4), st.integers(0, 4)),
        st.lists(st.integers(1, 40) | st.just(MANY), min_size=1, max_size=6),
    )
    def test_end_within_one_task_where_tasks_and_weights_are_the_same(self, size, task, counts):
        """All are then served in turn, so when the node is full nobody is a task from what it would have had."""
        case = Case((size,), tuple(Wish(f"f{at}", f"r{at}", task, count) for at, count in enumerate(counts)))
        fluid, tasks = max_min(case), allocate(case).tasks
        for wish in case.wishes:
            assert abs(tasks[wish.name] - fluid[wish.name] / float(case.share(task))) <= 1 + 1e-5

    def test_end_further_below_for_a_large_weight_among_many_small_ones(self):
        """Lowest share first rounds up for everybody, and those of weight 1 are full of their first task.

        60 CPUs, a weight of 100 and fifty of 1: by weight 40 CPUs go to the first, but all others are served once
        before its level is theirs. This is Adams' method of apportionment, which may give less than the quota rounded
        down (Balinski, Young, Fair Representation). It gives at most the quota rounded up, whoever it is.
        """
        small = tuple(Wish(f"f{at}", f"r{at}", (1,), MANY) for at in range(50))
        case = Case(((60,),), (Wish("large", "large", (1,), MANY), *small), {"large": Fraction(100)})
        assert allocate(case).tasks["large"] == 10
        assert max_min(case)["large"] * 60 == pytest.approx(40)

    @settings(max_examples=100, deadline=None)
    @given(st.integers(1, 200), st.lists(WEIGHTS, min_size=1, max_size=6))
    def test_never_pass_the_quota_rounded_up_where_all_are_the_same(self, size, weights):
        """Adams' method keeps the upper quota: nobody has a whole task more than its part by weight.

        Nor has anybody less than its part by more than w/W of one task of everybody.
        """
        wishes = tuple(Wish(f"f{at}", f"r{at}", (1,), MANY) for at in range(len(weights)))
        case = Case(((size,),), wishes, {f"r{at}": weight for at, weight in enumerate(weights)})
        for wish in wishes:
            part = case.weight(wish.role) / sum(weights)
            assert part * (size - len(wishes)) <= allocate(case).tasks[wish.name] < part * size + 1

    @settings(max_examples=25, deadline=None)
    @given(flat(frameworks=4, largest_node=2, largest_task=4, zeros=False), st.integers(0, 3))
    def test_come_near_the_fluid_shares_as_they_become_small(self, case, seed):
        """With tasks of at most 1/500 of the node the bounds are 4 % of the node apart, and shares within 2 %."""
        sizes = tuple(tuple(amount * 2000 for amount in size) for size in case.nodes)
        fine = Case(sizes, tuple(Wish(w.name, w.role, w.task, MANY) for w in case.wishes), case.weights)
        fluid = max_min(fine)
        allowed, outcome = bounds(fine, fluid), allocate(fine, seed)
        for wish in fine.wishes:
            task = float(fine.share(wish.task))
            fewest, most = allowed[wish.name]
            assert (most - fewest) * task <= 0.04
            assert float(outcome.share(wish)) == pytest.approx(fluid[wish.name], abs=0.02)

"""The laws of dominant resource fairness, for frameworks with a role of their own each and tasks that are whole.

They are those of Ghodsi et al., Dominant Resource Fairness (NSDI 2011), section 3, with the weights of section 4.3. The
paper proves them for tasks that can be divided; what whole tasks take from them is said with each law, with an example
that needs it. (That they must cost something: Parkes, Procaccia, Shah, Beyond Dominant Resource Fairness, EC 2012.)
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.allocation.oracles.cases import MANY, WEIGHTS, Case, Wish, allocate, flat
from tests.unit.allocation.oracles.enumeration import better
from tests.unit.allocation.oracles.filling import filling, until_misfit
from tests.unit.allocation.oracles.laws import entitlement, envy, worth

SEEDS = st.integers(0, 3)
LAW = settings(max_examples=100, deadline=None)


def case(*tasks: tuple[int, ...], nodes: list[tuple[int, ...]], weights: tuple[int, ...] = ()) -> Case:
    """Frameworks f0, f1, … that want many tasks of these shapes."""
    wishes = tuple(Wish(f"f{at}", f"r{at}", task, MANY) for at, task in enumerate(tasks))
    return Case(tuple(nodes), wishes, {f"r{at}": Fraction(weight) for at, weight in enumerate(weights)})


class TestProgressiveFilling:
    @LAW
    @given(flat(largest_node=60), SEEDS)
    def test_gives_at_least_what_algorithm_1_gives_before_a_task_does_not_fit(self, case, seed):
        """Ghodsi et al., Algorithm 1: "pick user i with lowest dominant share"; the rest is given after that."""
        tasks = allocate(case, seed).tasks
        assert all(tasks[name] >= count for name, count in until_misfit(case).items())

    @LAW
    @given(flat(largest_node=60), SEEDS)
    def test_goes_on_with_everybody_whose_next_task_fits(self, case, seed):
        """Ghodsi et al., progressive filling: it ends for a user when a resource it needs is used up, not for all.

        Every task goes as in an allocation written without heaps, floats and nodes; the order of nodes has no say.
        """
        assert allocate(case, seed).tasks == filling(case)

    def test_gives_the_paper_example_three_and_two(self):
        """Ghodsi et al., section 4.1: 9 CPU and 18 GB, tasks of <1 CPU, 4 GB> and <3 CPU, 1 GB>."""
        paper = case((1, 4), (3, 1), nodes=[(9, 18)])
        assert allocate(paper).tasks == filling(paper) == until_misfit(paper) == {"f0": 3, "f1": 2}


class TestSharingIncentive:
    """Nobody would be better off with a part of its own of the cluster, as large as its weight (sharing incentive)."""

    @LAW
    @given(flat(largest_node=120), SEEDS)
    def test_gives_each_its_part_by_weight_less_one_task_of_everybody(self, case, seed):
        """A framework with weight w of W in all gets w/W of the cluster's dominant resource, or all it wants.

        Taken off w/W · 1 is what may be left where its own next task does not fit, and one task of each other: with
        10 CPU, tasks of 9 CPU and of 1 CPU, the large task goes first and leaves 1 to the other, not 5.
        """
        outcome = allocate(case, seed)
        assert all(outcome.share(wish) >= entitlement(outcome, wish) for wish in outcome.unmet())

    @LAW
    @given(flat(nodes=4, largest_node=60), SEEDS)
    def test_counts_on_several_nodes_what_each_may_have_left(self, case, seed):
        """The same, where each node may have too little left of another resource, and of it just less than a task."""
        outcome = allocate(case, seed)
        assert all(outcome.share(wish) >= entitlement(outcome, wish) for wish in outcome.unmet())

    @LAW
    @given(
        st.lists(st.integers(4, 40), min_size=1, max_size=5),
        st.lists(st.tuples(st.integers(1, 3), WEIGHTS), min_size=1, max_size=5),
        SEEDS,
    )
    def test_loses_less_than_a_task_for_each_node_and_other_when_there_is_one_resource(self, sizes, users, seed):
        """With one resource there is no doubt which one is short: share ≥ w/W (1 - nodes · own task - others')."""
        one = Case(
            tuple((size,) for size in sizes),
            tuple(Wish(f"f{at}", f"r{at}", (size,), MANY) for at, (size, _) in enumerate(users)),
            {f"r{at}": weight for at, (_, weight) in enumerate(users)},
        )
        outcome = allocate(one, seed)
        everybody = sum(one.weight(wish.role) for wish in one.wishes)
        for wish in outcome.unmet():
            others = sum(one.share(other.task) for other in one.wishes if other is not wish)
            left = len(sizes) * one.share(wish.task)
            assert outcome.share(wish) >= one.weight(wish.role) / everybody * (1 - left - others)

    def test_is_lost_to_the_largest_task_that_goes_first(self):
        assert allocate(case((9,), (1,), nodes=[(10,)])).tasks == {"f0": 1, "f1": 1}

    @pytest.mark.parametrize("seed", range(3))
    def test_is_lost_on_several_nodes_for_large_tasks_where_small_ones_spread(self, seed):
        """Tasks of a whole node find none empty once others have spread: they get 2 nodes of 10 here, not 5.

        Packed, the small tasks would leave room for both. It is the price of spreading tasks round robin, not of DRF,
        and inside the bounds above: a task of a whole node finds no room on a node of which hardly anything is used.
        """
        outcome = allocate(case((1,), (4,), nodes=[(4,)] * 10), seed)
        assert outcome.tasks == {"f0": 32, "f1": 2}


class TestEnvyFreeness:
    """Nobody would rather have what another has, scaled by the ratio of their weights (envy-freeness)."""

    @LAW
    @given(flat(nodes=4, largest_node=40), SEEDS)
    def test_holds_up_to_one_task_of_the_envied_and_one_of_ones_own_on_each_node(self, case, seed):
        """One task of the other is what it may be ahead when the envious finds no room any more.

        One task of one's own on each node is what the other may be given after that, of rests too small for it: on
        <4, 2>, f0 with <1, 1> and f1 with <0, 2> get 2 and 0 tasks, and on <2, 2> f1 could run one.
        """
        outcome = allocate(case, seed)
        for wish in outcome.unmet():
            for other in case.wishes:
                if other is not wish:
                    ratio = case.weight(wish.role) / case.weight(other.role)
                    assert envy(outcome, wish, other) < (worth(other, wish) + len(case.nodes)) * ratio

    def test_needs_the_task_of_ones_own_too(self):
        """The example: by one task of the envied alone, envy would be half a task at most."""
        outcome = allocate(case((1, 1), (0, 2), nodes=[(4, 2)]))
        f0, f1 = outcome.case.wishes
        assert outcome.tasks == {"f0": 2, "f1": 0}
        assert envy(outcome, f1, f0) == 1
        assert worth(f0, f1) == Fraction(1, 2)

    @LAW
    @given(flat(nodes=4, largest_node=40), st.data(), SEEDS)
    def test_is_exact_up_to_one_task_between_frameworks_with_the_same_tasks(self, case, data, seed):
        """Equals are treated alike: when one finds no room the other finds none, so nothing is added for rests.

        Of two that want more, n and m tasks with weights v and w: n/v ≥ (m - 1)/w, on any number of nodes.
        """
        task = case.wishes[0].task
        twins = tuple(Wish(f"twin{at}", f"t{at}", task, MANY) for at in range(2))
        weights = {twin.role: data.draw(WEIGHTS) for twin in twins}
        both = Case(case.nodes, (*case.wishes, *twins), {**case.weights, **weights})
        tasks = allocate(both, seed).tasks
        for one, other in (twins, twins[::-1]):
            assert tasks[one.name] / weights[one.role] >= (tasks[other.name] - 1) / weights[other.role]


class TestParetoEfficiency:
    """Nobody can be given more without taking from another (Pareto efficiency)."""

    @LAW
    @given(flat(nodes=5), SEEDS)
    def test_leaves_no_room_on_any_node_for_a_task_that_is_wanted(self, case, seed):
        """Exact, on any number of nodes, for what is placed as it is placed."""
        outcome = allocate(case, seed)
        assert all(lacking for wish in outcome.unmet() for lacking in outcome.blocking(wish))

    @LAW
    @given(flat(frameworks=4, largest_node=10), SEEDS)
    def test_is_dominated_by_no_other_allocation_on_one_node(self, case, seed):
        """Exact, against all allocations there are."""
        assert not list(better(case, allocate(case, seed).tasks))

    def test_does_not_repack(self):
        """Over several nodes another placement can hold more: with f0's tasks side by side, f1 would have two."""
        wishes = (Wish("f0", "r0", (1,), 2), Wish("f1", "r1", (2,), 2))
        assert allocate(Case(((2,), (2,), (2,)), wishes)).tasks == {"f0": 2, "f1": 1}


class TestWeights:
    @LAW
    @given(flat(largest_node=40), st.data(), SEEDS)
    def test_when_raised_never_lower_what_one_gets_on_one_node(self, case, data, seed):
        """Exact, even for whole tasks. (For divisible ones: weighted max-min fairness is monotone in one's weight.)

        Why: with more weight i is served sooner among the same turns of all others. Take the first task of another that
        is given under the old weight and not under the new, for want of a resource r. By then i is e tasks ahead and
        that is why r is short, so e tasks of i hold more of r than what is free of it once that task is given. So under
        the old weight i gets fewer than e more. And if there is no such task, i finds room whenever it did before.
        """
        role = data.draw(st.sampled_from(case.roles()))
        raised = case.reweighted(role, case.weight(role) * data.draw(st.sampled_from([Fraction(3, 2), 2, 4, 10])))
        name = next(wish.name for wish in case.wishes if wish.role == role)
        assert allocate(raised, seed).tasks[name] >= allocate(case, seed).tasks[name]

    @LAW
    @given(flat(nodes=3, largest_node=40), st.sampled_from([Fraction(1, 4), Fraction(2), Fraction(8)]), SEEDS)
    def test_count_in_proportion_only(self, case, factor, seed):
        """Weights are relative: all of them times the same factor change nothing."""
        scaled = Case(case.nodes, case.wishes, {role: weight * factor for role, weight in case.weights.items()})
        assert allocate(scaled, seed).placed == allocate(case, seed).placed

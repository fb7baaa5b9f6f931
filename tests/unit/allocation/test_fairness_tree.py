"""The laws of fairness in a tree of roles, level by level.

The share of a role is the dominant share of all that its subtree holds; it is divided by its weight and compared with
its siblings'. The own frameworks of a role with child roles are together one more child, of weight 1. (DESIGN.md,
section 3, and Mesos' hierarchical roles; what is guaranteed is that of hierarchical DRF, Bhattacharya et al., SoCC
2013, less what whole tasks take from it.)
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.allocation.oracles.branches import Branch, root
from tests.unit.allocation.oracles.cases import MANY, WEIGHTS, Case, Wish, allocate, tree
from tests.unit.allocation.oracles.filling import filling
from tests.unit.allocation.oracles.fluid import level_by_level
from tests.unit.allocation.oracles.laws import ahead_of_bottleneck, entitlement

SEEDS = st.integers(0, 3)
LAW = settings(max_examples=80, deadline=None)


@st.composite
def fine(draw: st.DrawFn) -> Case:
    """One node, tasks of at most 1/500 of it, and one dominant resource for all below each root of the tree."""
    coarse = draw(tree(largest_node=1, largest_task=4))
    width = len(coarse.totals)
    dominant = {name: draw(st.integers(0, width - 1)) for name in ("a", "e", "g")}
    wishes = []
    for wish in coarse.wishes:
        least = [max(1, amount) for amount in wish.task]
        least[dominant[coarse.lineage(wish.role)[-1]]] = max(least)
        wishes.append(Wish(wish.name, wish.role, tuple(least), draw(st.integers(1, 1000) | st.just(MANY))))
    return Case(((2000,) * width,), tuple(wishes), coarse.weights, coarse.parents)


class TestProgressiveFilling:
    @settings(max_examples=120, deadline=None)
    @given(tree(largest_node=40), SEEDS)
    def test_serves_the_lowest_share_by_weight_at_every_level(self, case, seed):
        """Exact on one node: every task goes as in a filling that computes all shares anew for every task."""
        assert allocate(case, seed).tasks == filling(case)

    def test_counts_the_own_frameworks_of_a_role_as_a_child_of_weight_1(self):
        """Of 24 CPUs a role of weight 3 has 18; of those its child role of weight 2 has 12, and its own two 3 each."""
        wishes = tuple(
            Wish(name, role, (1,), MANY) for name, role in [("c", "a-b"), ("own1", "a"), ("own2", "a"), ("o", "z")]
        )
        case = Case(((24,),), wishes, {"a": Fraction(3), "a-b": Fraction(2)}, {"a-b": "a"})
        assert allocate(case).tasks == filling(case) == {"c": 12, "own1": 3, "own2": 3, "o": 6}

    def test_takes_the_share_of_a_role_from_the_sum_of_what_it_holds(self):
        """Not from the sum of its frameworks' shares: half the CPUs for one and half the memory for another are a half.

        So a role with a framework for CPU and one for memory is not behind one with a single framework for both.
        """
        wishes = (Wish("cpu", "a", (1, 0), MANY), Wish("memory", "a", (0, 1), MANY), Wish("both", "b", (1, 1), MANY))
        case = Case(((20, 20),), wishes)
        assert allocate(case).tasks == filling(case) == {"cpu": 10, "memory": 10, "both": 10}


class TestSharingIncentive:
    @LAW
    @given(tree(largest_node=240), SEEDS)
    def test_gives_each_its_part_by_the_weights_on_the_way_less_one_task_of_each_sibling(self, case, seed):
        """At each level w/W of what the role above has, less the one task by which each sibling may be ahead."""
        outcome = allocate(case, seed)
        assert all(outcome.share(wish) >= entitlement(outcome, wish) for wish in outcome.unmet())

    @LAW
    @given(tree(nodes=3, largest_node=120), SEEDS)
    def test_counts_on_several_nodes_what_each_may_have_left(self, case, seed):
        """The same bound as for flat roles: each node may lack another resource, and have left less than a task."""
        outcome = allocate(case, seed)
        assert all(outcome.share(wish) >= entitlement(outcome, wish) for wish in outcome.unmet())

    def test_protects_a_subtree_from_the_number_of_frameworks_beside_it(self):
        """Nine frameworks of one role have together what the one of the other has."""
        many = tuple(Wish(f"f{at}", "a", (1,), MANY) for at in range(9))
        tasks = allocate(Case(((36,),), (*many, Wish("one", "b", (1,), MANY)))).tasks
        assert tasks == {**{wish.name: 2 for wish in many}, "one": 18}


class TestSiblings:
    @LAW
    @given(tree(largest_node=60), SEEDS)
    def test_are_ahead_of_who_wants_more_by_one_task_and_what_was_left_for_smaller_ones(self, case, seed):
        """Everybody who wants more has a bottleneck: a resource in short supply on which no sibling has a higher level.

        That is what makes an allocation max-min fair (Bertsekas, Gallager, Data Networks, section 6.5.2; for users who
        may complain: Dolev et al., No Justified Complaints, ITCS 2012). With whole tasks a sibling may be one ahead
        when the framework finds no room, and be given of the resource later what is too little for the framework.
        """
        outcome = allocate(case, seed)
        for wish in outcome.unmet():
            assert any(
                all(excess <= 0 for excess in ahead_of_bottleneck(outcome, wish, resource))
                for resource in outcome.blocking(wish)[0]
            )

    @LAW
    @given(
        st.integers(1, 60),
        st.lists(st.tuples(st.sampled_from(["a", "a-b", "a-c", "d", "d-e"]), WEIGHTS), min_size=1, max_size=8),
    )
    def test_differ_by_one_task_at_every_level_where_all_tasks_are_the_same(self, size, homes):
        """Of two siblings with n and m tasks and weights v and w, n/v ≥ (m - 1)/w, exactly."""
        wishes = tuple(Wish(f"f{at}", role, (1,), MANY) for at, (role, _) in enumerate(homes))
        case = Case(((size,),), wishes, dict(homes), {"a-b": "a", "a-c": "a", "d-e": "d"})
        tasks = allocate(case).tasks

        def check(branch: Branch) -> None:
            for one in branch.children:
                for other in branch.children:
                    ahead = sum(tasks[wish.name] for wish in other.wishes()) - 1
                    assert sum(tasks[wish.name] for wish in one.wishes()) / one.weight >= ahead / other.weight
                check(one)

        check(root(case))


class TestParetoEfficiency:
    @LAW
    @given(tree(nodes=4), SEEDS)
    def test_leaves_no_room_on_any_node_for_a_task_that_is_wanted(self, case, seed):
        """Exact: a role that is ahead of its siblings still has what they cannot use."""
        outcome = allocate(case, seed)
        assert all(lacking for wish in outcome.unmet() for lacking in outcome.blocking(wish))


class TestFineTasks:
    @settings(max_examples=40, deadline=None)
    @given(fine(), SEEDS)
    def test_come_near_the_fluid_shares_level_by_level(self, case, seed):
        """Within 3 % of the node, with tasks of at most 1/500 of it, of the linear programmes that fill all branches.

        Each role has one dominant resource here: then the share of a role is the sum of its frameworks', and linear.
        """
        fluid, outcome = level_by_level(case), allocate(case, seed)
        for wish in case.wishes:
            assert float(outcome.share(wish)) == pytest.approx(fluid[wish.name], abs=0.03)

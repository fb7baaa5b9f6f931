"""Filters say where a framework has refused something, and where all that is left is no more than that."""

from collections.abc import Mapping
from random import Random

import pytest
from tests.unit.allocation.builders import amounts, framework, ledger, node

from tender.allocation import Charge, Ledger, Refusal, Reservation
from tender.allocation.filters import Filters, is_refused

SMALL, LARGE = amounts(cpu=1000, memory=1024), amounts(cpu=4000, memory=4096)
"""Less than a node has, and all of it."""


def refusal(*nodes: str, until: float = 10.0, by: str = "f1", what: Mapping[str, int] = LARGE) -> Refusal:
    return Refusal(by, until, dict.fromkeys(nodes, what))


def cluster(*names: str) -> Ledger:
    return ledger(*(node(name) for name in names), framework("f1"), framework("f2"))


def sets(on: Ledger, now: float = 0.0, by: str = "f1") -> tuple[set[str], set[str]]:
    """The names of the nodes where a framework refuses anything, and where it refuses all that is left."""
    table = on.table()
    refused, blocked = on.filters(by, now)
    assert refused | blocked | table.everything == table.everything
    return (
        {name for name, slot in table.slots.items() if refused >> slot & 1},
        {name for name, slot in table.slots.items() if blocked >> slot & 1},
    )


class TestAnOffer:
    @pytest.mark.parametrize(
        ("offer", "contained"),
        [
            (amounts(cpu=1000, memory=1024), True),
            (amounts(cpu=999, memory=1024), True),
            (amounts(cpu=1000), True),
            ({}, True),
            (amounts(cpu=1001, memory=1024), False),
            (amounts(cpu=1000, memory=1025), False),
            (amounts(cpu=1, gpu=1), False),
            (amounts(cpu=1000, memory=1024, pods=110), True),
            (amounts(cpu=1001, pods=110), False),
        ],
    )
    def test_is_refused_if_it_is_contained_in_what_was(self, offer, contained):
        assert is_refused(offer, [SMALL]) is contained

    def test_is_refused_if_any_refusal_contains_it(self):
        refusals = [amounts(cpu=1000), amounts(cpu=500, memory=2000)]
        assert is_refused(amounts(cpu=900), refusals)
        assert is_refused(amounts(cpu=500, memory=1), refusals)

    def test_is_not_refused_if_only_all_together_contain_it(self):
        refusals = [amounts(cpu=1000), amounts(cpu=500, memory=2000)]
        assert not is_refused(amounts(cpu=900, memory=1), refusals)

    def test_is_not_refused_where_nothing_is(self):
        assert not is_refused(SMALL, [])
        assert not is_refused({}, [])


class TestWhereSomethingIsRefused:
    def test_is_nowhere_at_first(self):
        assert sets(cluster("a")) == (set(), set())

    def test_is_on_all_nodes_of_a_refusal(self):
        one = cluster("a", "b", "c")
        one.put_refusal(1, refusal("a", "b"))
        assert sets(one) == ({"a", "b"}, {"a", "b"})

    def test_does_not_concern_others(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a"))
        assert sets(one, by="f2") == (set(), set())

    def test_is_not_all_that_is_left_if_there_is_more(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", what=SMALL))
        assert sets(one) == ({"a"}, set())

    def test_is_told_again_in_the_same_way(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a"))
        assert sets(one) == sets(one) == ({"a"}, {"a"})

    def test_grows_with_further_refusals(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", what=SMALL))
        assert sets(one) == ({"a"}, set())
        one.put_refusal(2, refusal("b"))
        assert sets(one) == ({"a", "b"}, {"b"})
        one.put_refusal(3, refusal("a"))
        assert sets(one) == ({"a", "b"}, {"a", "b"})


class TestARefusal:
    def test_ends_alone(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", "b", what=SMALL))
        one.put_refusal(2, refusal("a"))
        assert sets(one) == ({"a", "b"}, {"a"})
        one.remove_refusal(2)
        assert sets(one) == ({"a", "b"}, set())
        one.remove_refusal(1)
        assert sets(one) == (set(), set())

    def test_is_replaced_under_its_key(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a"))
        assert sets(one) == ({"a"}, {"a"})
        one.put_refusal(1, refusal("b"))
        assert sets(one) == ({"b"}, {"b"})
        assert one.refusals("f1", 0.0) == {"b": [LARGE]}

    def test_may_pass_to_another_framework_under_its_key(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a"))
        one.put_refusal(1, refusal("a", by="f2"))
        assert sets(one) == (set(), set())
        assert sets(one, by="f2") == ({"a"}, {"a"})

    def test_that_is_unknown_can_be_removed(self):
        one = cluster("a")
        one.remove_refusal("never there")
        assert sets(one) == (set(), set())

    def test_of_a_framework_that_has_revived_can_be_removed(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a"))
        one.revive("f1")
        one.remove_refusal(1)
        assert sets(one) == (set(), set())

    def test_that_was_removed_leaves_an_equal_one_standing(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a"))
        one.put_refusal(2, refusal("a"))
        one.remove_refusal(1)
        assert one.refused_on("f1", "a", 0.0) == [LARGE]
        assert sets(one) == ({"a"}, {"a"})

    def test_made_after_a_revival_counts(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a"))
        one.revive("f1")
        one.put_refusal(2, refusal("a"))
        assert sets(one) == ({"a"}, {"a"})


class TestTimeThatGoesOn:
    def test_ends_refusals_one_after_the_other(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", until=5.0))
        one.put_refusal(2, refusal("b", until=7.0))
        assert sets(one, 4.9) == ({"a", "b"}, {"a", "b"})
        assert sets(one, 5.0) == ({"b"}, {"b"})
        assert sets(one, 6.9) == ({"b"}, {"b"})
        assert sets(one, 7.0) == (set(), set())

    def test_ends_several_at_once(self):
        one = cluster("a", "b", "c")
        for key, name in enumerate("abc"):
            one.put_refusal(key, refusal(name, until=5.0 + key))
        assert sets(one, 0.0)[0] == {"a", "b", "c"}
        assert sets(one, 6.5) == ({"c"}, {"c"})

    def test_ends_the_shorter_of_two_on_one_node(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a", until=5.0))
        one.put_refusal(2, refusal("a", until=9.0, what=SMALL))
        assert sets(one, 4.0) == ({"a"}, {"a"})
        assert sets(one, 6.0) == ({"a"}, set())
        assert one.refused_on("f1", "a", 6.0) == [SMALL]

    def test_ends_what_was_refused_later_but_for_a_shorter_time_first(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", until=9.0))
        assert sets(one, 0.0)[0] == {"a"}
        one.put_refusal(2, refusal("b", until=2.0))
        assert sets(one, 1.0)[0] == {"a", "b"}
        assert sets(one, 3.0)[0] == {"a"}

    def test_that_goes_back_brings_them_back(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a", until=5.0))
        assert sets(one, 6.0) == (set(), set())
        assert sets(one, 4.0) == ({"a"}, {"a"})

    def test_does_not_matter_to_one_that_is_removed_afterwards(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", until=5.0))
        one.put_refusal(2, refusal("b"))
        assert sets(one, 6.0) == ({"b"}, {"b"})
        one.remove_refusal(1)
        assert sets(one, 6.0) == ({"b"}, {"b"})

    def test_ends_those_that_are_left_of_very_many(self):
        one = cluster("a", "b")
        for key in range(200):
            one.put_refusal(key, refusal("a", until=100.0 + key))
        one.put_refusal("short", refusal("b", until=5.0))
        assert sets(one, 1.0) == ({"a", "b"}, {"a", "b"})
        for key in range(199):
            one.remove_refusal(key)
        assert sets(one, 2.0) == ({"a", "b"}, {"a", "b"})
        assert sets(one, 5.0) == ({"a"}, {"a"})
        assert sets(one, 298.0) == ({"a"}, {"a"})
        assert sets(one, 299.0) == (set(), set())


class TestAmountsThatChange:
    def test_unblock_a_node_where_more_becomes_free_than_was_refused(self):
        one = cluster("a")
        one.put_charge("pod", Charge("a", amounts(cpu=3000, memory=3072)))
        one.put_refusal(1, refusal("a", what=SMALL))
        assert sets(one) == ({"a"}, {"a"})
        one.remove_charge("pod")
        assert sets(one) == ({"a"}, set())

    def test_block_a_node_where_no_more_is_left_than_was_refused(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", "b", what=SMALL))
        assert sets(one) == ({"a", "b"}, set())
        one.put_charge("pod", Charge("b", amounts(cpu=3000, memory=3072)))
        assert sets(one) == ({"a", "b"}, {"b"})

    def test_count_on_all_nodes_however_often_somebody_else_looked_meanwhile(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", "b", what=SMALL))
        assert sets(one) == ({"a", "b"}, set())
        for name in ("a", "b"):
            one.put_charge(name, Charge(name, amounts(cpu=3000, memory=3072)))
            one.table()
        assert sets(one) == ({"a", "b"}, {"a", "b"})

    def test_count_what_is_reserved_as_not_left(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a", what=SMALL))
        assert sets(one) == ({"a"}, set())
        one.put_reservation(1, Reservation("a", amounts(cpu=3000, memory=3072), "r"))
        assert sets(one) == ({"a"}, {"a"})

    def test_block_a_node_where_nothing_is_left_at_all(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a", what=SMALL))
        one.put_charge("pod", Charge("a", LARGE))
        assert sets(one) == ({"a"}, {"a"})


class TestNodesThatComeAndGo:
    def test_move_the_others_with_what_is_refused_there(self):
        one = cluster("a", "b", "c")
        one.put_refusal(1, refusal("b"))
        one.put_refusal(2, refusal("c", what=SMALL))
        assert sets(one) == ({"b", "c"}, {"b"})
        for number in range(12):
            one.put_node(node(f"n{number}"))
            assert sets(one) == ({"b", "c"}, {"b"})
        one.remove_node("a")
        assert sets(one) == ({"b", "c"}, {"b"})

    def test_by_the_hundred_leave_what_is_refused_on_the_others(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("b"))
        assert sets(one) == ({"b"}, {"b"})
        for number in range(100):
            one.put_node(node(f"n{number}"))
        assert sets(one) == ({"b"}, {"b"})

    def test_move_amounts_that_changed_at_the_same_time(self):
        one = cluster("a", "b", "c")
        one.put_refusal(1, refusal("b", what=SMALL))
        assert sets(one) == ({"b"}, set())
        one.put_charge("pod", Charge("b", amounts(cpu=3000, memory=3072)))
        for number in range(5):
            one.put_node(node(f"n{number}"))
        assert sets(one) == ({"b"}, {"b"})

    def test_end_what_is_refused_on_them(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", "b"))
        assert sets(one)[0] == {"a", "b"}
        one.remove_node("a")
        assert sets(one)[0] == {"b"}
        one.put_node(node("a"))
        assert sets(one) == ({"b"}, {"b"})
        assert one.refusals("f1", 0.0) == {"b": [LARGE]}

    def test_are_refused_from_their_coming_if_that_was_known_before(self):
        one = cluster("a")
        one.put_refusal(1, refusal("a", "late"))
        assert sets(one) == ({"a"}, {"a"})
        one.put_node(node("late"))
        assert sets(one) == ({"a", "late"}, {"a", "late"})

    def test_are_not_refused_from_their_coming_if_the_time_was_over_by_then(self):
        one = cluster("a")
        one.put_refusal(1, refusal("late", until=5.0))
        assert sets(one, 1.0) == (set(), set())
        assert sets(one, 6.0) == (set(), set())
        one.put_node(node("late"))
        assert sets(one, 7.0) == (set(), set())

    def test_are_not_refused_from_their_coming_if_the_refusal_was_removed(self):
        one = cluster("a")
        one.put_refusal(1, refusal("late"))
        assert sets(one) == (set(), set())
        one.remove_refusal(1)
        one.put_node(node("late"))
        assert sets(one) == (set(), set())


class TestOneNode:
    def test_can_be_cleared_for_all_frameworks(self):
        one = Filters()
        one.put(1, refusal("a", "b"))
        one.put(2, refusal("a", by="f2"))
        one.clear_node("a")
        one.clear_node("unknown")
        assert one.standing("f1", 0.0) == {"b": [LARGE]}
        assert one.standing("f2", 0.0) == {}
        assert one.on("f1", "a", 0.0) == []

    def test_is_refused_until_the_time_is_reached(self):
        one = Filters()
        one.put(1, refusal("a", until=5.0))
        assert one.on("f1", "a", 4.9) == [LARGE]
        assert one.on("f1", "a", 5.0) == []
        assert one.on("f1", "b", 0.0) == []
        assert one.on("nobody", "a", 0.0) == []

    def test_is_refused_for_as_long_as_is_told(self):
        one = Filters()
        one.put(1, refusal("a", until=5.0))
        one.put(2, refusal("a", until=7.0, what=SMALL))
        assert one.ends("f1", "a", 4.9) == [5.0, 7.0]
        assert one.ends("f1", "a", 5.0) == [7.0]
        assert one.ends("f1", "a", 7.0) == []
        assert one.ends("f1", "b", 0.0) == []
        assert one.ends("nobody", "a", 0.0) == []

    def test_that_changes_its_labels_is_cleared(self):
        one = cluster("a", "b")
        one.put_refusal(1, refusal("a", "b"))
        assert sets(one) == ({"a", "b"}, {"a", "b"})
        one.put_node(node("a", labels={"disk": "ssd"}))
        assert sets(one) == ({"b"}, {"b"})


class TestFiltersThatFollowChanges:
    @pytest.mark.parametrize("seed", range(15))
    def test_are_as_if_worked_out_anew(self, seed):
        rng = Random(seed)
        now = 0.0
        one = ledger(framework("f1"), framework("f2"))
        for step in range(60):
            self.change(one, step, now, rng)
            now += rng.choice((0, 0, 0.5, 1, -0.5))
            for name in ("f1", "f2"):
                standing = one.refusals(name, now)
                there = {node: refused for node, refused in standing.items() if node in one.nodes}
                table = one.table()
                blocked = {node for node, refused in there.items() if is_refused(left(one, node), refused)}
                assert sets(one, now, name) == (set(there), blocked)
                assert {node: one.refused_on(name, node, now) for node in standing} == standing
                assert all(table.left(table.slots[node]) == left(one, node) for node in one.nodes)

    def change(self, one: Ledger, step: int, now: float, rng: Random) -> None:
        place = f"n{rng.randrange(6)}"
        match rng.randrange(9):
            case 0 | 1:
                one.put_node(node(place, labels=rng.choice(({}, {"x": "y"}))))
            case 2:
                one.remove_node(place)
            case 3 | 4 | 5:
                nodes = {f"n{number}": any_amounts(rng) for number in rng.sample(range(6), rng.randint(1, 3))}
                by = rng.choice(("f1", "f2"))
                one.put_refusal(rng.randrange(8), Refusal(by, now + rng.randint(1, 5), nodes))
            case 6:
                one.remove_refusal(rng.randrange(8))
            case 7:
                one.put_charge(rng.randrange(4), Charge(place, any_amounts(rng)))
            case 8 if step % 5 == 0:
                one.revive("f1")


def any_amounts(rng: Random) -> dict[str, int]:
    return amounts(cpu=rng.randrange(5) * 1000, memory=rng.randrange(5) * 1024)


def left(on: Ledger, name: str) -> dict[str, int]:
    return {resource: amount for resource, amount in on.free(name).items() if amount > 0}

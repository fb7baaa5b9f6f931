"""Sets of nodes as integers: what is in them, in which order they are gone through, and where slots move to."""

from itertools import chain

import pytest

from tender.allocation.slots import Walk, each_from, first_from, joined, with_slot, without_slot

WIDE = (0, 7, 255, 256, 511, 512, 513, 1000)
"""Slots on both sides of every boundary that a walk in small steps may have."""


def rest_of(walk: Walk) -> list[int]:
    """All that is still to come, in order."""
    return list(iter(walk.next, None))


class TestASetOfSlots:
    def test_has_a_bit_for_each(self):
        assert joined([0, 2, 5, 2]) == 0b100101

    def test_of_nothing_is_zero(self):
        assert joined([]) == 0

    def test_holds_slots_beyond_any_machine_word(self):
        assert joined([1000, 3]) == 1 << 1000 | 1 << 3


class TestTheFirstSlot:
    @pytest.mark.parametrize(("start", "first"), [(0, 1), (1, 1), (2, 4), (4, 4), (5, 9), (9, 9)])
    def test_is_the_next_from_the_start_on(self, start, first):
        assert first_from(joined([1, 4, 9]), start) == first

    @pytest.mark.parametrize("start", [10, 11, 500])
    def test_is_the_lowest_beyond_the_end(self, start):
        assert first_from(joined([1, 4, 9]), start) == 1


class TestGoingThroughASet:
    @pytest.mark.parametrize(
        ("start", "order"), [(0, [1, 4, 9]), (1, [1, 4, 9]), (2, [4, 9, 1]), (9, [9, 1, 4]), (10, [1, 4, 9])]
    )
    def test_begins_at_the_start_and_goes_round(self, start, order):
        assert list(each_from(joined([1, 4, 9]), start)) == order

    def test_begins_at_the_lowest_unless_told(self):
        assert list(each_from(joined([4, 1]))) == [1, 4]

    def test_of_nothing_has_no_slot(self):
        assert list(each_from(0, 3)) == []


class TestAWalk:
    @pytest.mark.parametrize("start", [0, 7, 8, 255, 256, 300, 512, 1000, 1001])
    def test_comes_by_every_slot_once_from_the_start_on(self, start):
        nodes = joined(WIDE)
        assert rest_of(Walk(nodes, start)) == list(each_from(nodes, start))

    def test_of_nothing_is_over(self):
        walk = Walk(0, 3)
        assert not walk
        assert walk.next() is None

    def test_has_something_to_come_until_the_last(self):
        walk = Walk(joined([2, 600]), 1)
        left = []
        while walk:
            left.append(walk.next())
        assert left == [2, 600]
        assert walk.next() is None

    def test_tells_what_is_still_to_come(self):
        walk = Walk(joined(WIDE), 8)
        order = list(each_from(joined(WIDE), 8))
        assert walk.rest() == joined(WIDE)
        for gone in range(len(order)):
            walk.next()
            assert walk.rest() == joined(order[gone + 1 :])

    @pytest.mark.parametrize("gone", range(len(WIDE)))
    def test_leaves_out_what_is_cut_meanwhile(self, gone):
        order = list(each_from(joined(WIDE), 100))
        walk = Walk(joined(WIDE), 100)
        for _ in range(gone):
            walk.next()
        kept = joined([255, 513, 7, 5])
        walk.cut(kept)
        assert rest_of(walk) == [slot for slot in order[gone:] if kept >> slot & 1]

    def test_is_over_when_all_is_cut(self):
        walk = Walk(joined(WIDE), 7)
        walk.next()
        walk.cut(0)
        assert not walk
        assert walk.next() is None

    def test_takes_nothing_in_that_was_not_there(self):
        walk = Walk(joined([3]), 0)
        walk.cut(joined([2, 3, 4]))
        assert rest_of(walk) == [3]

    def test_goes_through_neighbours_by_the_hundred(self):
        dense = range(300)
        assert rest_of(Walk(joined(dense), 40)) == list(chain(range(40, 300), range(40)))


class TestASlotThatIsPutIn:
    @pytest.mark.parametrize(("slot", "nodes"), [(0, [2, 3, 5]), (1, [2, 3, 5]), (2, [1, 3, 5]), (5, [1, 2, 4])])
    def test_moves_later_ones_up(self, slot, nodes):
        assert with_slot(joined([1, 2, 4]), slot) == joined(nodes)


class TestASlotThatIsTakenOut:
    @pytest.mark.parametrize(("slot", "nodes"), [(0, [0, 1, 3]), (1, [1, 3]), (2, [1, 3]), (3, [1, 2, 3]), (4, [1, 2])])
    def test_moves_later_ones_down(self, slot, nodes):
        assert without_slot(joined([1, 2, 4]), slot) == joined(nodes)

    def test_leaves_the_set_as_it_was_before_it_was_put_in(self):
        for slot in range(12):
            assert without_slot(with_slot(joined([1, 4, 9]), slot), slot) == joined([1, 4, 9])

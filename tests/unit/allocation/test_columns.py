"""Amounts in bulk: arrays of numbers answer as the plain rows do, whatever is asked."""

from collections.abc import Iterable
from random import Random

import numpy as np
import pytest

from tender.allocation.columns import Columns, NumpyColumns, PlainColumns, sum_above_zero
from tender.allocation.slots import joined

KINDS = [NumpyColumns, PlainColumns]
MOST = 2**63 - 1
ROWS: tuple[dict[str, int], ...] = (
    {"cpu": 4, "memory": 8},
    {"cpu": 2},
    {},
    {"memory": -3, "gpu": 1},
    {"cpu": 4, "memory": 7},
)


@pytest.fixture(params=KINDS, ids=["numpy", "plain"])
def kind(request):
    return request.param


class TestFitting:
    def test_takes_enough_of_everything(self, kind):
        assert kind(ROWS).fitting({"cpu": 4, "memory": 8}) == joined([0])

    def test_takes_just_as_much(self, kind):
        assert kind(ROWS).fitting({"cpu": 2}) == joined([0, 1, 4])

    def test_of_nothing_takes_every_node(self, kind):
        assert kind(ROWS).fitting({}) == joined(range(5))

    def test_of_a_resource_that_no_node_has_takes_none(self, kind):
        assert kind(ROWS).fitting({"disk": 1}) == 0
        assert kind(ROWS).fitting({"disk": 1, "cpu": 1}) == 0

    def test_of_none_of_a_resource_takes_who_does_not_have_less(self, kind):
        assert kind(ROWS).fitting({"memory": 0}) == joined([0, 1, 2, 4])

    def test_of_none_of_a_resource_that_no_node_has_asks_for_the_rest(self, kind):
        assert kind(ROWS).fitting({"disk": 0, "cpu": 3}) == joined([0, 4])
        assert kind(ROWS).fitting({"disk": 0}) == joined(range(5))

    def test_of_less_than_nothing_takes_who_owes_no_more(self, kind):
        assert kind(ROWS).fitting({"memory": -3}) == joined(range(5))
        assert kind(ROWS).fitting({"memory": -2}) == joined([0, 1, 2, 4])

    def test_of_more_than_64_bits_hold_takes_none(self):
        columns = NumpyColumns([{"memory": MOST + 5}, {"memory": MOST}])
        assert columns.fitting({"memory": MOST}) == joined([0, 1])
        assert columns.fitting({"memory": MOST + 1}) == 0

    def test_of_far_less_than_nothing_takes_all(self):
        columns = NumpyColumns([{"memory": -(2**70)}, {"memory": 1}])
        assert columns.fitting({"memory": -(2**70)}) == joined([0, 1])
        assert columns.fitting({"memory": -1}) == joined([1])


class TestPutting:
    def test_replaces_the_amounts_of_the_slots(self, kind):
        columns = kind(ROWS)
        columns.put([1, 3], [{"cpu": 9}, {"memory": 9}])
        assert columns.fitting({"cpu": 9}) == joined([1])
        assert columns.fitting({"memory": 8}) == joined([0, 3])
        assert columns.fitting({"gpu": 1}) == 0

    def test_takes_a_resource_that_is_not_named_for_none_of_it(self, kind):
        columns = kind(ROWS)
        columns.put([0], [{"cpu": 4}])
        assert columns.fitting({"memory": 1}) == joined([4])

    def test_of_nothing_changes_nothing(self, kind):
        columns = kind(ROWS)
        columns.put([], [])
        assert columns.differing(kind(ROWS)) == 0

    def test_keeps_no_hold_of_the_rows(self, kind):
        row = {"cpu": 1}
        columns = kind([row])
        row["cpu"] = 5
        assert columns.fitting({"cpu": 2}) == 0


class TestAdding:
    def test_counts_up_and_down(self, kind):
        columns = kind(ROWS)
        assert columns.add(1, {"cpu": 3, "disk": 1}, 1)
        assert columns.add(0, {"cpu": 1}, -1)
        assert columns.fitting({"cpu": 5}) == joined([1])
        assert columns.fitting({"cpu": 4}) == joined([1, 4])
        assert columns.fitting({"disk": 1}) == joined([1])

    def test_goes_on_after_slots_have_moved(self, kind):
        columns = kind(ROWS)
        columns.add(0, {"cpu": 1}, 1)
        columns.insert(0)
        columns.add(1, {"cpu": 1}, 1)
        assert columns.fitting({"cpu": 6}) == joined([1])

    def test_says_when_64_bits_do_not_hold_it(self):
        assert not NumpyColumns([{"memory": MOST}]).add(0, {"memory": 1}, 1)


class TestDiffering:
    def test_tells_the_slots_with_other_amounts(self, kind):
        others = kind([*ROWS[:2], {"disk": 1}, {"memory": -3, "gpu": 2}, {**ROWS[4], "x": 0}])
        assert kind(ROWS).differing(others) == others.differing(kind(ROWS)) == joined([2, 3])

    def test_tells_none_of_the_same(self, kind):
        assert kind(ROWS).differing(kind(ROWS)) == 0


class TestWithout:
    def test_takes_amounts_off(self, kind):
        left = kind(ROWS).without(kind([{"cpu": 1}, {}, {"disk": 1}, {"gpu": 1}, {"memory": 7}]))
        assert (
            left.differing(kind([{"cpu": 3, "memory": 8}, {"cpu": 2}, {"disk": -1}, {"memory": -3}, {"cpu": 4}])) == 0
        )

    def test_leaves_both_as_they_were(self, kind):
        columns, others = kind(ROWS), kind([{"cpu": 1}] * 5)
        columns.without(others).put([0], [{}])
        assert columns.differing(kind(ROWS)) == others.differing(kind([{"cpu": 1}] * 5)) == 0


class TestSlots:
    def test_that_are_put_in_have_no_amounts(self, kind):
        columns = kind(ROWS)
        columns.insert(1)
        assert columns.fitting({"cpu": 1}) == joined([0, 2, 5])
        assert columns.fitting({}) == joined(range(6))

    def test_that_are_put_in_at_the_end_count_too(self, kind):
        columns = kind(ROWS)
        columns.insert(5)
        columns.put([5], [{"gpu": 1}])
        assert columns.fitting({"gpu": 1}) == joined([3, 5])

    def test_that_are_taken_out_close_up(self, kind):
        columns = kind(ROWS)
        columns.remove(1)
        assert columns.fitting({"cpu": 1}) == joined([0, 3])
        assert columns.fitting({}) == joined(range(4))

    def test_may_all_go(self, kind):
        columns = kind([{"cpu": 1}])
        columns.remove(0)
        assert columns.fitting({}) == 0
        assert columns.total(0) == {}


class TestTotals:
    def test_are_sums_of_what_is_above_zero(self, kind):
        assert kind(ROWS).total(joined(range(5))) == {"cpu": 10, "memory": 15, "gpu": 1}

    def test_leave_other_nodes_out(self, kind):
        assert kind(ROWS).total(joined([1, 3])) == {"cpu": 2, "gpu": 1}

    def test_of_no_node_are_empty(self, kind):
        assert kind(ROWS).total(0) == {}
        assert kind([]).total(0) == {}

    def test_are_exact_beyond_64_bits(self, kind):
        assert kind([{"memory": MOST}] * 3).total(joined(range(3))) == {"memory": 3 * MOST}

    @pytest.mark.parametrize("amount", [MOST // 2, MOST // 2 + 1])
    def test_are_exact_where_64_bits_end(self, amount):
        assert sum_above_zero(np.array([amount, amount, -5])) == 2 * amount

    def test_take_more_than_64_bits_hold_for_the_most_they_hold(self):
        assert NumpyColumns([{"memory": 2**70}]).total(1) == {"memory": MOST}

    def test_of_an_empty_column_are_zero(self):
        assert sum_above_zero(np.array([], np.int64)) == 0


class TestCopies:
    def test_have_the_same_amounts(self, kind):
        assert kind(ROWS).copy().total(joined(range(5))) == kind(ROWS).total(joined(range(5)))
        assert kind(ROWS).copy().fitting({}) == joined(range(5))

    def test_change_apart(self, kind):
        columns = kind(ROWS)
        copy = columns.copy()
        copy.put([0], [{}])
        columns.put([1], [{"cpu": 9}])
        assert columns.fitting({"cpu": 1}) == joined([0, 1, 4])
        assert copy.fitting({"cpu": 2}) == joined([1, 4])
        assert copy.fitting({"cpu": 3}) == joined([4])


class TestArraysOfNumbers:
    @pytest.mark.parametrize("seed", range(20))
    def test_answer_as_plain_rows_do_whatever_happens(self, seed):
        rng = Random(seed)
        rows = [any_row(rng) for _ in range(rng.randrange(20))]
        kinds: list[Columns] = [NumpyColumns(rows), PlainColumns(rows)]
        others: list[Columns] = [NumpyColumns(rows), PlainColumns(rows)]
        size = len(rows)
        for _ in range(30):
            slots = rng.sample(range(size), rng.randrange(size + 1))
            news = [any_row(rng) for _ in slots]
            slot = rng.randrange(size + 1)
            match rng.randrange(5):
                case 0:
                    for kind in kinds:
                        kind.put(slots, news)
                case 1:
                    for kind in others:
                        kind.put(slots, news)
                case 2 if slot < size:
                    row = any_row(rng)
                    for kind in kinds:
                        kind.add(slot, row, -1)
                case 3:
                    for kind in (*kinds, *others):
                        kind.insert(slot)
                    size += 1
                case 4 if slot < size:
                    for kind in (*kinds, *others):
                        kind.remove(slot)
                    size -= 1
            assert same(kind.differing(other) for kind, other in zip(kinds, others, strict=True))
            left = [kind.without(other) for kind, other in zip(kinds, others, strict=True)]
            requests = any_row(rng)
            assert same(kind.fitting(requests) for kind in left)
            nodes = rng.randrange(1 << size)
            assert same(kind.fitting(requests) for kind in kinds)
            assert same(kind.total(nodes) for kind in kinds)


def any_row(rng: Random) -> dict[str, int]:
    return {name: rng.randint(-2, 5) for name in ("cpu", "memory", "gpu") if rng.random() < 0.7}


def same(answers: Iterable[object]) -> bool:
    first, second = answers
    return bool(first == second)

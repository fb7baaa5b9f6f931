"""What is left in a cycle: on each node, for whom, and which nodes have room, before and after grants."""

import pytest
from tests.unit.allocation.builders import amounts, framework, ledger, node

from tender.allocation import Charge, Ledger, Reservation
from tender.allocation.pool import Pool, Stock, describe, enough

ALL = node().allocatable
HALF = amounts(cpu=2000, memory=2048)
ANY, NAMED, OTHERS = ("a", None), ("a", "f1"), ("z", None)
MINIMUM = ({"cpu": 10}, {"memory": 32})


class TestEnough:
    @pytest.mark.parametrize(
        ("resources", "worth"),
        [
            ({"cpu": 10}, True),
            ({"memory": 32}, True),
            ({"cpu": 9, "memory": 31}, False),
            ({"cpu": 9, "memory": 32}, True),
            ({"gpu": 1}, False),
            ({"pods": 110}, False),
            ({}, False),
        ],
    )
    def test_is_one_of_the_sets(self, resources, worth):
        assert enough(resources, MINIMUM) is worth

    @pytest.mark.parametrize(
        ("resources", "worth"), [({"cpu": 1}, True), ({"cpu": 0, "pods": 5}, False), ({"pods": 5}, False), ({}, False)]
    )
    def test_is_anything_but_pods_without_a_minimum(self, resources, worth):
        assert enough(resources, ()) is worth

    def test_is_never_pods_alone(self):
        assert not enough({"pods": 110}, ({"pods": 1},))

    def test_is_a_whole_set(self):
        assert not enough({"cpu": 5}, ({"cpu": 1, "gpu": 1},))


class TestAStock:
    def stock(self, **kept: dict[str, int]) -> Stock:
        groups = {"any": ANY, "named": NAMED, "others": OTHERS}
        return Stock({"cpu": 10, "memory": 0}, {groups[name]: amounts for name, amounts in kept.items()})

    def test_leaves_what_is_free(self):
        assert self.stock().left() == {"cpu": 10}
        assert self.stock().unreserved() == {"cpu": 10}

    def test_leaves_to_anybody_what_is_not_reserved(self):
        stock = self.stock(any={"cpu": 3}, others={"cpu": 4, "memory": 1})
        assert stock.left() == {"cpu": 10}
        assert stock.unreserved() == {"cpu": 3}
        assert stock.open()["memory"] == -1

    def test_gives_reservations_first_and_then_what_is_open(self):
        stock = self.stock(any={"cpu": 3}, named={"cpu": 2}, others={"cpu": 1})
        assert stock.draws("f1", ["a"]) == [(NAMED, {"cpu": 2}), (ANY, {"cpu": 3}), (None, {"cpu": 4})]
        assert stock.draws("f2", ["a"]) == [(ANY, {"cpu": 3}), (None, {"cpu": 4})]
        assert stock.draws("f2", ["b"]) == [(None, {"cpu": 4})]

    def test_gives_only_what_is_wanted(self):
        stock = self.stock(any={"cpu": 3}, named={"cpu": 2})
        assert stock.draws("f1", ["a"], {"cpu": 4}) == [(NAMED, {"cpu": 2}), (ANY, {"cpu": 2}), (None, {})]
        assert stock.draws("f1", ["a"], {"cpu": 12}) == [(NAMED, {"cpu": 2}), (ANY, {"cpu": 3}), (None, {"cpu": 5})]
        assert self.stock().draws("f1", ["a"], {"cpu": 4, "memory": 2, "gpu": 1}) == [(None, {"cpu": 4})]

    def test_gives_no_more_than_there_is(self):
        stock = self.stock(any={"cpu": 8}, named={"cpu": 7, "memory": 9})
        expected = [(NAMED, {"cpu": 7}), (ANY, {"cpu": 3}), (None, {})]
        assert stock.draws("f1", ["a"]) == stock.draws("f1", ["a"], {"cpu": 20, "memory": 9}) == expected

    def test_has_less_after_something_was_taken(self):
        stock = self.stock(any={"cpu": 3})
        stock.take({"cpu": 2}, ANY)
        stock.take({"cpu": 6})
        assert stock.left() == {"cpu": 2}
        assert stock.unreserved() == {"cpu": 1}
        assert stock.draws("f1", ["a"]) == [(ANY, {"cpu": 1}), (None, {"cpu": 1})]


def slots(nodes: int, on: Ledger) -> set[str]:
    return {name for name, slot in on.table().slots.items() if nodes >> slot & 1}


@pytest.mark.parametrize("others", [0, 20], ids=["few", "many"])
class TestAPool:
    """A pool of two nodes, `n1` reserved in halves and `n2` half used, and of others that are full."""

    def facts(self, others: int) -> tuple[Ledger, Pool]:
        full = (node(f"full{number}") for number in range(others))
        used = (Charge(f"full{number}", ALL) for number in range(others))
        one = ledger(
            node("n1"), node("n2"), framework(), Reservation("n1", HALF, "a"), Charge("n2", HALF), *full, *used
        )
        return one, Pool(one, one.table().everything)

    def test_knows_where_requests_fitted_when_the_cycle_began(self, others):
        one, pool = self.facts(others)
        assert slots(pool.fitting(ALL, reserved=True), one) == {"n1"}
        assert slots(pool.fitting(ALL), one) == set()
        assert slots(pool.fitting(HALF), one) == {"n1", "n2"}
        pool.take(one.table().slots["n2"], HALF)
        assert slots(pool.fitting(HALF), one) == {"n1", "n2"}

    def test_knows_where_requests_fit_now(self, others):
        one, pool = self.facts(others)
        first, second = one.table().slots["n1"], one.table().slots["n2"]
        assert slots(pool.fitting_now(HALF), one) == {"n1", "n2"}
        pool.take(second, amounts(cpu=1))
        assert slots(pool.fitting_now(HALF), one) == {"n1"}
        assert slots(pool.fitting_now(amounts(cpu=1999)), one) == {"n1", "n2"}
        pool.take(first, HALF)
        assert slots(pool.fitting_now(amounts(cpu=1)), one) == {"n2"}
        assert slots(pool.fitting_now(HALF, reserved=True), one) == {"n1"}
        pool.take(first, HALF, ANY)
        assert slots(pool.fitting_now(amounts(cpu=1), reserved=True), one) == {"n2"}

    def test_knows_where_an_offer_was_and_is_worth_making(self, others):
        one, pool = self.facts(others)
        minimum = (amounts(cpu=3000), amounts(memory=5000))
        assert slots(pool.room(minimum, reserved=True), one) == {"n1"}
        assert slots(pool.room(minimum), one) == set()
        assert slots(pool.room(()), one) == {"n1", "n2"}
        assert slots(pool.room_now(minimum, reserved=True), one) == {"n1"}
        pool.take(one.table().slots["n1"], amounts(cpu=1001))
        assert slots(pool.room_now(minimum, reserved=True), one) == set()
        assert slots(pool.room_now((), reserved=True), one) == {"n1", "n2"}
        assert slots(pool.room(minimum, reserved=True), one) == {"n1"}

    def test_is_live_where_anything_is_left(self, others):
        one, pool = self.facts(others)
        first, second = one.table().slots["n1"], one.table().slots["n2"]
        assert slots(pool.live, one) == {"n1", "n2"}
        pool.take(second, amounts(cpu=2000))
        assert slots(pool.live, one) == {"n1", "n2"}
        pool.take(second, amounts(memory=2048))
        assert slots(pool.live, one) == {"n1"}
        pool.take(first, HALF)
        pool.take(first, HALF, ANY)
        assert pool.live == 0
        assert pool.room_now((), reserved=True) == 0

    def test_has_nothing_left_of_a_node_that_was_taken_as_a_whole(self, others):
        one, pool = self.facts(others)
        second = one.table().slots["n2"]
        assert pool.left(second, MINIMUM) == HALF
        pool.take_all(second)
        assert slots(pool.live, one) == {"n1"}
        assert pool.stock(second).left() == {}
        assert slots(pool.fitting_now(amounts(cpu=1), reserved=True), one) == {"n1"}

    def test_has_nothing_left_of_a_node_that_was_looked_at_and_then_taken_as_a_whole(self, others):
        one, pool = self.facts(others)
        second = one.table().slots["n2"]
        pool.take(second, amounts(cpu=500))
        assert slots(pool.fitting_now(amounts(cpu=1500)), one) == {"n1", "n2"}
        assert pool.left(second, MINIMUM) == amounts(cpu=1500, memory=2048)
        pool.take_all(second)
        assert pool.stock(second).left() == {}
        assert slots(pool.fitting_now(amounts(cpu=1)), one) == {"n1"}

    def test_leaves_no_rest_that_is_not_worth_an_offer(self, others):
        one, pool = self.facts(others)
        second = one.table().slots["n2"]
        pool.take(second, amounts(cpu=1995, memory=2048))
        assert pool.left(second, MINIMUM) is None
        assert pool.left(second, (amounts(cpu=5),)) == amounts(cpu=5)

    def test_tells_where_anything_is_reserved(self, others):
        one, pool = self.facts(others)
        assert [name for name, slot in one.table().slots.items() if pool.is_reserved(slot)] == ["n1"]

    def test_tells_where_some_of_a_resource_was_free(self, others):
        one, pool = self.facts(others)
        assert slots(pool.something_of(["cpu", "gpu"]), one) == {"n1", "n2"}
        assert slots(pool.something_of(["gpu"]), one) == set()
        assert slots(pool.something_of([]), one) == set()

    def test_tells_where_some_was_free_also_where_it_is_reserved(self, others):
        full = (node(f"full{number}") for number in range(others))
        used = (Charge(f"full{number}", ALL) for number in range(others))
        one = ledger(node("n1", gpu=1), Reservation("n1", {**ALL, **amounts(gpu=1)}, "a"), *full, *used)
        pool = Pool(one, one.table().everything)
        assert slots(pool.something_of(["nvidia.com/gpu"]), one) == {"n1"}
        assert slots(pool.something_of(["cpu"]), one) == {"n1"}

    def test_takes_of_a_node_only_what_is_there(self, others):
        one, pool = self.facts(others)
        second = one.table().slots["n2"]
        assert not pool.take_if_there(second, amounts(cpu=2001))
        assert not pool.take_if_there(second, amounts(cpu=1, gpu=1))
        assert not pool.take_if_there(second, {"fpga": 1})
        assert pool.left(second, MINIMUM) == HALF
        assert pool.take_if_there(second, amounts(cpu=2000))
        assert slots(pool.live, one) == {"n1", "n2"}
        assert pool.left(second, MINIMUM) == amounts(memory=2048)
        assert not pool.take_if_there(second, amounts(cpu=1))
        assert pool.take_if_there(second, amounts(memory=2048))
        assert slots(pool.live, one) == {"n1"}
        assert slots(pool.fitting_now(amounts(cpu=1)), one) == {"n1"}

    def test_tells_what_lay_on_a_node_at_first(self, others):
        one, pool = self.facts(others)
        second = one.table().slots["n2"]
        pool.take(second, HALF)
        assert pool.at_start(second).left() == HALF

    def test_is_only_of_the_nodes_that_take_part(self, others):
        one, _ = self.facts(others)
        pool = Pool(one, one.table().set_of(["n2"]))
        assert slots(pool.live, one) == {"n2"}
        assert slots(pool.fitting(amounts(cpu=1)), one) == {"n2"}
        assert slots(pool.fitting_now(amounts(cpu=1)), one) == {"n2"}
        assert slots(pool.room((), reserved=True), one) == {"n2"}


class TestWords:
    def test_name_amounts_as_kubernetes_does(self):
        assert describe(amounts(cpu=500, memory=1024)) == "cpu 500m, memory 1Gi"

"""Sums of amounts, and the dominant share: the largest fraction of anything that somebody holds."""

import pytest

from tender.allocation.shares import add_into, dominant_share, fits, positive


class TestTheDominantShare:
    @pytest.mark.parametrize(
        ("held", "share"),
        [
            ({"cpu": 1, "memory": 3}, 0.75),
            ({"cpu": 3, "memory": 1}, 0.75),
            ({"cpu": 1}, 0.25),
            ({"gpu": 1}, 1.0),
            ({"cpu": 1, "unknown": 7}, 0.25),
            ({"none": 7}, 0.0),
            ({"cpu": -1}, 0.0),
            ({}, 0.0),
        ],
    )
    def test_is_the_largest_fraction_of_what_there_is(self, held, share):
        assert dominant_share(held, {"cpu": 4, "memory": 4, "gpu": 1, "none": 0}) == share

    def test_leaves_out_what_is_not_shared(self):
        assert dominant_share({"cpu": 1, "pods": 3}, {"cpu": 4, "pods": 4}, frozenset({"pods"})) == 0.25


class TestSums:
    def test_grow_and_shrink(self):
        sums = {"cpu": 1}
        add_into(sums, {"cpu": 2, "memory": 3})
        assert sums == {"cpu": 3, "memory": 3}
        add_into(sums, {"cpu": 1, "memory": 3, "gpu": 1}, -1)
        assert sums == {"cpu": 2, "gpu": -1}

    def test_drop_what_comes_to_nothing(self):
        sums = {"cpu": 1}
        add_into(sums, {"cpu": -1, "memory": 0})
        assert sums == {}


class TestARequest:
    def test_fits_in_as_much_and_not_in_less(self):
        assert fits({"cpu": 2}, {"cpu": 2})
        assert not fits({"cpu": 2}, {"cpu": 1})
        assert not fits({"cpu": 1, "gpu": 1}, {"cpu": 5})
        assert fits({"gpu": 0}, {})


class TestWhatIsPositive:
    def test_is_above_zero(self):
        assert positive({"cpu": 1, "memory": 0, "gpu": -1}) == {"cpu": 1}

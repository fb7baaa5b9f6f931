"""Just enough is taken: what helps, in order, until nothing is short, and nothing that turns out to be needless."""

from collections.abc import Mapping

from tender.allocation.just_enough import just_enough


def taken(short: Mapping[str, int], **candidates: dict[str, int]) -> list[str]:
    """Which candidates are taken, given how much of what each would make up for."""
    chosen: list[str] = []

    def lacking() -> dict[str, int]:
        left = {name: amount - sum(candidates[one].get(name, 0) for one in chosen) for name, amount in short.items()}
        return {name: amount for name, amount in left.items() if amount > 0}

    just_enough(candidates, chosen.append, chosen.remove, lacking)
    return sorted(chosen)


class TestJustEnough:
    def test_is_nothing_where_nothing_is_short(self):
        assert taken({}, a={"cpu": 1}) == []

    def test_is_the_first_that_suffices(self):
        assert taken({"cpu": 2}, a={"cpu": 2}, b={"cpu": 2}) == ["a"]

    def test_is_as_many_as_are_needed(self):
        assert taken({"cpu": 3}, a={"cpu": 1}, b={"cpu": 2}, c={"cpu": 5}) == ["a", "b"]

    def test_leaves_what_does_not_help(self):
        assert taken({"cpu": 1}, a={"memory": 9}, b={"cpu": 1}) == ["b"]
        assert taken({"cpu": 1}, a={"memory": 9}) == []

    def test_gives_back_what_a_later_one_makes_needless(self):
        assert taken({"cpu": 3}, a={"cpu": 1}, b={"cpu": 1}, c={"cpu": 3}) == ["c"]

    def test_keeps_of_those_only_what_is_needed_of_any_resource(self):
        assert taken({"cpu": 3, "gpu": 1}, a={"cpu": 1}, b={"gpu": 1}, c={"cpu": 3}) == ["b", "c"]

    def test_is_all_that_helps_where_it_is_not_enough(self):
        assert taken({"cpu": 9, "gpu": 1}, a={"cpu": 1}, b={"memory": 1}, c={"cpu": 2}) == ["a", "c"]

    def test_takes_what_helps_to_the_last_bit(self):
        assert taken({"gpu": 1}, a={"gpu": 1}) == ["a"]
        assert taken({"gpu": 2}, a={"gpu": 1}, b={"gpu": 1}) == ["a", "b"]

"""Best fit: a task goes to the slice that is left with least, so that large pieces stay whole."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import node, offer, shape, slice_on

from tender.api.placement import Constraint
from tender.frameworks.sdk import Claim, Shape
from tender.frameworks.sdk.matching import match
from tender.frameworks.sdk.wants import Surroundings


def claimed(
    *slices: Mapping[str, Any], shapes: tuple[Shape, ...], around: Surroundings | None = None
) -> dict[str, Any]:
    """The tasks claimed on each node."""
    offers = [offer(dict(one), name=f"web-{number}") for number, one in enumerate(slices)]
    missing = {one.name: one.count for one in shapes}
    matched = match(shapes, missing, offers, 0, {}, around or Surroundings())
    return {
        slices[int(answer.offer.removeprefix("web-"))]["node"]: dict(claim["tasks"])
        for answer in matched.answers
        if isinstance(answer, Claim)
        for claim in answer.claims
    }


class TestBestFit:
    def test_the_smallest_slice_that_fits_is_taken(self):
        slices = (slice_on("large", cpu="8"), slice_on("small", cpu="1"), slice_on("medium", cpu="2"))
        assert claimed(*slices, shapes=(shape("a", 1),)) == {"small": {"a": 1}}

    def test_a_slice_is_filled_before_the_next_is_begun(self):
        slices = (slice_on("first", cpu="2"), slice_on("second", cpu="2"))
        assert claimed(*slices, shapes=(shape("a", 5),)) == {"first": {"a": 4}, "second": {"a": 1}}

    def test_the_resource_of_which_most_is_left_decides(self):
        slices = (slice_on("much-memory", cpu="1", memory="8Gi"), slice_on("much-cpu", cpu="2", memory="1Gi"))
        small = shape("a", 1, cpu=500, memory=512 * 1024**2)
        # 7.5 of 9 GiB would be left there, and here 1.5 of 3 CPU.
        assert claimed(*slices, shapes=(small,)) == {"much-cpu": {"a": 1}}

    def test_slices_with_what_the_task_does_not_need_are_spared(self):
        gpu = slice_on("gpu", cpu="1")
        gpu["resources"]["nvidia.com/gpu"] = "1"
        assert claimed(gpu, slice_on("plain", cpu="2"), shapes=(shape("a", 1),)) == {"plain": {"a": 1}}

    def test_the_node_s_name_decides_between_equals(self):
        assert claimed(slice_on("b"), slice_on("a"), shapes=(shape("x", 1),)) == {"a": {"x": 1}}

    def test_the_slice_that_was_made_for_the_task_comes_first(self):
        slices = (slice_on("small", cpu="500m"), slice_on("own", cpu="4", a=1))
        assert claimed(*slices, shapes=(shape("a", 1),)) == {"own": {"a": 1}}

    def test_a_slice_made_for_two_tasks_is_shared_as_it_was_meant(self):
        both = slice_on("node-1", cpu="1", a=1, b=1)
        assert claimed(both, shapes=(shape("a", 2), shape("b", 2))) == {"node-1": {"a": 1, "b": 1}}


class TestSpreading:
    NODES = Surroundings(nodes={f"{zone}{n}": node(f"{zone}{n}", labels={"zone": zone}) for zone in "ab" for n in "12"})

    def over(self, operator: str, value: str | None = None) -> tuple[Constraint, ...]:
        return (Constraint.model_validate({"key": "zone", "operator": operator, "value": value}),)

    def test_wins_over_best_fit(self):
        slices = (slice_on("a1", cpu="1"), slice_on("b1", cpu="8"))
        one = shape("x", 2, constraints=self.over("GroupBy"))
        assert claimed(*slices, shapes=(one,), around=self.NODES) == {"a1": {"x": 1}, "b1": {"x": 1}}

    def test_among_slices_of_equal_worth_the_best_fit_is_taken(self):
        slices = (slice_on("a1", cpu="8"), slice_on("a2", cpu="1"), slice_on("b1", cpu="8"), slice_on("b2", cpu="1"))
        one = shape("x", 4, constraints=self.over("GroupBy"))
        assert claimed(*slices, shapes=(one,), around=self.NODES) == {"a2": {"x": 2}, "b2": {"x": 2}}

    def test_the_first_placement_of_a_cluster_is_where_most_tasks_have_room(self):
        slices = (slice_on("a1", cpu="500m"), slice_on("b1", cpu="1"), slice_on("b2", cpu="1"))
        one = shape("x", 3, constraints=self.over("Cluster"))
        assert claimed(*slices, shapes=(one,), around=self.NODES) == {"b1": {"x": 2}, "b2": {"x": 1}}

    def test_the_tasks_of_one_shape_may_make_room_for_those_of_another(self):
        first, second = (shape(name, 1, constraints=self.over("GroupBy"), peers=("a1",)) for name in "xy")
        slices = (slice_on("a1", cpu="500m", x=1), slice_on("b1", cpu="500m", y=1))
        assert claimed(*slices, shapes=(first, second), around=self.NODES) == {"a1": {"x": 1}, "b1": {"y": 1}}


sizes = st.lists(st.integers(500, 4000), min_size=1, max_size=6)


@settings(deadline=None)
@given(sizes, st.integers(0, 12))
def test_taken_together_tasks_go_where_they_would_go_one_by_one(cpus, count):
    slices = [slice_on(f"n{number}", cpu=f"{cpu}m") for number, cpu in enumerate(cpus)]
    rest, expected = dict(enumerate(cpus)), dict.fromkeys(range(len(cpus)), 0)
    for _ in range(count):
        fitting = [number for number in rest if rest[number] >= 500]
        if fitting:
            best = min(fitting, key=lambda number: (rest[number], number))
            rest[best] -= 500
            expected[best] += 1
    found = claimed(*slices, shapes=(shape("a", count, memory=0),))
    assert found == {f"n{number}": {"a": tasks} for number, tasks in expected.items() if tasks}

"""Which offers are claimed for which tasks, and how the others are refused."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import offer, shape, slice_on

from tender.api.offer import ResourceOffer
from tender.api.quantities import parse_resources
from tender.frameworks.sdk import Answer, Claim, Decline, Shape
from tender.frameworks.sdk.matching import match


def answers(
    offers: Iterable[ResourceOffer],
    *shapes: Shape,
    missing: dict[str, int] | None = None,
    hold: int = 0,
    placed: dict[tuple[str, str], int] | None = None,
) -> tuple[Answer, ...]:
    if missing is None:
        missing = {one.name: one.count for one in shapes}
    return match(shapes, missing, offers, hold, placed or {}).answers


def claims(answer: Answer) -> list[Any]:
    assert isinstance(answer, Claim)
    return [dict(claim) for claim in answer.claims]


def tasks_claimed(given_answers: Iterable[Answer], task: str = "a") -> int:
    found = [answer for answer in given_answers if isinstance(answer, Claim)]
    return sum(claim["tasks"].get(task, 0) for answer in found for claim in answer.claims)


class TestHowMuchIsClaimed:
    def test_a_claim_is_written_as_quantities_and_the_number_of_tasks(self):
        (answer,) = answers([offer(slice_on(cpu="2", memory="4Gi"))], shape("a", 3))
        assert claims(answer) == [
            {"slice": 0, "resources": {"cpu": "1500m", "memory": "384Mi", "pods": "3"}, "tasks": {"a": 3}}
        ]

    def test_no_more_than_is_missing(self):
        given_answers = answers([offer(slice_on(), slice_on("node-2"))], shape("a", 10), missing={"a": 2})
        assert tasks_claimed(given_answers) == 2

    def test_no_more_than_the_slice_has_room_for(self):
        (answer,) = answers([offer(slice_on(cpu="1200m"))], shape("a", 10))
        assert claims(answer)[0]["tasks"] == {"a": 2}

    def test_what_one_slice_cannot_hold_goes_to_the_next(self):
        (answer,) = answers([offer(slice_on(cpu="1"), slice_on("node-2", cpu="1"))], shape("a", 3))
        assert [(claim["slice"], claim["tasks"]) for claim in claims(answer)] == [(0, {"a": 2}), (1, {"a": 1})]

    def test_what_one_offer_cannot_hold_goes_to_the_next(self):
        first, second = offer(slice_on(cpu="1"), name="web-1"), offer(slice_on("node-2"), name="web-2")
        assert tasks_claimed(answers([first, second], shape("a", 3))) == 3

    def test_a_slice_of_which_nothing_is_taken_is_left_out(self):
        (answer,) = answers([offer(slice_on(cpu="100m"), slice_on("node-2"))], shape("a", 1))
        assert [claim["slice"] for claim in claims(answer)] == [1]

    def test_several_shapes_share_a_slice(self):
        big, small = shape("big", 1, cpu=1500), shape("small", 5, cpu=250)
        (answer,) = answers([offer(slice_on(cpu="2"))], big, small)
        assert claims(answer)[0]["tasks"] == {"big": 1, "small": 2}
        assert claims(answer)[0]["resources"] == {"cpu": "2", "memory": "384Mi", "pods": "3"}

    def test_the_shape_that_a_slice_was_made_for_comes_first(self):
        (answer,) = answers([offer(slice_on(cpu="500m", b=1))], shape("a", 1), shape("b", 1))
        assert claims(answer)[0]["tasks"] == {"b": 1}

    def test_a_slice_made_for_another_task_is_used_all_the_same(self):
        (answer,) = answers([offer(slice_on(cpu="500m", of_an_older_revision=1))], shape("a", 1))
        assert claims(answer)[0]["tasks"] == {"a": 1}

    def test_a_shape_that_chooses_its_nodes_takes_only_slices_made_for_it(self):
        choosy = shape("a", 1, node_selector={"disk": "ssd"})
        other, own = offer(slice_on(b=1), name="web-1"), offer(slice_on(a=1), name="web-2")
        first, second = answers([other, own], choosy)
        assert isinstance(first, Decline)
        assert claims(second)[0]["tasks"] == {"a": 1}


class TestWhatAClaimNames:
    """The API server refuses a claim that names a resource which its slice does not."""

    def test_nothing_that_is_requested_at_zero(self):
        requests = {"cpu": 500, "memory": 1024, "ephemeral-storage": 0, "pods": 1}
        (answer,) = answers([offer()], shape("a", 1, requests=requests))
        assert set(claims(answer)[0]["resources"]) == {"cpu", "memory", "pods"}

    def test_no_pods_where_the_slice_does_not_count_them(self):
        (answer,) = answers([offer(slice_on(cpu="1", pods=None))], shape("a", 5))
        assert claims(answer)[0] == {"slice": 0, "resources": {"cpu": "1", "memory": "256Mi"}, "tasks": {"a": 2}}

    def test_pods_bind_where_the_slice_counts_them(self):
        (answer,) = answers([offer(slice_on(pods="1"))], shape("a", 5))
        assert claims(answer)[0]["tasks"] == {"a": 1}

    def test_a_shape_that_needs_what_the_slice_does_not_have_is_not_claimed(self):
        (answer,) = answers([offer()], shape("a", 1, requests={"nvidia.com/gpu": 1, "cpu": 1}))
        assert isinstance(answer, Decline)


class TestMostPerNode:
    def test_binds_within_a_slice(self):
        assert tasks_claimed(answers([offer()], shape("a", 3, max_per_node=1))) == 1

    def test_binds_over_all_slices_of_the_node(self):
        offers = [offer(slice_on("node-1"), name="web-1"), offer(slice_on("node-1"), name="web-2")]
        assert tasks_claimed(answers(offers, shape("a", 3, max_per_node=2))) == 2

    def test_counts_the_pods_that_are_there(self):
        offers = [offer(slice_on("node-1"), slice_on("node-2"))]
        given_answers = answers(offers, shape("a", 9, max_per_node=2), placed={("a", "node-1"): 2})
        assert [claim["slice"] for claim in claims(given_answers[0])] == [1]


class TestRefusals:
    def test_an_offer_that_fits_no_waiting_task_is_refused_for_two_minutes(self):
        (answer,) = answers([offer(slice_on(cpu="100m"))], shape("a", 1))
        assert answer == Decline("web-bcdfghjk", 120, "no waiting task fits")

    def test_an_offer_while_nothing_waits_is_refused_shortly(self):
        (answer,) = answers([offer()], shape("a", 1), missing={"a": 0})
        assert answer == Decline("web-bcdfghjk", 5, "no task is waiting")

    def test_what_is_left_after_the_last_task_was_placed_is_refused_shortly(self):
        _, second = answers([offer(name="web-1"), offer(name="web-2")], shape("a", 1))
        assert second == Decline("web-2", 5, "no task is waiting")

    def test_a_slice_made_for_tasks_that_nobody_waits_for_any_more_is_refused_shortly(self):
        (answer,) = answers([offer(slice_on(old=1))], shape("a", 1, node_selector={"disk": "ssd"}))
        assert isinstance(answer, Decline)
        assert answer.refuse_seconds == 5

    def test_everything_is_refused_while_launches_are_put_off(self):
        (answer,) = answers([offer()], shape("a", 1), hold=17)
        assert isinstance(answer, Decline)
        assert answer.refuse_seconds == 17

    def test_every_offer_is_answered_once(self):
        offers = [offer(name=f"web-{number}") for number in range(5)]
        assert [answer.offer for answer in answers(offers, shape("a", 2))] == [one.metadata.name for one in offers]


amounts = st.fixed_dictionaries(
    {}, optional={"cpu": st.integers(0, 3000), "memory": st.integers(0, 4096), "pods": st.integers(0, 4)}
)
slices = st.builds(
    lambda node, resources, tasks: {
        "node": f"node-{node}",
        "resources": {name: f"{value}m" if name == "cpu" else str(value) for name, value in resources.items()},
        "tasks": tasks,
    },
    st.integers(1, 3),
    amounts.filter(bool),
    st.dictionaries(st.sampled_from("abx"), st.integers(1, 3)),
)
shapes = st.builds(
    lambda name, requests, count, most: shape(name, count, requests=requests, max_per_node=most),
    st.sampled_from("abc"),
    amounts,
    st.integers(0, 5),
    st.none() | st.integers(1, 3),
)


@settings(deadline=None)
@given(
    st.lists(st.lists(slices, min_size=1, max_size=4), max_size=4),
    st.lists(shapes, max_size=3, unique_by=lambda one: one.name),
)
def test_whatever_is_offered_the_api_server_accepts_every_claim(bundles, wanted):
    offers = [offer(*bundle, name=f"web-{number}") for number, bundle in enumerate(bundles)]
    given_answers = answers(offers, *wanted)
    by_name = {one.metadata.name: one for one in offers}
    taken: dict[str, int] = {}
    on_nodes: dict[tuple[str, str], int] = {}
    for answer in given_answers:
        if isinstance(answer, Decline):
            continue
        assert len({claim["slice"] for claim in answer.claims}) == len(answer.claims) > 0
        for claim in answer.claims:
            one = by_name[answer.offer].spec.slices[claim["slice"]]
            claimed = parse_resources(claim["resources"])
            assert claimed
            assert all(0 < amount <= one.amounts[resource] for resource, amount in claimed.items())
            for task, count in claim["tasks"].items():
                assert count > 0
                taken[task] = taken.get(task, 0) + count
                on_nodes[task, one.node] = on_nodes.get((task, one.node), 0) + count
    for one in wanted:
        assert taken.get(one.name, 0) <= one.count
        most = one.max_per_node
        assert most is None or all(count <= most for (task, _), count in on_nodes.items() if task == one.name)

"""Why offers are of no use: the funnel, for how long they are refused, and what is said of each node."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import node, offer, shape, slice_on

from tender.api.placement import Constraint
from tender.api.quantities import parse_resources
from tender.frameworks.sdk import Claim, Decline, Shape
from tender.frameworks.sdk.funnel import REASONS, Refusal
from tender.frameworks.sdk.matching import Matched, match
from tender.frameworks.sdk.ports import HostPort
from tender.frameworks.sdk.wants import Surroundings

ON_A = Constraint(key="zone", operator="Is", value="a")
UNIQUE = Constraint(key="metadata.name", operator="Unique")
WEB_PORT = {"containers": [{"name": "app", "ports": [{"containerPort": 80, "hostPort": 80}]}]}


def matched(*shapes: Shape, offers: list[Any], around: Surroundings | None = None, answered: Any = ()) -> Matched:
    missing = {one.name: one.count for one in shapes}
    return match(shapes, missing, offers, 0, {}, around or Surroundings(), answered)


def refusal(*shapes: Shape, on: dict[str, Any] | None = None, **around: Any) -> Refusal:
    (one,) = matched(*shapes, offers=[offer(on or slice_on(cpu="2"))], around=Surroundings(**around)).refusals
    return one


def gpus(count: int) -> dict[str, int]:
    return {"cpu": 500, "memory": 1024, "nvidia.com/gpu": count, "pods": 1}


class TestTheFirstThingInTheWay:
    @pytest.mark.parametrize(
        ("reason", "message", "one", "around"),
        [
            (
                "Role",
                "the offer is made in role default, which the framework takes no part in",
                shape("a", 1, cpu=9000, constraints=(ON_A,)),
                {"roles": frozenset({"shops"})},
            ),
            (
                "Constraint",
                "constraint Is a on zone: the node does not have this label",
                shape("a", 1, cpu=9000, constraints=(ON_A,)),
                {},
            ),
            (
                "Constraint",
                "the node does not have the label disk=ssd",
                shape("a", 1, node_selector={"disk": "ssd"}),
                {"nodes": {"node-1": node()}},
            ),
            (
                "Constraint",
                "the node has the taint gpu:NoSchedule, which is not tolerated",
                shape("a", 1),
                {"nodes": {"node-1": node(taints=[{"key": "gpu", "effect": "NoSchedule"}])}},
            ),
            (
                "Reservation",
                "what is free there is kept for db-0",
                shape("a", 1, cpu=1500, reserved_as="db-1"),
                {"kept": {"node-1": {"db-0": {"cpu": 1000}}}},
            ),
            ("CPU", "the task needs 9 of cpu, and 2 is on offer", shape("a", 1, cpu=9000, memory=2**40), {}),
            ("Memory", "the task needs 1Ti of memory, and 4Gi is on offer", shape("a", 1, memory=2**40), {}),
            (
                "Disk",
                "the task needs 1Gi of ephemeral-storage, and 0 is on offer",
                shape("a", 1, requests={"cpu": 1, "ephemeral-storage": 2**30, "nvidia.com/gpu": 1}),
                {},
            ),
            ("GPU", "the task needs 1 of nvidia.com/gpu, and 0 is on offer", shape("a", 1, requests=gpus(1)), {}),
            (
                "Ports",
                "port 80/TCP is taken by another pod of the framework",
                shape("a", 1, service={"spec": WEB_PORT}),
                {"ports": {"node-1": (HostPort(80),)}},
            ),
        ],
    )
    def test_is_what_is_said(self, reason, message, one, around):
        found = refusal(one, **around)
        assert (found.obstacle.reason, found.obstacle.message) == (reason, message)

    def test_of_several_shapes_the_one_that_came_nearest_speaks(self):
        found = refusal(shape("far", 1, cpu=9000), shape("near", 1, memory=2**40), shape("other", 1, cpu=3000))
        assert (found.task, found.obstacle.reason) == ("near", "Memory")

    def test_a_node_of_which_something_was_claimed_is_none(self):
        small, large = shape("small", 1), shape("large", 1, cpu=9000)
        assert matched(small, large, offers=[offer()]).refusals == ()

    def test_nothing_is_said_when_nothing_waits(self):
        assert matched(shape("a", 0), offers=[offer()]).refusals == ()


class TestHowLongAnOfferIsRefused:
    def refused(self, one: Shape, **around: Any) -> tuple[int, str]:
        (answer,) = matched(one, offers=[offer()], around=Surroundings(**around)).answers
        assert isinstance(answer, Decline)
        return answer.refuse_seconds, answer.why

    def test_for_two_minutes_when_the_node_is_in_the_way(self):
        assert self.refused(shape("a", 1, constraints=(ON_A,))) == (120, "no waiting task fits")

    def test_shortly_when_own_tasks_are_which_may_go_at_any_moment(self):
        seconds, why = self.refused(shape("a", 1, constraints=(UNIQUE,), peers=("node-1",)))
        assert seconds == 5
        assert why.startswith("no waiting task fits now: constraint Unique on metadata.name: 'node-1' has 1 task")

    def test_shortly_when_an_own_place_is(self):
        kept = {"node-1": {"db-0": {"cpu": 2000}}}
        assert self.refused(shape("a", 1, reserved_as="db-1"), kept=kept)[0] == 5


class TestPlacesThatAreKept:
    def claimed(self, one: Shape) -> int:
        around = Surroundings(kept={"node-1": {"db-0": {"cpu": 1000, "memory": 1024}}})
        answers = matched(one, offers=[offer(slice_on(cpu="2"))], around=around).answers
        return sum(claim["tasks"]["a"] for one in answers if isinstance(one, Claim) for claim in one.claims)

    def test_are_left_over_by_tasks_that_are_to_have_one_themselves(self):
        assert self.claimed(shape("a", 9, cpu=500, reserved_as="db-1")) == 2

    def test_do_not_keep_out_the_instance_that_they_are_for(self):
        assert self.claimed(shape("a", 4, cpu=500, reserved_as="db-0")) == 4

    def test_do_not_concern_tasks_without(self):
        assert self.claimed(shape("a", 4, cpu=500)) == 4


class TestPorts:
    def test_one_node_has_one_task_with_a_port_of_the_node(self):
        web = shape("a", 3, service={"spec": WEB_PORT})
        result = matched(web, offers=[offer(slice_on("node-1"), slice_on("node-1"), slice_on("node-2"))])
        (answer,) = result.answers
        assert isinstance(answer, Claim)
        assert [(claim["slice"], claim["tasks"]) for claim in answer.claims] == [(0, {"a": 1}), (2, {"a": 1})]

    @pytest.mark.parametrize(
        ("one", "other", "excluded"),
        [
            (HostPort(80), HostPort(80), True),
            (HostPort(80), HostPort(81), False),
            (HostPort(80), HostPort(80, "UDP"), False),
            (HostPort(80, address="10.0.0.1"), HostPort(80, address="10.0.0.2"), False),
            (HostPort(80, address="10.0.0.1"), HostPort(80, address="0.0.0.0"), True),
        ],
    )
    def test_exclude_each_other_by_number_protocol_and_address(self, one, other, excluded):
        assert one.excludes(other) is other.excludes(one) is excluded


class TestTheLastOfferOfANode:
    BIG = shape("a", 1, cpu=9000)

    def test_may_have_been_refused_in_an_earlier_turn(self):
        declined = offer(slice_on("node-7"), refused=120, answered=1000)
        (one,) = matched(self.BIG, offers=[], answered=[declined]).refusals
        assert (one.node, one.at) == ("node-7", 1000)

    def test_is_the_newest(self):
        older = offer(slice_on("node-7", cpu="1"), name="web-b", refused=120, answered=1000)
        newer = offer(slice_on("node-7", cpu="2"), name="web-a", refused=120, answered=2000)
        (one,) = matched(self.BIG, offers=[], answered=[newer, older]).refusals
        assert "and 2 is on offer" in one.obstacle.message
        (one,) = matched(self.BIG, offers=[offer(slice_on("node-7", cpu="3"))], answered=[newer, older]).refusals
        assert "and 3 is on offer" in one.obstacle.message

    def test_that_was_claimed_ends_what_was_said_before(self):
        declined = offer(slice_on("node-7"), name="web-a", refused=120, answered=1000)
        claim = {"slice": 0, "resources": {"cpu": "1"}, "tasks": {"a": 1}}
        claimed = offer(slice_on("node-7"), name="web-b", claims=[claim], answered=2000)
        assert matched(self.BIG, offers=[], answered=[claimed, declined]).refusals == ()

    def test_that_would_fit_now_counts_for_nothing(self):
        declined = offer(slice_on("node-7"), refused=120, answered=1000)
        assert matched(shape("a", 1), offers=[], answered=[declined]).refusals == ()


resources = st.fixed_dictionaries(
    {"cpu": st.integers(0, 3), "memory": st.integers(0, 3)},
    optional={"ephemeral-storage": st.integers(0, 2), "nvidia.com/gpu": st.integers(0, 1), "pods": st.integers(0, 2)},
)
nodes = st.lists(st.tuples(resources, st.sampled_from(["a", "b", ""])), min_size=1, max_size=5)
wanted = st.lists(
    st.tuples(
        resources.map(lambda amounts: {**amounts, "cpu": amounts["cpu"] + 1}),
        st.sampled_from([(), (ON_A,), (UNIQUE,), (ON_A, UNIQUE)]),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, max_examples=300)
@given(nodes, wanted)
def test_t5_the_funnel_counts_as_a_person_would_by_hand(cluster, tasks):
    around = Surroundings(
        nodes={f"n{number}": node(f"n{number}", labels={"zone": zone}) for number, (_, zone) in enumerate(cluster)}
    )
    shapes = [
        shape(
            f"s{number}",
            count,
            requests={name: amount * 1000 if name == "cpu" else amount for name, amount in one.items()},
            constraints=constraints,
            group=f"s{number}",
        )
        for number, (one, constraints, count) in enumerate(tasks)
    ]
    slices: list[dict[str, Any]] = [
        {"node": f"n{number}", "resources": {name: str(amount) for name, amount in amounts.items()}}
        for number, (amounts, _) in enumerate(cluster)
    ]
    result = matched(*shapes, offers=[offer(*slices)], around=around)
    left = {one.name: one.count for one in shapes}
    taken: dict[tuple[str, str], int] = {}
    for answer in result.answers:
        for claim in answer.claims if isinstance(answer, Claim) else ():
            for task, count in claim["tasks"].items():
                left[task] -= count
                taken[task, slices[claim["slice"]]["node"]] = count
    by_hand = []
    for one_slice, (_, zone) in zip(slices, cluster, strict=True):
        name, free = one_slice["node"], parse_resources(one_slice["resources"])
        if any(where == name for _, where in taken):
            continue
        found = [_by_hand(one, free, zone) for one in shapes if left[one.name] > 0]
        if found and None not in found:
            by_hand.append((name, max(found, key=REASONS.index)))
    assert [(one.node, one.obstacle.reason) for one in result.refusals] == by_hand
    # Nothing waits that something on offer would have had room for.
    assert len(by_hand) == sum(not any(where == one["node"] for _, where in taken) for one in slices) or not any(
        left.values()
    )


def _by_hand(one: Shape, free: dict[str, int], zone: str) -> str | None:
    if ON_A in one.constraints and zone != "a":
        return "Constraint"
    for resource, reason in [
        ("cpu", "CPU"),
        ("memory", "Memory"),
        ("ephemeral-storage", "Disk"),
        ("nvidia.com/gpu", "GPU"),
    ]:
        if one.requests.get(resource, 0) > free.get(resource, 0):
            return reason
    return "Pods" if "pods" in free and one.requests.get("pods", 0) > free["pods"] else None

"""Where constraints let one more task of a group go: Marathon's operators, and where they are read more kindly."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import node, offer, shape, slice_on

from tender.api.placement import Constraint
from tender.frameworks.sdk import Claim, Shape, mistakes
from tender.frameworks.sdk.matching import match
from tender.frameworks.sdk.wants import Piece, Present, Surroundings, Want

ZONE = "topology.kubernetes.io/zone"
NAME = "metadata.name"


def constraint(operator: str, value: str | None = None, key: str = ZONE) -> Constraint:
    return Constraint.model_validate({"key": key, "operator": operator, "value": value})


def cluster(**zones: str) -> Surroundings:
    """Nodes by the zone that they are in; one without any has an empty one."""
    nodes = {name: node(name, labels={ZONE: zone} if zone else {}) for name, zone in zones.items()}
    return Surroundings(nodes=nodes)


THREE_ZONES = cluster(a1="a", a2="a", b1="b", b2="b", c1="c", bare="")


def refused(on: str, *constraints: Constraint, peers: Iterable[str] = (), around: Surroundings = THREE_ZONES) -> str:
    """Why one more task may not go to a node; empty if it may."""
    one = shape("x", 1, constraints=constraints, peers=tuple(peers))
    obstacle = Want(one, 1, Present([one], {}, around)).obstacle(Piece(offer(slice_on(on)), 0))
    return "" if obstacle is None else obstacle.message


class TestOperators:
    @pytest.mark.parametrize(
        ("given_constraint", "peers", "open_nodes"),
        [
            (constraint("Unique"), [], "a1 a2 b1 b2 c1"),
            (constraint("Unique"), ["a1"], "b1 b2 c1"),
            (constraint("Unique", key=NAME), ["a1"], "a2 b1 b2 c1 bare"),
            (constraint("MaxPer", "2"), ["a1", "a2", "b1"], "b1 b2 c1"),
            (constraint("MaxPer", "2", NAME), ["a1", "a1", "b1"], "a2 b1 b2 c1 bare"),
            (constraint("Cluster", "b"), [], "b1 b2"),
            (constraint("Cluster"), [], "a1 a2 b1 b2 c1"),
            (constraint("Cluster"), ["b1"], "b1 b2"),
            (constraint("GroupBy"), ["a1", "b1"], "c1"),
            (constraint("GroupBy"), ["a1", "b1", "c1"], "a1 a2 b1 b2 c1"),
            (constraint("GroupBy"), ["a1", "a1", "b1", "c1"], "b1 b2 c1"),
            (constraint("GroupBy", "2"), ["a1"], "b1 b2 c1"),
            (constraint("GroupBy", "2"), ["a1", "b1"], "a1 a2 b1 b2 c1"),
            (constraint("GroupBy", "4"), ["a1", "b1", "c1"], ""),
            (constraint("Is", "a"), [], "a1 a2"),
            (constraint("Is", "a1", NAME), [], "a1"),
            (constraint("Like", "[ab]"), [], "a1 a2 b1 b2"),
            (constraint("Like", "a", NAME), [], ""),
            (constraint("Unlike", "[ab]"), [], "c1 bare"),
            (constraint("Unlike", ".*"), [], "bare"),
        ],
    )
    def test_allow_these_nodes(self, given_constraint, peers, open_nodes):
        names = [name for name in THREE_ZONES.nodes if not refused(name, given_constraint, peers=peers)]
        assert names == open_nodes.split()

    def test_is_compares_numbers_as_numbers(self):
        around = cluster(one="1.50", two="2")
        assert not refused("one", constraint("Is", "1.5"), around=around)
        assert refused("two", constraint("Is", "1.5"), around=around)

    @pytest.mark.parametrize("operator", ["Unique", "Cluster", "GroupBy", "MaxPer", "Is", "Like"])
    def test_a_missing_label_suits_unlike_alone(self, operator):
        value = None if operator == "Unique" else "1"
        assert "does not have this label" in refused("bare", constraint(operator, value))

    def test_all_of_several_have_to_be_met(self):
        both = (constraint("Unlike", "c"), constraint("Unique", key=NAME))
        assert [name for name in THREE_ZONES.nodes if not refused(name, *both, peers=["a1"])] == [
            "a2",
            "b1",
            "b2",
            "bare",
        ]


class TestWhatIsSaid:
    def test_names_the_constraint_and_the_numbers(self):
        assert (
            refused("a2", constraint("Unique"), peers=["a1"]) == f"constraint Unique on {ZONE}: 'a' has 1 task already"
        )
        assert refused("a1", constraint("MaxPer", "2"), peers=["a1", "a2"]) == (
            f"constraint MaxPer 2 on {ZONE}: 'a' has 2 tasks already, of at most 2"
        )
        assert refused("a1", constraint("GroupBy"), peers=["a1", "b1"]) == (
            f"constraint GroupBy on {ZONE}: 'a' has 1 task, and 'c' only 0"
        )
        assert refused("a1", constraint("GroupBy", "4"), peers=["a1", "b1"]) == (
            f"constraint GroupBy 4 on {ZONE}: 'a' has 1 task, and of at least 4 values only 2 have any"
        )
        assert refused("a1", constraint("Cluster"), peers=["b1"]) == (
            f"constraint Cluster on {ZONE}: tasks are on 'b' (1), and this node has 'a'"
        )
        assert refused("a1", constraint("Is", "b")) == f"constraint Is b on {ZONE}: the node has 'a'"


class TestWhereMarathonWouldWaitForEver:
    def test_a_given_value_decides_although_tasks_of_an_older_version_are_elsewhere(self):
        assert not refused("b1", constraint("Cluster", "b"), peers=["a1", "a2"])

    def test_without_a_value_the_one_with_most_tasks_decides(self):
        assert not refused("b1", constraint("Cluster"), peers=["a1", "b1", "b2"])
        assert refused("a1", constraint("Cluster"), peers=["a1", "b1", "b2"])

    def test_tasks_on_nodes_that_are_gone_count_by_the_node_s_name_alone(self):
        assert not refused("a1", constraint("Cluster"), peers=["gone"])
        assert refused("gone", constraint("Unique", key=NAME), peers=["gone"])

    def test_values_that_tasks_cannot_go_to_are_not_waited_for(self):
        nodes = {
            "a1": node("a1", labels={ZONE: "a"}),
            "b1": node("b1", labels={ZONE: "b"}, cordoned=True),
            "c1": node("c1", labels={ZONE: "c"}, ready="False"),
            "d1": node("d1", labels={ZONE: "d"}, taints=[{"key": "x", "effect": "NoSchedule"}]),
            "e1": node("e1", labels={ZONE: "e"}),
        }
        only = (constraint("GroupBy"), constraint("Unlike", "e"))
        assert not refused("a1", *only, peers=["a1"], around=Surroundings(nodes=nodes))
        assert "'e' only 0" in refused("a1", constraint("GroupBy"), peers=["a1"], around=Surroundings(nodes=nodes))


class TestMistakes:
    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            (constraint("Like", "(a"), "'(a' is no regular expression: missing ): (a"),
            (constraint("Unlike", "*"), "is no regular expression"),
            (constraint("MaxPer", "many"), "'many' is no number of 1 or more"),
            (constraint("GroupBy", "0"), "'0' is no number of 1 or more"),
        ],
    )
    def test_are_told_and_allow_no_node(self, wrong, told):
        said = mistakes([constraint("Unique"), wrong])
        assert said is not None
        assert told in said
        assert told in refused("a1", wrong)

    def test_of_right_ones_nothing_is_said(self):
        assert mistakes([constraint("Unique"), constraint("GroupBy"), constraint("Like", "a|b")]) is None

    def test_an_expression_that_others_take_for_ever_over_is_matched_at_once(self):
        around = cluster(node="a" * 62 + "b")
        assert refused("node", constraint("Like", "(a+)+$"), around=around)


class TestCountedOverAGroup:
    def test_shapes_of_one_group_count_each_other_s_tasks(self):
        unique = (constraint("Unique", key=NAME),)
        shapes = [shape(name, 1, constraints=unique, group="db", peers=("a1",)) for name in "xy"]
        claimed = claims(shapes, ["a1", "a2", "b1"])
        assert sorted(claimed.elements()) == ["a2", "b1"]

    def test_shapes_of_others_do_not(self):
        unique = (constraint("Unique", key=NAME),)
        shapes = [shape(name, 1, constraints=unique, group=name) for name in "xy"]
        assert claims(shapes, ["a1"])["a1"] == 2

    def test_t10_unique_places_exactly_one_task_on_each_node_and_says_why_no_more(self):
        one = shape("x", 4, constraints=(constraint("Unique", key=NAME),))
        assert claims([one], ["a1", "a2", "b1"]) == {"a1": 1, "a2": 1, "b1": 1}
        assert "'a1' has 1 task already" in refused("a1", *one.constraints, peers=["a1", "a2", "b1"])


def claims(shapes: list[Shape], nodes: Iterable[str], around: Surroundings = THREE_ZONES) -> Counter[str]:
    """How many tasks are claimed on each node, when each is offered with room for several."""
    own = [slice_on(name, cpu="8") for name in nodes]
    missing = {one.name: one.count for one in shapes}
    matched = match(shapes, missing, [offer(*own)], 0, {}, around)
    return Counter(
        {
            own[claim["slice"]]["node"]: sum(claim["tasks"].values())
            for answer in matched.answers
            if isinstance(answer, Claim)
            for claim in answer.claims
        }
    )


zones = st.lists(st.sampled_from("abc"), min_size=1, max_size=9)


@settings(deadline=None)
@given(zones, st.integers(0, 12), st.integers(0, 9), st.booleans())
def test_t12_group_by_spreads_tasks_to_within_one(zone_of, wanted, there, numbered):
    """Whatever the zones, tasks that came one after the other are even over them to within one."""
    names = [f"n{number}" for number in range(len(zone_of))]
    around = cluster(**dict(zip(names, zone_of, strict=True)))
    value = str(len(set(zone_of))) if numbered else None
    spread = (constraint("GroupBy", value),)
    placed: list[str] = []
    for count in (there, wanted):
        one = shape("x", count, constraints=spread, peers=tuple(placed))
        placed += claims([one], names, around).elements()
    counts = Counter(zone_of[names.index(name)] for name in placed)
    assert len(placed) == wanted + there
    assert max(counts[zone] for zone in zone_of) - min(counts[zone] for zone in zone_of) <= 1


@settings(deadline=None)
@given(
    zones,
    st.integers(0, 12),
    st.lists(
        st.sampled_from(
            [
                constraint("Unique", key=NAME),
                constraint("MaxPer", "2"),
                constraint("MaxPer", "3", NAME),
                constraint("Cluster"),
                constraint("GroupBy"),
                constraint("GroupBy", key=NAME),
                constraint("Unlike", "a"),
            ]
        ),
        max_size=3,
        unique=True,
    ),
)
def test_whatever_the_constraints_every_claimed_task_could_have_been_placed_one_by_one(zone_of, wanted, constraints):
    """What is claimed together is what would have been allowed task after task, and no task waits that may go."""
    names = [f"n{number}" for number in range(len(zone_of))]
    around = cluster(**dict(zip(names, zone_of, strict=True)))
    claimed = list(claims([shape("x", wanted, constraints=tuple(constraints))], names, around).elements())
    placed: list[str] = []
    rest = sorted(claimed)
    while rest:
        allowed = [name for name in rest if not refused(name, *constraints, peers=placed, around=around)]
        assert allowed, (placed, rest)
        # Those with fewest tasks first: the order in which an even spread comes about.
        nearest = min(allowed, key=lambda name: (_in_zone(name, placed, names, zone_of), placed.count(name), name))
        placed.append(nearest)
        rest.remove(nearest)
    if len(claimed) < wanted:
        assert all(refused(name, *constraints, peers=claimed, around=around) for name in names)


def _in_zone(name: str, placed: list[str], names: list[str], zone_of: list[str]) -> int:
    zone = zone_of[names.index(name)]
    return sum(zone_of[names.index(other)] == zone for other in placed)

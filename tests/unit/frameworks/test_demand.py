"""What of a shape's constraints the master is told, so that it does not offer what would be refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import node, offer, shape, slice_on

from tender.api.placement import Constraint
from tender.frameworks.sdk.demand import demand_entry
from tender.frameworks.sdk.wants import Piece, Present, Surroundings, Want

ZONE = "topology.kubernetes.io/zone"


def told(*constraints: tuple[str, str, str | None], **fields: Any) -> tuple[dict[str, str], int | None]:
    own = tuple(
        Constraint.model_validate(dict(zip(("key", "operator", "value"), one, strict=True))) for one in constraints
    )
    entry = demand_entry(shape("a", 1, constraints=own, **fields))
    return entry.get("nodeSelector", {}), entry.get("maxPerNode")


@pytest.mark.parametrize(
    ("constraint", "selector", "most"),
    [
        (("metadata.name", "Unique", None), {}, 1),
        (("kubernetes.io/hostname", "Unique", None), {}, 1),
        ((ZONE, "Unique", None), {}, 1),
        (("metadata.name", "MaxPer", "3"), {}, 3),
        ((ZONE, "MaxPer", "4"), {}, 4),
        ((ZONE, "Is", "a"), {ZONE: "a"}, None),
        ((ZONE, "Cluster", "a"), {ZONE: "a"}, None),
        ((ZONE, "Cluster", None), {}, None),
        ((ZONE, "GroupBy", "3"), {}, None),
        ((ZONE, "Like", "a"), {}, None),
        ((ZONE, "Unlike", "a"), {}, None),
        (("metadata.name", "Is", "node-1"), {}, None),
        (("rack", "Is", "1.5"), {}, None),
        (("rack", "Is", "no label's value"), {}, None),
        (("rack", "Is", "x" * 64), {}, None),
    ],
)
def test_a_constraint_is_told_as_far_as_it_can_be(constraint, selector, most):
    assert told(constraint) == (selector, most)


def test_the_strictest_of_several_numbers_is_told():
    assert told(("metadata.name", "MaxPer", "3"), ("metadata.name", "MaxPer", "5"), max_per_node=4) == ({}, 3)


def test_the_shape_s_own_selector_stays_and_is_added_to():
    assert told((ZONE, "Is", "a"), ("disk", "Is", "hdd"), node_selector={"disk": "ssd"}) == (
        {"disk": "ssd", ZONE: "a"},
        None,
    )


def test_a_port_of_the_node_allows_one_task_on_each():
    web = {"containers": [{"name": "app", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    assert told(service={"spec": web}) == ({}, 1)


constraints = st.builds(
    lambda key, operator_and_value: Constraint(key=key, operator=operator_and_value[0], value=operator_and_value[1]),
    st.sampled_from(["metadata.name", "zone", "rack"]),
    st.sampled_from(
        [
            ("Unique", None),
            ("MaxPer", "2"),
            ("Is", "a"),
            ("Is", "1"),
            ("Is", "1.0"),
            ("Cluster", "a"),
            ("Cluster", None),
        ]
    ),
)


@settings(deadline=None)
@given(
    st.lists(constraints, max_size=4),
    st.fixed_dictionaries(
        {}, optional={"zone": st.sampled_from(["a", "b"]), "rack": st.sampled_from(["1", "1.0", "a"])}
    ),
    st.integers(0, 3),
)
def test_what_is_told_rules_out_nothing_that_the_constraints_allow(own, labels, there):
    around = Surroundings(nodes={"node-1": node(labels=labels)})
    one = shape("a", 9, constraints=tuple(own), peers=("node-1",) * there)
    obstacle = Want(one, 1, Present([one], {}, around)).obstacle(Piece(offer(slice_on()), 0))
    entry = demand_entry(one)
    suits = all(labels.get(key) == value for key, value in entry.get("nodeSelector", {}).items())
    if not (suits and there < entry.get("maxPerNode", 99)):
        assert obstacle is not None
        assert obstacle.reason == "Constraint"


def test_what_may_be_kept_for_others_is_asked_for_besides():
    entry = demand_entry(shape(cpu=500, memory=128 * 1024**2, spare={"cpu": 100}))
    assert entry["requests"] == {"cpu": "600m", "memory": "128Mi"}

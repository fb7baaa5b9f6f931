"""How far a change may reduce and exceed the replicas (T7), whatever happens on the way, and that it always ends."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.builders import framework, node, template
from tests.unit.frameworks.world import Check, ServiceWorld, running

from tender.api.service import UpdateStrategy
from tender.frameworks.sdk.templates import template_revision
from tender.frameworks.service.update import bounds_of

OLD, NEW, NEWER = (template(image=f"app:{version}") for version in (1, 2, 3))


def strategy(health: str | int = "100%", over: str | int = 1) -> dict[str, str | int]:
    return {"minimumHealth": health, "maximumOver": over}


def bounds(replicas: int, health: str | int, over: str | int) -> tuple[int, int]:
    found = bounds_of(replicas, UpdateStrategy.model_validate(strategy(health, over)))
    return found.least_ready, found.most


class TestT7Bounds:
    @pytest.mark.parametrize(
        ("replicas", "health", "over", "expected"),
        [
            (4, "100%", 1, (4, 5)),
            (4, "50%", "50%", (2, 6)),
            (3, "50%", "50%", (2, 4)),
            (7, "33%", "33%", (3, 9)),
            (10, "100%", "100%", (10, 20)),
            (10, "29%", "29%", (3, 12)),
            (100, "7%", "7%", (7, 107)),
            (4, 2, 3, (2, 7)),
            (4, "0%", 0, (0, 4)),
            (0, "100%", 1, (0, 1)),
        ],
    )
    def test_t7_the_minimum_is_rounded_up_and_the_maximum_down(self, replicas, health, over, expected):
        assert bounds(replicas, health, over) == expected

    def test_t7_more_pods_than_replicas_are_never_asked_to_be_ready(self):
        assert bounds(2, 5, 1) == (2, 3)

    @pytest.mark.parametrize("health", ["100%", 3])
    def test_t7_where_both_bounds_meet_one_pod_more_may_exist(self, health):
        assert bounds(3, health, "30%") == (3, 4)

    def test_t7_a_service_that_says_nothing_keeps_all_ready_with_one_more(self):
        found = bounds_of(5, UpdateStrategy())
        assert (found.least_ready, found.most) == (5, 6)


class TestT7TheWayOfAChange:
    def test_t7_with_half_of_the_pods_to_stay_the_other_half_goes_at_once(self):
        world = running(4, OLD, updateStrategy=strategy("50%", 0))
        world.change(template=NEW)
        plan = world.step()
        assert len(plan.stops) == 2
        world.step()
        assert world.revisions_of_pods.count(template_revision(NEW)) == 2

    def test_t7_then_one_old_pod_goes_for_each_new_one_that_is_ready(self):
        world = running(4, OLD, updateStrategy=strategy("50%", 0))
        world.change(template=NEW)
        world.step()
        assert len(world.step().stops) == 0
        world.start_one()
        assert len(world.step().stops) == 1

    def test_t7_old_pods_that_are_not_ready_go_first_and_at_once(self):
        world = running(4, OLD)
        world.set_ready("web-2", ready=False)
        world.change(template=NEW)
        assert [stop.pod for stop in world.plan().stops] == ["web-2"]

    def test_t7_as_many_new_pods_as_there_may_be_more_are_launched_at_once(self):
        world = running(4, OLD, updateStrategy=strategy("100%", "100%"))
        world.change(template=NEW)
        world.step()
        assert len(world.live) == 8

    def test_t7_an_old_pod_that_dies_in_its_midst_is_replaced_by_the_newest_version(self):
        world = running(4, OLD)
        world.change(template=NEW)
        world.step()
        world.vanish("web-1")
        world.step()
        assert world.revisions_of_pods.count(template_revision(NEW)) == 2

    def test_t17_a_third_version_in_its_midst_makes_the_pods_of_both_others_old(self):
        world = running(4, OLD)
        world.change(template=NEW)
        for _ in range(3):
            world.step()
            world.start_one()
        world.change(template=NEWER)
        (shape,) = world.plan().shapes
        assert (shape.revision, len(world.live)) == (template_revision(NEWER), 5)
        world.settle()
        assert set(world.revisions_of_pods) == {template_revision(NEWER)}

    def test_t14_none_to_none_is_ready_at_once(self):
        world = ServiceWorld(framework(replicas=0, service=OLD))
        assert world.step().state[:2] == ("Ready", "AsSpecified")
        world.change(template=NEW, replicas=0)
        plan = world.step()
        assert plan.state == ("Ready", "AsSpecified", "0 of 0 pods are ready")
        assert plan.status["settledGeneration"] == 2


shares = st.one_of(st.integers(0, 100).map("{}%".format), st.integers(0, 8))
strategies = st.tuples(shares, shares).filter(lambda one: one != ("100%", 0)).map(lambda one: strategy(*one))
happenings = st.one_of(
    st.tuples(st.just("replicas"), st.integers(0, 7)),
    st.tuples(st.just("template"), st.sampled_from([OLD, NEW, NEWER])),
    st.tuples(st.just("strategy"), strategies),
    st.tuples(st.just("start"), st.integers(0, 20)),
    st.tuples(st.just("unready"), st.integers(0, 20)),
    st.tuples(st.just("fail"), st.integers(0, 20)),
    st.tuples(st.just("vanish"), st.integers(0, 20)),
    st.tuples(st.just("silence"), st.integers(1, 3)),
    st.tuples(st.just("wake"), st.integers(1, 3)),
    st.tuples(st.just("gone"), st.integers(1, 3)),
    st.tuples(st.just("steps"), st.integers(1, 3)),
)


def answering(world: ServiceWorld) -> int:
    """The pods on nodes that answer: the others are not counted, by the default that replaces them at once."""
    return sum(one.spec.node_name in world.nodes and world.nodes[one.spec.node_name].ready for one in world.live)


def law() -> Check:
    """After every change: pods that were ready go only where enough stay, and pods come only where there is room."""
    before: dict[str, int] = {"ready": 0, "live": 0}

    def check(world: ServiceWorld) -> None:
        found = bounds_of(world.spec.replicas, world.spec.update_strategy)
        ready, live = world.ready, answering(world)
        if world.acting and ready < before["ready"]:
            assert ready >= found.least_ready
        if world.acting and live > before["live"]:
            assert live <= found.most
        before.update(ready=ready, live=live)

    return check


def happen(world: ServiceWorld, what: str, value: object) -> None:
    live = [one.metadata.name for one in world.live]
    name = f"node-{value}"
    match what, value:
        case "replicas", int():
            world.change(replicas=value)
        case "template", dict():
            world.change(template=value)
        case "strategy", dict():
            world.change(updateStrategy=value)
        case "start", _:
            world.start_one()
        case (("unready" | "fail" | "vanish"), int()) if live:
            one = live[value % len(live)]
            if what == "unready":
                world.set_unready(one)
            elif what == "fail":
                world.fail(one)
            else:
                world.vanish(one)
        case "silence", _ if name in world.nodes:
            world.silence(name)
        case "wake", _ if name in world.nodes:
            world.wake(name)
        case "gone", _ if len(world.nodes) > 1:
            world.nodes.pop(name, None)
        case "steps", int():
            for _ in range(value):
                world.step()


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 6), strategies, st.lists(happenings, max_size=30))
def test_t7_the_bounds_hold_after_every_change_and_every_way_ends(replicas, how, ways):
    world = running(replicas, OLD, nodes=3, updateStrategy=how)
    world.check = law()
    world.check(world)
    for what, value in ways:
        happen(world, what, value)
        world.now += 0.5
    world.step()
    world.nodes = {f"node-{index}": node(f"node-{index}") for index in range(1, 4)}
    world.now += 600
    plan = world.settle(200)
    assert plan.state[:2] == ("Ready", "AsSpecified")
    assert world.revisions_of_pods == [template_revision(world.spec.template)] * world.spec.replicas
    assert world.ready == world.spec.replicas == len(world.pods)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 6),
    st.integers(0, 99).map("{}%".format),
    st.lists(st.sampled_from(["OLD", "NEW"]), min_size=1, max_size=3),
)
def test_t10_with_less_than_all_to_stay_ready_a_change_ends_with_one_pod_for_each_node(replicas, health, templates):
    assume(bounds(replicas, health, 0)[0] < replicas)
    world = running(
        replicas,
        OLD,
        nodes=replicas,
        constraints=[{"key": "metadata.name", "operator": "Unique"}],
        updateStrategy=strategy(health, 0),
    )
    world.per_node = 1
    for name in templates:
        world.change(template={"OLD": OLD, "NEW": NEW}[name])
        world.step()
    plan = world.settle(200)
    assert plan.state[0] == "Ready"
    assert sorted(one.spec.node_name for one in world.live) == sorted(world.nodes)

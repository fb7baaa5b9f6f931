"""A controller that ends at any moment, and starts again knowing nothing: no pod is lost and none is doubled."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import template
from tests.unit.world import Process, World, service

from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS

REPLICAS = 5
OLD, NEW = template(image="app:1"), template(image="app:2")


async def rolling(rng: Random | None = None) -> World:
    """Five replicas that run and are ready, at the moment when their template changes."""
    world = World(service(REPLICAS, OLD), rng=rng)
    await world.settle()

    def check() -> None:
        assert len(world.live) <= REPLICAS + 1, "a pod was doubled"
        assert world.ready >= REPLICAS, "a pod was stopped before another took its place"

    world.change(template=NEW)
    world.process = None
    world.api.writes.clear()
    world.api.on_change = check
    return world


def assert_rolled(world: World) -> None:
    assert world.as_specified
    assert len(world.api.created_names) == len(set(world.api.created_names)) == 2 * REPLICAS
    assert world.errors == []


async def writes_of_a_roll() -> int:
    world = await rolling()
    await world.settle()
    assert_rolled(world)
    return len(world.api.writes)


async def test_a_roll_that_nothing_interrupts_exchanges_every_pod_once():
    assert await writes_of_a_roll() >= 3 * REPLICAS


async def test_a_roll_survives_the_end_of_the_controller_after_any_of_its_writes():
    for last_write in range(1, await writes_of_a_roll() + 1):
        world = await rolling()
        world.lifetime = last_write
        while world.lives < 1 or world.process is not None:
            await world.second()
        world.lifetime = None
        await world.settle()
        assert_rolled(world)


@pytest.mark.parametrize("lifetime", [1, 2, 3, 7])
async def test_a_roll_survives_a_controller_that_never_lives_for_more_than_a_few_writes(lifetime):
    world = await rolling()
    world.lifetime = lifetime
    await world.settle()
    assert_rolled(world)
    assert world.lives > 2


@pytest.mark.parametrize("seed", range(20))
async def test_a_roll_survives_whatever_the_order_in_which_its_writes_arrive(seed):
    world = await rolling(Random(seed))
    world.lifetime = 1 + seed % 5
    await world.settle()
    assert_rolled(world)


async def test_two_controllers_at_once_do_what_one_would_do():
    world = await rolling()
    world.rival = Process(world)
    await world.settle()
    assert_rolled(world)


@pytest.mark.parametrize("kind", [FRAMEWORKS, PODS, RESOURCE_OFFERS], ids=lambda kind: kind.plural)
async def test_a_cache_that_lags_behind_a_master_that_offers_too_much_doubles_no_pod(kind):
    world = await rolling()
    for second in range(40):
        world.offer_unasked(1)
        await world.second(*([kind] if second % 3 else []))
    await world.settle()
    assert_rolled(world)


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("replicas"), st.integers(0, 6)),
        st.tuples(st.just("template"), st.sampled_from([OLD, NEW, template(image="app:3")])),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("offer"), st.integers(1, 3)),
        st.tuples(st.just("end"), st.none() | st.integers(1, 6)),
        st.tuples(st.just("second"), st.sets(st.sampled_from([FRAMEWORKS, PODS, RESOURCE_OFFERS]))),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(happenings, st.integers(0, 1000))
async def test_whatever_happens_on_the_way_the_service_ends_as_specified(story, seed):
    world = World(service(3, OLD), rng=Random(seed))
    most = 3

    def check() -> None:
        assert len(world.live) <= most + 1

    world.api.on_change = check
    for what, value in story:
        match what:
            case "replicas":
                most = max(most, value)
                world.change(replicas=value)
            case "template":
                world.change(template=value)
            case "fail" if world.live:
                world.fail(world.live[value % len(world.live)].metadata.name)
            case "offer":
                world.offer_unasked(value)
            case "end":
                world.lifetime, world.process = value, None
            case "second":
                await world.second(*value)
    world.lifetime = None
    await world.settle(600)
    assert world.errors == []

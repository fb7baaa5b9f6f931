"""What master and controller keep of what has come and gone: nothing, however much it was."""

import gc
from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.running.parts import controller, master
from tests.integration.running.waiting import until
from tests.integration.running.world import World, demand

KEPT = (
    "tender.api.framework.Framework",
    "tender.api.offer.ResourceOffer",
    "tender.allocation.model.Framework",
    "tender.allocation.model.Charge",
    "tender.allocation.model.Refusal",
    "tender.master.offerbook._Entry",
    "tender.master.throttle._Record",
    "kopf._core.reactor.inventory.ResourceMemory",
    "kopf._core.reactor.queueing.Stream",
)
"""What there is of a framework or an offer while it is there: ours, and kopf's."""


def held() -> Counter[str]:
    """How many objects of these kinds are in memory."""
    gc.collect()
    names = (f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    return Counter(name for name in names if name in KEPT)


async def comes_down_to(before: Counter[str]) -> None:
    """Wait until no more is held than before."""
    more: Counter[str] = Counter()

    async def is_so() -> bool:
        more.clear()
        more.update(held() - before)
        return not more

    try:
        await until(is_so, "memory as before", pause=0.5)
    except AssertionError:
        assert more == {}


@pytest_asyncio.fixture(autouse=True)
async def parts(world: World, api_server: ApiServer) -> AsyncIterator[None]:
    """A master and a controller that have one node."""
    await world.add_nodes(1)
    async with master(world, api_server.kubeconfig) as first, controller(world, api_server.kubeconfig) as second:
        await first.ready()
        await second.ready()
        yield


async def comes_and_goes(world: World, name: str) -> None:
    """A framework comes, declines an offer, claims the next, launches a pod, and all of it goes."""
    owner = await world.add_framework(name)
    await world.declare(name, demand(count=1))
    await answer_two(world, name)
    await world.remove_framework(owner.metadata.name)
    await until(lambda: no_offer(world), "the end of its offers")


async def answer_two(world: World, name: str) -> None:
    await world.decline(await world.an_offer(of=name), 1)
    world.clock.advance(2)
    [pod] = await world.launch(await world.claim(await world.an_offer(of=name)), await world.framework(name))
    await world.remove_pod(pod)


async def no_offer(world: World) -> bool:
    return not await world.offers()


async def test_nothing_is_kept_of_offers(world: World):
    await world.add_framework("web")
    await world.declare("web", demand(count=1))
    await answer_two(world, "web")
    await world.an_offer()
    before = held()
    for _ in range(8):
        await answer_two(world, "web")
    await world.an_offer()
    assert set(before) >= {
        "tender.api.offer.ResourceOffer",
        "tender.allocation.model.Charge",
        "kopf._core.reactor.inventory.ResourceMemory",
    }
    await comes_down_to(before)


async def test_nothing_is_kept_of_frameworks(world: World):
    await comes_and_goes(world, "first")
    before = held()
    for number in range(8):
        await comes_and_goes(world, f"later-{number}")
    await comes_down_to(before)

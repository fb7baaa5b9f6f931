"""Candidates for one Lease of a real API server: who leads, who waits, and what a leader makes of meddling."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.cluster.access import load
from tender.cluster.leadership import Leadership, LeaseLost, candidacy, may_begin
from tender.cluster.lease import ElectionSettings
from tender.cluster.resources import EVENTS, LEASES

NAME = "tender-any"


@pytest.fixture
def candidate(api_server: ApiServer, world: World) -> Callable[..., Leadership]:
    """Makes candidates of the test's Lease, whose times are short."""

    def make(identity: str, *, duration: int = 2, first_term: Callable[[], Awaitable[int]] | None = None) -> Leadership:
        settings = ElectionSettings(NAME, world.namespace, duration, 0.8 * duration, 0.1)
        further: dict[str, Any] = {} if first_term is None else {"first_term": first_term}
        return Leadership(load(str(api_server.kubeconfig)), settings, "any", identity=identity, **further)

    return make


@asynccontextmanager
async def standing(one: Leadership) -> AsyncIterator[Leadership]:
    """It stands for election, and goes without a word."""
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.aclose()


async def won(one: Leadership) -> None:
    async with asyncio.timeout(20):
        await one.won.wait()


async def spec(world: World) -> dict[str, Any]:
    return dict((await world.client.get(LEASES, NAME, namespace=world.namespace))["spec"])


async def renewed(world: World) -> None:
    """Wait for the next renewal."""
    before = (await spec(world))["renewTime"]

    async def is_renewed() -> bool:
        return bool((await spec(world))["renewTime"] != before)

    await until(is_renewed, "a renewal")


class TestCandidates:
    async def test_of_several_one_leads_and_the_record_says_which(self, world, candidate):
        async with standing(candidate("a")) as first, standing(candidate("b")) as second:
            await until(lambda: _is(first.won.is_set() or second.won.is_set()), "a leader")
            await renewed(world)
            await renewed(world)
            [leader] = [one for one in (first, second) if one.won.is_set()]
            assert (leader.fence.is_open, leader.term) == (True, 0)
            assert (await spec(world))["holderIdentity"] == leader.identity

    async def test_take_over_in_a_new_term_what_nobody_renews(self, world, candidate):
        async with standing(candidate("a")) as first:
            await won(first)
        async with standing(candidate("b")) as second:
            await won(second)
            assert second.term == 1

    async def test_take_over_at_once_what_was_released(self, world, candidate):
        first = candidate("a", duration=600)
        async with candidacy(first):
            assert await may_begin(first, asyncio.Event())
        assert not first.fence.is_open
        async with standing(candidate("b", duration=600)) as second:
            await won(second)
            assert second.term == 1

    async def test_that_are_asked_to_stop_before_they_lead_do_not_begin(self, world, candidate):
        async with standing(candidate("a", duration=600)) as first:
            await won(first)
            second, stop = candidate("b", duration=600), asyncio.Event()
            async with candidacy(second):
                stop.set()
                assert not await may_begin(second, stop)
            assert (await spec(world))["holderIdentity"] == "a"

    async def test_begin_later_than_every_term_that_offers_tell_of_and_wait_for_who_made_them(self, world, candidate):
        asked: list[None] = []

        async def first_term() -> int:
            asked.append(None)
            return 5

        async with standing(candidate("a", first_term=first_term)) as one:
            await until(lambda: _is(bool(asked)), "a look at the offers")
            assert not one.won.is_set()
            await won(one)
            assert one.term == 5


class TestALeader:
    async def test_leads_on_when_somebody_writes_something_else_into_its_lease(self, world, candidate):
        async with standing(candidate("a")) as leader:
            await won(leader)
            note = {"metadata": {"annotations": {"example.com/note": "hello"}}}
            await world.client.patch(LEASES, NAME, note, namespace=world.namespace)
            await renewed(world)
            assert (leader.fence.is_open, leader.term) == (True, 0)

    async def test_makes_its_lease_again_in_its_term_when_that_is_deleted(self, world, candidate):
        async with standing(candidate("a")) as first:
            await won(first)
        async with standing(candidate("b")) as leader:
            await won(leader)
            await world.client.delete(LEASES, NAME, namespace=world.namespace)

            async def is_back() -> bool:
                found = await world.client.list_all(LEASES, namespace=world.namespace)
                return [one["spec"]["leaseTransitions"] for one in found] == [1]

            await until(is_back, "the Lease")
            assert leader.fence.is_open

    async def test_that_is_ousted_ends_writes_nothing_more_and_says_who_leads(self, world, candidate):
        leader = candidate("a")
        with pytest.raises(LeaseLost, match="the lease is held by b"):
            async with candidacy(leader):
                assert await may_begin(leader, asyncio.Event())
                usurped = {"spec": {"holderIdentity": "b", "leaseTransitions": 1}}
                await world.client.patch(LEASES, NAME, usurped, namespace=world.namespace)
                await asyncio.sleep(20)
        assert not leader.fence.is_open
        assert (await spec(world))["holderIdentity"] == "b"

        async def told() -> list[str]:
            events = await world.client.list_all(EVENTS, namespace=world.namespace)
            about = [one["note"] for one in events if one["regarding"]["name"] == NAME]
            return sorted(about) if len(about) == 2 else []

        notes = await until(told, "events of its rise and fall")
        assert notes == ["a leads in term 0", "a leads no more: the lease is held by b"]


async def _is(value: bool) -> bool:
    return value

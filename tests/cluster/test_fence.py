"""The gate of writes: what passes, and what is refused at the last moment."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from tests.cluster.scripted import ScriptedServer

from tender.cluster.client import Client
from tender.cluster.clocks import WatchedClock, steady
from tender.cluster.errors import NotLeading, Unreachable
from tender.cluster.fence import Fence
from tender.cluster.resources import PODS
from tender.cluster.retry import ONCE

POD = {"metadata": {"name": "web-1", "namespace": "shop"}}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def open_fence(clock: Clock, *, deadline: float = 10.0, grace: float = 4.0) -> Fence:
    fence = Fence(deadline, grace, clock)
    fence.renewed(clock.now)
    return fence


async def accept(_: web.Request) -> web.StreamResponse:
    return web.json_response(POD)


class TestAFence:
    def test_is_shut_until_the_lease_is_held(self):
        assert not Fence(10.0, 4.0, Clock()).is_open

    def test_is_open_until_the_renew_deadline_counted_from_when_the_renewal_was_sent(self):
        clock = Clock()
        fence = Fence(10.0, 4.0, clock)
        fence.renewed(clock.now - 3)
        assert fence.seconds == 7.0
        clock.now += 7
        assert not fence.is_open

    def test_opens_again_by_a_renewal_and_never_when_the_lease_is_lost(self):
        clock = Clock()
        fence = open_fence(clock)
        clock.now += 100
        fence.renewed(clock.now)
        assert fence.is_open
        fence.shut()
        fence.renewed(clock.now)
        assert not fence.is_open

    async def test_lets_wait_for_its_opening(self):
        clock = Clock()
        fence = Fence(10.0, 4.0, clock)
        waiting = asyncio.create_task(fence.opened())
        await asyncio.sleep(0)
        assert not waiting.done()
        fence.renewed(clock.now)
        await waiting


class TestAClientBehindAFence:
    async def test_writes_while_it_is_open(self, server: ScriptedServer):
        server.others.append(accept)
        async with Client(server.access, fence=open_fence(Clock())) as client:
            assert await client.create(PODS, POD) == POD

    async def test_reads_whether_it_is_open_or_not(self, server: ScriptedServer):
        server.others.append(accept)
        async with Client(server.access, fence=Fence(10.0, 4.0, Clock())) as client:
            assert await client.get(PODS, "web-1", namespace="shop") == POD

    async def test_sends_nothing_and_does_not_try_again_when_it_is_shut(self, server: ScriptedServer):
        async with Client(server.access, fence=Fence(10.0, 4.0, Clock())) as client:
            with pytest.raises(NotLeading, match=r"create pods shop/web-1: NotLeading: not sent"):
                await client.create(PODS, POD)
        assert server.asked == []

    @pytest.mark.parametrize(("write", "passes"), [("create", 1), ("create", 2), ("delete", 1)])
    async def test_sends_nothing_when_it_shuts_after_the_attempt_began(
        self, server: ScriptedServer, write: str, passes: int
    ):
        clock = Clock()
        fence = open_fence(clock)
        looks = 0
        check = fence.check

        def stopped_in_between(what: str) -> None:
            nonlocal looks
            looks += 1
            clock.now += 0 if looks <= passes else 60  # as if the process had been stopped while it was connecting
            check(what)

        fence.check = stopped_in_between  # type: ignore[assignment]
        async with Client(server.access, fence=fence) as client:
            with pytest.raises(NotLeading):
                if write == "create":
                    await client.create(PODS, POD)
                else:
                    await client.delete(PODS, "web-1", namespace="shop")
        assert server.asked == []
        assert looks == passes + 1

    async def test_waits_for_an_answer_no_longer_than_until_the_next_leader_may_begin(self, server: ScriptedServer):
        async def never(_: web.Request) -> web.StreamResponse:
            await server.closing.wait()
            return web.Response()

        server.others.append(never)
        clock = Clock()
        fence = open_fence(clock, deadline=0.1, grace=0.1)
        async with Client(server.access, fence=fence, request_timeout=30.0, retry=ONCE) as client:
            with pytest.raises(Unreachable):
                async with asyncio.timeout(10):
                    await client.create(PODS, POD)

    async def test_has_the_kernel_give_up_what_is_not_acknowledged(self, server: ScriptedServer):
        server.others.append(accept)
        async with Client(server.access, fence=open_fence(Clock())) as client:
            transport = client._transport
            info = (2, 1, 6, "", ("127.0.0.1", 80))
            with transport._fenced_socket(info) as made:
                assert made.getsockopt(6, 18) == 4000
            await client.create(PODS, POD)
            assert isinstance(transport._session, aiohttp.ClientSession)


class TestAWatchedClock:
    def test_is_the_time_of_day_and_tells_only_of_jumps(self):
        wall, steadily, jumps = Clock(), Clock(), list[float]()
        clock = WatchedClock(jumps.append, wall, steadily)
        for passes, drift in ((10.0, 0.0), (1000.0, 0.4), (0.5, 0.0)):
            wall.now += passes + drift
            steadily.now += passes
            assert clock() == wall.now
        assert jumps == []
        wall.now += 3600
        assert clock() == clock() == wall.now
        wall.now -= 7200
        clock()
        assert jumps == pytest.approx([3600.4, -7200.0])

    def test_stands_on_a_clock_that_is_never_set(self):
        assert steady() <= steady()

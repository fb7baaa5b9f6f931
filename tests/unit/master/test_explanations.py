"""What the master answers to "why is it waiting?"."""

import asyncio
import itertools
from typing import Any, cast

import pytest
from tests.builders import NOON, demand, external
from tests.unit.master.bench import Master
from tests.unit.memory import MemoryApi

from tender.allocation import Settings
from tender.cluster.resources import FRAMEWORKS
from tender.cluster.serving import NotServed
from tender.master.explanations import ALL, MOST_QUESTIONS, ONE, Explanations

NODES = ["node-1", "node-2", "node-3"]


class Asking:
    """A master with the framework spark, which wants one task too large for any node, and somebody who asks."""

    def __init__(self, tasks: asyncio.TaskGroup, **pace: Any) -> None:
        api = MemoryApi()
        api.put(FRAMEWORKS, external(demand=[demand("large", 2, requests={"cpu": "9"})]).manifest())
        api.put(FRAMEWORKS, external("idle", demand=[]).manifest())
        self.master = Master(api, tasks, lambda: NOON)
        ledger, loop = self.master.ledger, self.master.loop
        self.documents = Explanations(ledger, loop, Settings(), lambda: NOON, **pace).documents()

    async def all(self) -> dict[str, Any]:
        return cast("dict[str, Any]", await self.documents[ALL]({}))

    async def one(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", await self.documents[ONE]({"namespace": "shop", "name": name}))


class TestAll:
    async def test_tells_of_the_last_cycle_and_every_framework(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            await asking.master.tick()
            told = await asking.all()
        assert told["cycle"]["nodes"] == 3
        assert told["cycle"]["time"].startswith("20")
        idle, spark = told["frameworks"]
        [suppressed] = idle.pop("notOffered")
        assert suppressed["reason"] == "Suppressed"
        assert idle == {
            "framework": "shop/idle",
            "roles": ("default",),
            "unmet": [],
            "dominantShare": "0.0000",
            "allocated": {},
            "offered": {},
        }
        assert spark["unmet"] == [{"demand": "large", "missing": 2, "requests": {"pods": "1", "cpu": "9"}}]
        assert [(one["reason"], one["nodes"]) for one in spark["notOffered"]] == [("Exhausted", 3)]

    async def test_has_to_wait_for_the_first_cycle(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            for answer in (asking.all(), asking.one("spark")):
                with pytest.raises(NotServed, match="has run no cycle yet") as raised:
                    await answer
                assert raised.value.code == 503


class TestOne:
    async def test_tells_every_node_by_name(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            await asking.master.tick()
            told = await asking.one("spark")
        [wait] = told["now"]["waits"]
        assert (wait["role"], wait["demand"], wait["missing"]) == ("default", "large", 2)
        [why] = wait["notOffered"]
        assert (why["reason"], why["nodes"], list(why["names"])) == ("Exhausted", 3, NODES)
        assert why["detail"].startswith("node-1 comes nearest, with cpu 4")

    async def test_tells_why_a_framework_takes_no_part(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            await asking.master.tick()
            told = await asking.one("idle")
        assert told["now"]["suppressed"].startswith("the framework has declared that it needs nothing")

    async def test_that_is_not_known_is_named(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            await asking.master.tick()
            with pytest.raises(NotServed, match=r"the master knows no framework shop/typo; /reasons lists") as raised:
                await asking.one("typo")
        assert raised.value.code == 404


class TestQuestions:
    async def test_that_are_too_many_are_turned_away_and_the_others_answered(self):
        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks)
            await asking.master.tick()
            answers = await asyncio.gather(*(asking.all() for _ in range(MOST_QUESTIONS + 3)), return_exceptions=True)
            again = await asking.all()
        refused = [answer for answer in answers if isinstance(answer, NotServed)]
        assert [answer.code for answer in refused] == [429] * 3
        assert again["frameworks"]

    async def test_leave_most_of_the_time_to_the_master(self):
        stopwatch = itertools.count(100.0, 0.5)
        slept = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        async with asyncio.TaskGroup() as tasks:
            asking = Asking(tasks, stopwatch=stopwatch.__next__, sleep=sleep)
            await asking.master.tick()
            await asking.all()
            await asking.all()
        assert slept == [-100.0, 9 * 0.5 - 0.5]

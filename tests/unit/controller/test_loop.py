"""Turns are taken one at a time for each framework, and one that fails does not stop the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

from prometheus_client import CollectorRegistry
from tests.builders import NOON, external, framework, offer

from tender.api.framework import Framework
from tender.cluster.errors import Forbidden
from tender.controller.executor import Executor
from tender.controller.loop import TurnLoop
from tender.controller.metrics import ControllerMetrics
from tender.controller.view import View
from tender.frameworks.sdk import Decline, Note, Plan, Seen, Turn


def idle(seen: Seen) -> Plan:
    return Plan((), (), {}, ("Ready", "AsSpecified", ""))


class RecordingExecutor:
    """Takes note of the turns; `during` is awaited within each of them."""

    def __init__(self) -> None:
        self.turns: list[tuple[str, Turn]] = []
        self.forgotten: list[str] = []
        self.under_way: Counter[str] = Counter()
        self.most_at_once = 0
        self.during: Callable[[str], object] = lambda name: None

    async def carry_out(self, framework: Framework, turn: Turn) -> float | None:
        name = framework.metadata.name
        self.turns.append((name, turn))
        self.under_way[name] += 1
        self.most_at_once = max(self.most_at_once, self.under_way[name])
        try:
            await asyncio.sleep(0)
            self.during(name)
        finally:
            self.under_way[name] -= 1
        return None

    def forget(self, framework: str) -> None:
        self.forgotten.append(framework)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.turns]


class Bench:
    """A loop over a view, with an executor that takes notes."""

    def __init__(
        self, planner: Any = idle, kind: str = "service", selects: Callable[[Framework], bool] | None = None
    ) -> None:
        self.notes: list[tuple[str, Note]] = []
        self.metrics = ControllerMetrics(CollectorRegistry())
        self.executor = RecordingExecutor()
        self.loop = TurnLoop(
            {kind: planner},
            self.metrics,
            turns_at_once=4,
            clock=lambda: NOON,
            rng=Random(1),
            tell=lambda of, note: self.notes.append((of.metadata.name, note)),
            selects=selects,
        )
        self.view = View(self.loop.mark)

    def add(self, *frameworks: Framework) -> None:
        for one in frameworks:
            self.view.framework_changed(None, one)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.loop.run(self.view, cast("Executor", self.executor)))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let the loop run until something is the case, or for as many rounds as it could possibly need."""
        for _ in range(2000):
            if reached():
                return
            await asyncio.sleep(0)
        raise AssertionError("the loop did not get there")

    async def settle(self) -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    def mark_again(self, name: str) -> None:
        self.loop.mark(f"shop/{name}")

    def failed(self) -> float:
        return self.metrics.registry.get_sample_value("tender_turns_failed_total") or 0.0


async def test_every_framework_that_comes_gets_a_turn():
    bench = Bench()
    bench.add(framework("web"), framework("shop"))
    async with bench.running():
        await bench.until(lambda: len(bench.executor.turns) == 2)
    assert sorted(bench.executor.names) == ["shop", "web"]
    assert bench.metrics.registry.get_sample_value("tender_event_queue_duration_seconds_count") == 2


async def test_many_changes_before_a_turn_are_one_turn():
    bench = Bench()
    bench.add(framework("web"))
    for _ in range(10):
        bench.loop.mark("shop/web")
    async with bench.running():
        await bench.settle()
    assert bench.executor.names == ["web"]


async def test_a_framework_is_in_one_turn_at_a_time():
    bench = Bench()
    bench.executor.during = bench.mark_again
    bench.add(framework("web"))
    bench.view.offer_changed(None, offer())
    async with bench.running():
        await bench.until(lambda: len(bench.executor.turns) > 5)
    assert bench.executor.most_at_once == 1


async def test_answered_offers_are_followed_by_a_turn_at_once_since_launches_come_next():
    bench = Bench()
    bench.add(framework("web"))
    bench.view.offer_changed(None, offer())
    bench.executor.during = lambda _: bench.view.offer_gone("shop/web", offer().metadata.name)
    async with bench.running():
        await bench.until(lambda: len(bench.executor.turns) == 2)
    first, second = (turn for _, turn in bench.executor.turns)
    assert isinstance(first.answers[0], Decline)
    assert second.answers == ()


async def test_a_planner_that_fails_for_one_framework_does_not_stop_the_others():
    def planner(seen: Seen) -> Plan:
        if seen.framework.metadata.name == "broken":
            raise RuntimeError("no plan")
        return idle(seen)

    bench = Bench(planner)
    bench.add(framework("broken"), framework("web"))
    async with bench.running():
        await bench.until(lambda: bench.executor.names == ["web"] and bench.failed() == 1)
        bench.add(framework("later"))
        await bench.until(lambda: bench.executor.names == ["web", "later"])


async def test_a_write_that_is_refused_is_told_as_an_event():
    bench = Bench()
    bench.add(framework("web"))

    def refuse(name: str) -> None:
        raise Forbidden(403, "Forbidden", "exceeded quota: pods")

    bench.executor.during = refuse
    async with bench.running():
        await bench.until(lambda: bench.failed() == 1)
    ((name, note),) = bench.notes
    assert (name, note.reason, note.kind) == ("web", "WriteRefused", "Warning")
    assert "exceeded quota" in note.message


async def test_notes_of_a_plan_are_told():
    note = Note("PodFailed", "Pod web-1 has ended", "Warning")
    bench = Bench(lambda *_: Plan((), (), {}, ("Ready", "AsSpecified", ""), notes=(note,)))
    bench.add(framework("web"))
    async with bench.running():
        await bench.until(lambda: bool(bench.notes))
    assert bench.notes == [("web", note)]


async def test_frameworks_of_other_kinds_and_those_being_deleted_are_left_alone():
    bench = Bench()
    bench.add(external("spark"), framework("leaving", deleted=NOON))
    async with bench.running():
        await bench.settle()
    assert bench.executor.turns == []


async def test_an_author_runs_those_frameworks_of_a_kind_that_are_its_own():
    bench = Bench(kind="external", selects=lambda one: one.metadata.name.startswith("spark"))
    bench.add(external("spark-1"), external("flink-1"), framework("web"))
    async with bench.running():
        await bench.settle()
    assert bench.executor.names == ["spark-1"]


async def test_a_framework_that_is_gone_is_forgotten():
    bench = Bench()
    bench.add(framework("web"))
    bench.view.framework_changed(framework("web"), None)
    async with bench.running():
        await bench.until(lambda: bench.executor.forgotten == ["shop/web"])
    assert bench.executor.turns == []


async def test_a_time_at_which_a_plan_wants_to_be_made_again_brings_a_turn():
    planned_again = asyncio.Event()
    plans = []

    def planner(seen: Seen) -> Plan:
        plans.append(seen.now)
        if len(plans) > 1:
            planned_again.set()
        return Plan((), (), {}, ("Ready", "AsSpecified", ""), wake_at=NOON if len(plans) == 1 else None)

    bench = Bench(planner)
    bench.add(framework("web"))
    async with bench.running(), asyncio.timeout(10):
        await planned_again.wait()

"""Answers "why is it waiting?" over HTTP: for all frameworks as of the last cycle, for one in full as of now.

The answers tell what exists now beside what the last cycle decided. Whoever reaches the port may ask, so that asking
must not keep the master from its work: questions are answered one by one, in a tenth of its time at most.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from tender.allocation import Explanation, Framework, Ledger, Settings, explain
from tender.allocation.tasks import missing
from tender.api.quantities import format_resources
from tender.api.timestamps import timestamp
from tender.cluster.serving import Document, NotServed
from tender.master.framework_statuses import framework_status
from tender.master.loop import AllocationLoop

ALL, ONE = "/reasons", "/reasons/{namespace}/{name}"

MOST_QUESTIONS = 16
"""So many questions may be open at once."""
_REST = 9
"""After an answer the next one waits for so many times as long as it took."""
_SEED = 0


class Explanations:
    """Documents for the web server: the reasons of the last cycle, and one framework's in full."""

    def __init__(
        self,
        ledger: Ledger,
        loop: AllocationLoop,
        settings: Settings,
        clock: Callable[[], float],
        *,
        stopwatch: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._loop = loop
        self._settings = settings
        self._clock = clock
        self._stopwatch = stopwatch
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._open = 0
        self._rested = 0.0

    def documents(self) -> dict[str, Document]:
        """What is served at which path."""
        return {ALL: self._of_all, ONE: self._of_one}

    async def _of_all(self, _: Mapping[str, str]) -> object:
        return await self._answered(self._last_cycle)

    async def _of_one(self, asked: Mapping[str, str]) -> object:
        name = f"{asked['namespace']}/{asked['name']}"
        return await self._answered(lambda: self._in_full(name))

    async def _answered(self, answer: Callable[[], object]) -> object:
        if self._open >= MOST_QUESTIONS:
            raise NotServed(429, "too many questions at once; ask again in a moment")
        self._open += 1
        try:
            async with self._turn:
                await self._sleep(self._rested - self._stopwatch())
                started = self._stopwatch()
                try:
                    return answer()
                finally:
                    ended = self._stopwatch()
                    self._rested = ended + _REST * (ended - started)
        finally:
            self._open -= 1

    def _last_cycle(self) -> dict[str, Any]:
        return {
            "cycle": self._cycle(),
            "frameworks": [self._summary(framework) for _, framework in sorted(self._ledger.frameworks.items())],
        }

    def _in_full(self, name: str) -> dict[str, Any]:
        cycle = self._cycle()
        framework = self._ledger.frameworks.get(name)
        if framework is None:
            raise NotServed(404, f"the master knows no framework {name}; {ALL} lists those that it knows")
        now = self._clock()
        why = explain(self._ledger, self._settings, now, Random(_SEED), name)
        return {"cycle": cycle, **self._summary(framework), "now": _in_full(why, timestamp(now, "milliseconds"))}

    def _cycle(self) -> dict[str, Any]:
        loop = self._loop
        if loop.last_cycle is None:
            raise NotServed(503, "the master has run no cycle yet: it waits until it knows what there is; see /readyz")
        return {
            "time": timestamp(loop.last_cycle, "milliseconds"),
            "seconds": round(loop.last_seconds, 6),
            "nodes": loop.last_nodes,
        }

    def _summary(self, framework: Framework) -> dict[str, Any]:
        """What the status of a framework says of its allocation, and what it still lacks."""
        status = framework_status(framework.name, self._ledger, self._loop.latest, self._settings)
        return {
            "framework": framework.name,
            "roles": framework.roles,
            "unmet": _unmet(framework, self._ledger),
            "allocated": {},
            "offered": {},
            "notOffered": [],
            **status["allocation"],
        }


def _unmet(framework: Framework, ledger: Ledger) -> list[dict[str, Any]] | None:
    """The demands that are not met; None for a framework that takes all that it is offered."""
    if framework.demand is None:
        return None
    lacking = [(entry, missing(ledger, framework, entry)) for entry in framework.demand]
    return [
        {"demand": entry.name, "missing": count, "requests": format_resources(entry.requests)}
        for entry, count in lacking
        if count > 0
    ]


def _in_full(why: Explanation, at: str) -> dict[str, Any]:
    return {
        "time": at,
        "suppressed": why.idle,
        "nextOffers": [
            {"role": grant.role, "node": grant.node, "resources": format_resources(grant.resources)}
            for grant in why.next_offers
        ],
        "waits": [
            {
                "role": wait.role,
                "demand": wait.demand.name if wait.demand is not None else None,
                "missing": wait.missing,
                "notOffered": [
                    {
                        "reason": one.reason.value,
                        "message": one.message,
                        "detail": one.detail,
                        "nodes": len(one.nodes),
                        "names": one.nodes,
                    }
                    for one in wait.obstacles
                ],
            }
            for wait in why.waits
        ],
    }

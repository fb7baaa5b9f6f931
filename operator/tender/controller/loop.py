"""Takes the turns of frameworks: one at a time for each, many side by side, again whenever something changed.

A framework whose turn fails is tried again after a while that grows; the others do not notice.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random

import structlog

from tender.api.framework import Framework
from tender.cluster.errors import ApiError
from tender.cluster.fence import Fence
from tender.cluster.retry import Backoff
from tender.controller.executor import Executor
from tender.controller.metrics import ControllerMetrics
from tender.controller.registry import Key
from tender.controller.view import View
from tender.frameworks.sdk import Note, Planner, take_turn

log = structlog.get_logger(__name__)

REST_SECONDS = 0.02
"""The least time between two turns of a framework, so that one turn serves a burst of changes."""


class TurnLoop:
    """Takes turns. `planners` by the field of the spec that a framework's kind is known by, such as "service"; of these
    frameworks only those that `selects` holds for, if it is given. While a `fence` is shut no turn begins.
    """

    def __init__(
        self,
        planners: Mapping[str, Planner],
        metrics: ControllerMetrics,
        *,
        turns_at_once: int,
        clock: Callable[[], float],
        rng: Random,
        tell: Callable[[Framework, Note], None],
        selects: Callable[[Framework], bool] | None = None,
        fence: Fence | None = None,
    ) -> None:
        self._planners = planners
        self._selects = selects
        self._fence = fence
        self._metrics = metrics
        self._clock = clock
        self._rng = rng
        self._tell = tell
        self._slots = asyncio.Semaphore(turns_at_once)
        self._backoff = Backoff(base=1.0, cap=60.0)
        self._queue: asyncio.Queue[Key] = asyncio.Queue()
        self._dirty: dict[Key, float] = {}
        self._in_turn: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._alarms: dict[Key, asyncio.TimerHandle] = {}

    def mark(self, key: Key) -> None:
        """Something of this framework changed: it is due for a turn."""
        if key not in self._dirty:
            self._dirty[key] = time.perf_counter()
            if key not in self._in_turn:
                self._queue.put_nowait(key)

    async def run(self, view: View, executor: Executor) -> None:
        """Take turns until cancelled."""
        async with asyncio.TaskGroup() as turns:
            while True:
                key = await self._queue.get()
                await self._slots.acquire()
                if self._fence is not None:
                    await self._fence.opened()
                self._metrics.queue_seconds.observe(time.perf_counter() - self._dirty.pop(key))
                self._in_turn.add(key)
                turns.create_task(self._guarded_turn(key, view, executor))

    async def _guarded_turn(self, key: Key, view: View, executor: Executor) -> None:
        answered = False
        try:
            answered = await self._turn(key, view, executor)
            self._failures.pop(key, None)
        except Exception as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self._metrics.turns_failed.inc()
            if isinstance(error, ApiError):
                log.warning("turn failed; trying again", framework=key, error=str(error))
                self._tell_of_failure(key, view, error)
            else:
                log.exception("turn failed; trying again", framework=key)
            self._wake_at(key, self._clock() + 0.2 + self._backoff.delay(failures - 1, self._rng))
        finally:
            self._slots.release()
            if answered:
                self._end_turn(key)
            else:
                asyncio.get_running_loop().call_later(REST_SECONDS, self._end_turn, key)

    def _end_turn(self, key: Key) -> None:
        self._in_turn.discard(key)
        if key in self._dirty:
            self._queue.put_nowait(key)

    async def _turn(self, key: Key, view: View, executor: Executor) -> bool:
        """Take one turn; whether offers were answered, so that launches follow at once."""
        framework = view.framework(key)
        if framework is None:
            executor.forget(key)
            return False
        planner = self._planner(framework)
        if planner is None or framework.metadata.deletion_timestamp is not None:
            return False
        started = time.perf_counter()
        turn = take_turn(planner, view.seen(framework, self._clock()))
        for note in turn.notes:
            self._tell(framework, note)
        due = await executor.carry_out(framework, turn)
        self._metrics.turn_seconds.observe(time.perf_counter() - started)
        wakes = [at for at in (due, turn.wake_at) if at is not None]
        if wakes:
            self._wake_at(key, min(wakes))
        if turn.answers:
            self.mark(key)
        return bool(turn.answers)

    def _tell_of_failure(self, key: Key, view: View, error: ApiError) -> None:
        framework = view.framework(key)
        if framework is not None and error.status:
            self._tell(framework, Note("WriteRefused", str(error), "Warning"))

    def _planner(self, framework: Framework) -> Planner | None:
        if self._selects is not None and not self._selects(framework):
            return None
        kinds = (kind for kind in self._planners if getattr(framework.spec, kind) is not None)
        return next((self._planners[kind] for kind in kinds), None)

    def _wake_at(self, key: Key, at: float) -> None:
        alarm = self._alarms.pop(key, None)
        if alarm is not None:
            alarm.cancel()
        delay = max(0.0, at - self._clock())
        self._alarms[key] = asyncio.get_running_loop().call_later(delay, self._ring, key)

    def _ring(self, key: Key) -> None:
        self._alarms.pop(key, None)
        self.mark(key)

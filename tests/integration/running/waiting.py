"""Waiting for what has to happen, and a clock that can be moved on to what would take too long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 40.0
"""Seconds until something that has to happen has happened."""


async def until(
    holds: Callable[[], Awaitable[Any]], what: str, *, patience: float = PATIENCE, pause: float = 0.03
) -> Any:
    """Wait until something holds and return it; fails with `what` was waited for."""
    deadline = time.monotonic() + patience
    while not (found := await holds()):
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        await asyncio.sleep(pause)
    return found


class Clock:
    """The time of day, and a lever to move it on."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

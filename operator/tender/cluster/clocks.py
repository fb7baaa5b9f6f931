"""Clocks: one that is never set, and the time of day with its jumps told from time that passes."""

import time
from collections.abc import Callable

JUMP_SECONDS = 1.0
"""From how far on the time of day has jumped; what is less is drift, or was spent between two readings."""


def steady() -> float:
    """Seconds of a clock that is never set and also runs while the machine sleeps, where there is one."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


class WatchedClock:
    """The time of day in epoch seconds; `on_jump(seconds)` is told that it was set, before anybody reads the new time.

    Deadlines that stand for time passing would otherwise be missed, or put off, by as much.
    """

    def __init__(
        self,
        on_jump: Callable[[float], None],
        wall: Callable[[], float] | None = None,
        steady: Callable[[], float] = steady,
    ) -> None:
        self._on_jump = on_jump
        self._wall = wall or time.time
        self._steady = steady
        self._ahead = self._wall() - steady()

    def __call__(self) -> float:
        """The time of day now."""
        wall = self._wall()
        ahead = wall - self._steady()
        if abs(ahead - self._ahead) >= JUMP_SECONDS:
            jump, self._ahead = ahead - self._ahead, ahead
            self._on_jump(jump)
        return wall

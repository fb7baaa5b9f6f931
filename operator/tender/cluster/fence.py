"""The gate that every write of a part that has to lead passes: open while its lease is good, shut in time before the
next leader can begin.

It goes by the clock of this machine alone and asks nobody, so it holds in a process that was stopped and goes on, and
in one that the network is cut off from: `Transport` asks it at the last moment before a request's bytes are sent.
"""

import asyncio
from collections.abc import Callable

from tender.cluster.clocks import steady
from tender.cluster.errors import NotLeading


class Fence:
    """Open for `deadline` seconds after the last renewal. What has passed by then may be under way for `grace` seconds
    more.
    """

    def __init__(self, deadline: float, grace: float, clock: Callable[[], float] = steady) -> None:
        self.grace = grace
        self._deadline = deadline
        self._clock = clock
        self._until = float("-inf")
        self._is_shut = False
        self._renewed = asyncio.Event()

    def renewed(self, at: float) -> None:
        """The lease was renewed by a request sent at this reading of the clock."""
        self._until = max(self._until, at + self._deadline)
        self._renewed.set()

    def shut(self) -> None:
        """Shut it for good."""
        self._is_shut = True

    @property
    def seconds(self) -> float:
        """For how long it stays open without a renewal; not positive when it is shut."""
        return float("-inf") if self._is_shut else self._until - self._clock()

    @property
    def is_open(self) -> bool:
        """Whether a write may be sent now."""
        return self.seconds > 0

    def check(self, write: str) -> None:
        """Raise NotLeading, naming the write, unless the gate is open."""
        if not self.is_open:
            raise NotLeading(write)

    async def opened(self) -> None:
        """Return when it is open."""
        while not self.is_open:
            self._renewed.clear()
            await self._renewed.wait()

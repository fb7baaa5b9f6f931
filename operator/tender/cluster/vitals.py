"""The checks behind the probes: that the API server answers, the caches follow it, and the loop turns.

Readiness fails soon, so that nobody relies on a part that is blind. Liveness fails late: a restart helps against a
stuck stream or loop, not against an API server that is away for a moment.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tender.cluster.listwatch import ListWatch
from tender.cluster.pulse import Pulse
from tender.cluster.serving import Check

READY_SECONDS = 30.0
"""Silence of the API server after which a part is not ready."""
ALIVE_SECONDS = 180.0
"""Silence of the API server or of a watch after which a part is restarted; bookmarks come every minute."""


class Vitals:
    """Checks over a pulse, caches and a loop that says when it last turned (monotonic seconds, or None)."""

    def __init__(
        self,
        pulse: Pulse,
        caches: Iterable[ListWatch[Any]],
        *,
        started: Mapping[str, Callable[[], bool]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pulse = pulse
        self._caches = tuple(caches)
        self._started = dict(started or {})
        self._clock = clock
        self._born = clock()

    def ready(self) -> dict[str, Check]:
        """Checks for readiness, by name."""
        return {
            "api-server": lambda: self._silent(READY_SECONDS),
            "caches": self._unsynced,
            **{name: self._not_yet(done) for name, done in self._started.items()},
        }

    def healthy(self) -> dict[str, Check]:
        """Checks for liveness, by name."""
        return {"api-server": lambda: self._silent(ALIVE_SECONDS), "watches": self._stuck}

    def _silent(self, limit: float) -> str | None:
        silence = self._pulse.silence()
        return f"no answer from the API server for {silence:.0f} s" if silence > limit else None

    def _unsynced(self) -> str | None:
        waiting = [cache.resource.plural for cache in self._caches if not cache.synced.is_set()]
        return f"first list not complete: {', '.join(waiting)}" if waiting else None

    def _stuck(self) -> str | None:
        now = self._clock()
        stuck = [
            f"{cache.resource.plural} for {now - (cache.last_contact or self._born):.0f} s"
            for cache in self._caches
            if now - (cache.last_contact or self._born) > ALIVE_SECONDS
        ]
        return f"no word from the watch of {', '.join(stuck)}" if stuck else None

    def _not_yet(self, done: Callable[[], bool]) -> Check:
        return lambda: None if done() else "not complete yet"

"""The checks behind the probes: that the API server answers, the caches follow it, and the loop turns.

Readiness fails soon, so that nobody relies on a part that is blind. Liveness fails late: a restart helps against a
stuck stream or loop, not against an API server that is away for a moment.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tender.cluster.listwatch import ListWatch
from tender.cluster.pulse import Pulse
from tender.cluster.serving import Check


@dataclass(frozen=True, slots=True)
class VitalsSettings:
    """How much silence is borne; times in seconds."""

    pulse: float = 10.0
    """How often the API server is asked for an answer."""
    ready: float = 30.0
    """Silence of the API server after which a part is not ready."""
    alive: float = 180.0
    """Silence of the API server or of a watch after which a part is restarted; bookmarks come every minute."""


class Vitals:
    """Checks over a pulse and caches, and over what has to be done before a part is ready (`started`, by name).

    A part that stands by is asked for its pulse alone, so that rollouts go on: caches count from `begin` on. `alive`
    are further checks for liveness.
    """

    def __init__(
        self,
        pulse: Pulse,
        caches: Iterable[ListWatch[Any]],
        settings: VitalsSettings,
        *,
        started: Mapping[str, Callable[[], bool]] | None = None,
        alive: Mapping[str, Check] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pulse = pulse
        self._caches = tuple(caches)
        self._settings = settings
        self._started = dict(started or {})
        self._alive = dict(alive or {})
        self._clock = clock
        self._begun: float | None = None

    def begin(self) -> None:
        """From now on the caches are to be followed."""
        self._begun = self._clock()

    def ready(self) -> dict[str, Check]:
        """Checks for readiness, by name."""
        return {
            "api-server": lambda: self._silent(self._settings.ready),
            "caches": self._unsynced,
            **{name: self._not_yet(done) for name, done in self._started.items()},
        }

    def healthy(self) -> dict[str, Check]:
        """Checks for liveness, by name."""
        return {"api-server": lambda: self._silent(self._settings.alive), "watches": self._stuck, **self._alive}

    def _silent(self, limit: float) -> str | None:
        silence = self._pulse.silence()
        return f"no answer from the API server for {silence:.0f} s" if silence > limit else None

    def _unsynced(self) -> str | None:
        if self._begun is None:
            return None
        waiting = [cache.title for cache in self._caches if not cache.synced.is_set()]
        return f"first list not complete: {', '.join(waiting)}" if waiting else None

    def _stuck(self) -> str | None:
        if self._begun is None:
            return None
        now, begun = self._clock(), self._begun
        stuck = [
            f"{cache.title} for {now - (cache.last_contact or begun):.0f} s"
            for cache in self._caches
            if now - (cache.last_contact or begun) > self._settings.alive
        ]
        return f"no word from the watch of {', '.join(stuck)}" if stuck else None

    def _not_yet(self, done: Callable[[], bool]) -> Check:
        return lambda: None if self._begun is None or done() else "not complete yet"

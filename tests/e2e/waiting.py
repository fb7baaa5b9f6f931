"""Waiting with a bound: for what has to become true on a cluster sooner or later."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0
"""Seconds until something that has to happen has happened, on a busy machine too."""

T = TypeVar("T")


def eventually(what: str, look: Callable[[], T | None], *, seconds: float = PATIENCE, pause: float = 0.3) -> T:
    """What `look` returns as soon as that is true; a failure that names `what` and shows what was seen last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}; last seen: {seen!r}"
        time.sleep(pause)
    return seen

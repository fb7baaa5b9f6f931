"""Progress lines on standard error, so that standard output carries only what was asked for."""

import sys
import time

_started = time.monotonic()


def say(text: str) -> None:
    """Print one line with the seconds since the program started."""
    print(f"[{time.monotonic() - _started:6.1f}s] {text}", file=sys.stderr, flush=True)

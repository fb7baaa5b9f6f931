"""How long to wait before trying again, and how often: values that `Client` and `ListWatch` are given."""

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with full jitter: many clients that fail together must not return together.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. `base` and `cap` are in seconds.
    """

    base: float = 0.2
    cap: float = 30.0

    def delay(self, failures: int, rng: Random) -> float:
        """Seconds to wait after so many failures in a row, the last one not counted."""
        return rng.uniform(0.0, min(self.cap, self.base * 2 ** min(failures, 32)))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How many attempts one call may take in all, and the waits between them."""

    attempts: int = 5
    backoff: Backoff = field(default_factory=lambda: Backoff(base=0.2, cap=10.0))


ONCE = RetryPolicy(attempts=1)
"""No second attempt: for callers with a retry of their own."""

"""How long a service waits after failures before it launches again.

The wait doubles with each failure, from 1 s to 5 min. Pods that fail while it lasts are the same failure. A new
revision starts afresh, and so does a service that has run for 5 min after its last wait.
"""

from dataclasses import dataclass

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row, and until when (epoch seconds) nothing is launched."""

    failures: int = 0
    until: float = 0.0

    def after(self, *, failed: bool, now: float) -> "Backoff":
        """The backoff after a look at the pods; `failed` says that some have failed and are not replaced yet."""
        if failed and now >= self.until:
            failures = self.failures + 1
            return Backoff(failures, now + min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures - 1, 16)))
        if self.failures and now > self.until + LONGEST_SECONDS:
            return Backoff()
        return self

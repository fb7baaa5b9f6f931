"""How long a service waits after failures before it launches again.

The wait doubles with each failure, from 1 s to 5 min. Pods that were made before it began and fail later are the same
failure: they are waited for as long again, without doubling. A new revision starts afresh, and so does a service that
has run for 5 min after its last wait.
"""

from dataclasses import dataclass

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row, and until when (epoch seconds) nothing is launched."""

    failures: int = 0
    until: float = 0.0

    @property
    def began(self) -> float:
        """When the last wait began."""
        return self.until - _wait(self.failures)

    @property
    def forgotten_at(self) -> float:
        """When the failures are forgotten, if no more come."""
        return self.until + LONGEST_SECONDS

    def after(self, *, youngest: float | None, now: float) -> "Backoff":
        """The backoff after a look at the pods that have failed and are not removed yet.

        `youngest` is when the youngest of them was made (epoch seconds), None when there are none.
        """
        known = Backoff() if now >= self.forgotten_at else self
        if youngest is None or now < known.until:
            return known
        failures = known.failures + 1 if not known.failures or youngest > known.began else known.failures
        return Backoff(failures, now + _wait(failures))


def _wait(failures: int) -> float:
    return min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 16))

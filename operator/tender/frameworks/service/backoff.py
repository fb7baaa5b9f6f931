"""How long a service waits after failures before it launches again.

The wait grows with each failure, as `spec.service.backoff` says. Pods that were made before it began and fail later are
the same failure: they are waited for as long again, without growing. A new revision starts afresh, and so does a
service that has run for the longest wait after its last one.
"""

from dataclasses import dataclass, field

from tender.api.framework import FrameworkStatus
from tender.api.service import LaunchBackoff

_MOST_FACTORS = 300
"""More factors than this are not multiplied: the wait is at its longest long before, and a float ends there."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row, and until when (epoch seconds) nothing is launched; `waits` is how the wait grows."""

    failures: int = 0
    until: float = 0.0
    waits: LaunchBackoff = field(default_factory=LaunchBackoff)

    @property
    def began(self) -> float:
        """When the last wait began."""
        return self.until - self._wait(self.failures)

    @property
    def forgotten_at(self) -> float:
        """When the failures are forgotten, if no more come."""
        return self.until + self.waits.maximum_seconds

    def after(self, *, youngest: float | None, now: float) -> "Backoff":
        """The backoff after a look at the pods that have failed and are not removed yet.

        `youngest` is when the youngest of them was made (epoch seconds), None when there are none.
        """
        known = Backoff(waits=self.waits) if now >= self.forgotten_at else self
        if youngest is None or now < known.until:
            return known
        failures = known.failures + 1 if not known.failures or youngest > known.began else known.failures
        return Backoff(failures, now + self._wait(failures), self.waits)

    def _wait(self, failures: int) -> float:
        grown = self.waits.initial_seconds * self.waits.factor ** min(max(0, failures - 1), _MOST_FACTORS)
        return min(self.waits.maximum_seconds, grown)


def recorded_backoff(status: FrameworkStatus, revision: str, waits: LaunchBackoff) -> Backoff:
    """The backoff that the status tells of; a fresh one for another revision than it was of."""
    if status.backoff is None or status.revision != revision:
        return Backoff(waits=waits)
    until = status.backoff.until
    return Backoff(status.backoff.failures, until.timestamp() if until is not None else 0.0, waits)

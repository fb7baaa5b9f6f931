"""How often a framework may change its demand: the changes that it may have saved up, and one more each second.

With a changed demand the master looks at everything anew and all refusals end, so one framework that changes its mind
without end would keep all others from being served. Marathon limits its revives for the same reason.
"""

from dataclasses import dataclass

BURST = 20
"""How many changes may come at once, unless a bucket says otherwise."""
SECONDS_PER_CHANGE = 1.0


@dataclass(frozen=True, slots=True)
class Revival:
    """A token bucket as a value; `full_at` is when (epoch seconds) it is full again, with `burst` tokens."""

    full_at: float = 0.0
    burst: int = BURST

    def allowed(self, now: float) -> bool:
        """Whether the demand may change now."""
        return now >= self._first_token_at

    def after(self, now: float) -> "Revival":
        """The bucket after a change now."""
        return Revival(max(self.full_at, now) + SECONDS_PER_CHANGE, self.burst)

    def next_at(self, now: float) -> float:
        """When the demand may change next, not before now."""
        return max(now, self._first_token_at)

    @property
    def _first_token_at(self) -> float:
        return self.full_at - (self.burst - 1) * SECONDS_PER_CHANGE

"""How often a framework may change its demand: a bucket of tokens.

A change of the demand ends all refusals of the framework, so the master offers everything anew (Mesos' REVIVE, with
which frameworks flooded their master). The executor keeps one of these per framework, and spends a token on each write
of a status whose demand is another one than what was written before.
"""

from dataclasses import dataclass

BURST = 20
"""How many changes may follow each other at once."""
PER_SECOND = 1.0
"""How many more may be made each second."""
_ROUNDING = 1e-6
"""How much of a token may be missing: epoch seconds are not exact to the last digit."""


@dataclass(frozen=True, slots=True)
class Revival:
    """So many tokens were left at a time (epoch seconds); a new one is full."""

    tokens: float = float(BURST)
    at: float = 0.0

    def allowed(self, now: float) -> bool:
        """Whether the demand may be changed now."""
        return self._left(now) >= 1 - _ROUNDING

    def after(self, now: float) -> "Revival":
        """What is left after a change of the demand now."""
        return Revival(max(0.0, self._left(now) - 1), max(now, self.at))

    def next_at(self, now: float) -> float:
        """When (epoch seconds) the demand may be changed next: now, or as soon as there is a token."""
        lacking = 1 - self._left(now)
        return now if self.allowed(now) else max(now, self.at) + lacking / PER_SECOND

    def _left(self, now: float) -> float:
        return min(float(BURST), self.tokens + max(0.0, now - self.at) * PER_SECOND)

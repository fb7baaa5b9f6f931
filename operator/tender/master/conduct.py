"""What the others must not be made to pay for: budgets of a framework's dealings with the master. Pure values.

Frameworks are other people's programs. One that claims what it never launches holds resources that others wait for, one
that refuses everything for no time is offered it again in every cycle, and with every change of a demand the master
looks at everything anew. Nobody means to; a controller that fails half-way does just that. So each of the three gets
slower the longer it goes on, and is as before once it has stopped. `throttle` keeps these values for each framework,
and says in its status what it does.

Times are epoch seconds.
"""

import math
from dataclasses import dataclass

from tender.frameworks.sdk.revival import BURST

DEMAND_BURST = 2 * BURST
"""How many changes of its demand a framework may have saved up: those of its controller and of that one's successor."""
CALM_SECONDS = 10.0
"""For how long nothing may have been held back until a demand is taken up at once again, as people are told."""

LAPSED_ROUNDS = 1
"""How often in a row claims may lapse without a launch before it costs something."""
FIRST_REST_SECONDS = 10.0
"""For how long a framework is offered nothing then. It doubles each time."""
LONGEST_REST_SECONDS = 600.0

QUICK_SECONDS = 5
"""Refusals that are shorter than this are quick: Mesos' default, and the shortest that built-in kinds give."""
QUICK_ROUNDS = 10
"""How often in a row all may be refused quickly before it costs something."""
LONGEST_REFUSAL_SECONDS = 60.0

FORGIVEN_SECONDS = 300.0
"""How long after its last misdeed, or the end of its rest, a framework's record is clean again."""


@dataclass(frozen=True, slots=True)
class Lapses:
    """How many rounds of claims in a row lapsed without a launch; `rests_until` is when the framework is offered
    something again. Claims that were made before the last one lapsed are of its round.
    """

    rounds: int = 0
    last: float = -math.inf

    def after(self, claimed: float, now: float) -> "Lapses":
        """After the lapse of what was claimed at `claimed`."""
        if claimed < self.last:
            return self
        return Lapses(1 if self.forgiven(now) else self.rounds + 1, now)

    @property
    def rests_until(self) -> float:
        """Until when the framework is offered nothing; once is no reason to, as when its controller was restarted."""
        beyond = self.rounds - LAPSED_ROUNDS
        if beyond <= 0:
            return self.last
        return self.last + min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(beyond - 1, 32))

    def forgiven(self, now: float) -> bool:
        """Whether this is long ago."""
        return now >= self.rests_until + FORGIVEN_SECONDS


@dataclass(frozen=True, slots=True)
class Declines:
    """How many rounds of offers in a row were declined quickly. Offers that were made together are one round."""

    rounds: int = 0
    last: float = -math.inf

    def after(self, offered: float, now: float) -> "Declines":
        """After a quick decline of an offer that was made at `offered`."""
        if offered < self.last:
            return self
        return Declines(1 if self.forgiven(now) else self.rounds + 1, now)

    def forgiven(self, now: float) -> bool:
        """Whether this is long ago."""
        return now >= self.last + FORGIVEN_SECONDS

    @property
    def least_refusal(self) -> float:
        """For how many seconds what is declined now counts as refused at least."""
        beyond = self.rounds - QUICK_ROUNDS
        return 0.0 if beyond <= 0 else min(LONGEST_REFUSAL_SECONDS, 2.0 ** min(beyond - 1, 32))

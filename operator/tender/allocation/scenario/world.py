"""The cluster of a scenario: a ledger, a clock, and what frameworks have on offer and in use.

What a framework has of a node on offer is one offer, whatever number of cycles it came from; so is what it uses there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tender.allocation import take_back
from tender.allocation.ledger import Key, Ledger
from tender.allocation.model import Charge, NotOffered, Refusal, Reservation, Role, Settings
from tender.allocation.scenario.holding import Holding
from tender.allocation.scenario.record import Offers
from tender.allocation.scenario.values import Refused
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

Place = tuple[str, str]
"""A framework and a node."""


class World:
    """The state between the steps. `clock` and `interval` are in milliseconds.

    `made`, `not_offered` and `rescinded` tell of the step under way. `idle` says of frameworks why they take no part:
    `suppressed`, `inactive`, or both.
    """

    def __init__(self, settings: Settings, interval: float, rng: "Random", *, fast: bool = True) -> None:
        self.ledger = Ledger(fast=fast)
        self.settings = settings
        self.rng = rng
        self.clock = 0
        self.interval = round(interval * 1000)
        self.made: Offers = {}
        self.not_offered: Mapping[str, tuple[NotOffered, ...]] = {}
        self.rescinded: Counter[str] = Counter()
        self.offers: dict[Place, Holding] = {}
        self.uses: dict[Place, Holding] = {}
        self.reservations: dict[str, Reservation] = {}
        self.idle: dict[str, frozenset[str]] = {}
        self._refusals = 0

    def begin(self) -> None:
        """A new step begins."""
        self.made, self.not_offered, self.rescinded = {}, {}, Counter()

    def now(self) -> float:
        """The time in seconds."""
        return self.clock / 1000

    def known_node(self, name: str) -> str:
        """The name of a node that is there. Raises Refused."""
        if name not in self.ledger.nodes:
            raise Refused(f"there is no node {name}")
        return name

    def known_framework(self, name: str) -> str:
        """The name of a framework that is there. Raises Refused."""
        if name not in self.ledger.frameworks:
            raise Refused(f"there is no framework {name}, nor an offer to it")
        return name

    def set_offer(self, place: Place, holding: Holding | None) -> None:
        """What a framework has on offer on a node from now on; None: nothing."""
        self._set("offer", self.offers, place, holding)

    def set_use(self, place: Place, holding: Holding | None) -> None:
        """What a framework uses on a node from now on; None: nothing."""
        self._set("use", self.uses, place, holding)

    def refuse(self, place: Place, resources: Resources, milliseconds: int) -> None:
        """Set a filter. It lasts at least one interval, so that the next cycle sees it; one of 0 is none."""
        if milliseconds > 0 and resources:
            self._refusals += 1
            until = (self.clock + max(milliseconds, self.interval)) / 1000
            self.ledger.put_refusal(self._refusals, Refusal(place[0], until, {place[1]: resources}))

    def take_back(self, keys: Iterable[Key]) -> None:
        """Take offers back."""
        for key in keys:
            if isinstance(key, tuple) and key[0] == "offer":
                self.rescind((key[1], key[2]))

    def rescind(self, place: Place) -> None:
        """Take an offer back."""
        self.set_offer(place, None)
        self.rescinded[place[0]] += 1

    def role_changed(self, before: Role | None, after: Role | None) -> None:
        """A role has changed, come or gone: take back the offers that no longer fit."""
        self.take_back(take_back.after_role_change(self.ledger, self.settings, before, after, self.now(), self.rng))

    def refit(self, node: str) -> None:
        """A node has changed, or more is used or reserved there: take back the offers that no longer fit."""
        self.take_back(take_back.on_node(self.ledger, self.settings, node))

    def _set(self, kind: str, holdings: dict[Place, Holding], place: Place, holding: Holding | None) -> None:
        key = (kind, *place)
        if holding is None or not holding.resources():
            holdings.pop(place, None)
            self.ledger.remove_charge(key)
            return
        holdings[place] = holding
        charge = Charge(place[1], holding.resources(), place[0], holding.counts(), offered=kind == "offer")
        self.ledger.put_charge(key, charge)

"""The master around a ledger, without an API server: cycles that are timed, and what becomes of their grants."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, groupby, islice
from random import Random

from tests.bench.allocation.measuring import Stopwatch

from tender.allocation import Charge, CycleResult, Grant, Ledger, Refusal, Settings, run_cycle
from tender.api.offer import MOST_SLICES


@dataclass(frozen=True, slots=True)
class Offer:
    """What a framework is offered under one key; a slice is what Mesos calls an offer."""

    key: int
    framework: str
    slices: tuple[Grant, ...]


class PlayedMaster:
    """Runs a cycle each virtual second, and keeps the ledger as the offer book does."""

    def __init__(self, ledger: Ledger, watch: Stopwatch | None = None, seed: int = 1) -> None:
        self.ledger = ledger
        self.watch = watch or Stopwatch()
        self.now = 0.0
        self._settings = Settings()
        self._rng = Random(seed)
        self._keys = count()

    def cycle(self, phase: str) -> CycleResult:
        """Time a full cycle, reasons included."""
        self.now += 1.0
        with self.watch.timing(phase):
            return run_cycle(self.ledger, self._settings, self.now, self._rng)

    def cycle_on(self, node: str) -> CycleResult:
        """A cycle on one node that has changed; nobody is told why it waits. To be timed with the change."""
        return run_cycle(self.ledger, self._settings, self.now, self._rng, nodes=[node], explain=False)

    def offer(self, grants: Iterable[Grant]) -> list[Offer]:
        """Bundle grants into offers and charge them."""
        offers = []
        for framework, granted in groupby(grants, key=lambda grant: grant.framework):
            rest = iter(granted)
            while bundle := tuple(islice(rest, MOST_SLICES)):
                offers.append(Offer(next(self._keys), framework, bundle))
        for offer in offers:
            for index, one in enumerate(offer.slices):
                self.ledger.note_allocation(offer.framework)
                charge = Charge(one.node, one.resources, offer.framework, one.tasks, offered=True)
                self.ledger.put_charge((offer.key, index), charge)
        return offers

    def withdraw(self, offer: Offer) -> None:
        """End an offer: it holds nothing any more."""
        for index in range(len(offer.slices)):
            self.ledger.remove_charge((offer.key, index))

    def decline(self, offer: Offer, until: float = math.inf) -> None:
        """End an offer because the framework refused all of it."""
        self.withdraw(offer)
        refused = {one.node: one.resources for one in offer.slices}
        self.ledger.put_refusal(offer.key, Refusal(offer.framework, until, refused))

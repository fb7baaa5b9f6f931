"""Plays a scenario: each step through the world, recorded and compared with what was expected."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tender.allocation.cycle import serving_order
from tender.allocation.scenario.expectations import unmet
from tender.allocation.scenario.reading import Scenario
from tender.allocation.scenario.record import Record
from tender.allocation.scenario.steps import act
from tender.allocation.scenario.values import Refused
from tender.allocation.scenario.world import World

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Play:
    """What became of a scenario, step by step."""

    scenario: Scenario
    records: tuple[Record, ...]

    def failures(self) -> list[str]:
        """One line for every expectation that does not hold, with the file and the step."""
        return [
            f"{self.scenario.file}: step {record.step.number} ({record.step.action}): {failure}"
            for record in self.records
            for failure in record.failures
        ]


def play(scenario: Scenario, rng: "Random", *, fast: bool = True) -> Play:
    """Play all steps, with `fast` False by the slow and simple ledger. `rng` is seeded with the scenario's `seed`."""
    world = World(scenario.settings, scenario.interval, rng, fast=fast)
    known: set[str] = set()
    records = []
    for step in scenario.steps:
        world.begin()
        refused = None
        try:
            act(world, step.action, step.value)
        except Refused as error:
            refused = str(error)
        shares = world.ledger.shares(scenario.settings)
        record = Record(
            step=step,
            clock=world.now(),
            refused=refused,
            offers=world.made,
            not_offered=world.not_offered,
            rescinded=dict(world.rescinded),
            shares=shares,
            order=serving_order(world.ledger, scenario.settings, copy.copy(rng)),
        )
        known |= shares.roles.keys() | shares.frameworks.keys()
        record.failures += unmet(record, frozenset(known))
        records.append(record)
    return Play(scenario, tuple(records))

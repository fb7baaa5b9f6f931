"""Allocation scenarios: steps on a virtual clock, played through the same ledger and cycle that the master uses.

`reading` turns a parsed document into a `Scenario` and `values` its quantities and objects into the model's, `world`
holds the cluster that `steps` act on, `expectations` compares, and `player` plays. The clock and the randomness come
from outside; nothing here reads files.
"""

from tender.allocation.scenario.player import Play, play
from tender.allocation.scenario.reading import Scenario, ScenarioError, Step, read_scenario
from tender.allocation.scenario.record import Record

__all__ = ["Play", "Record", "Scenario", "ScenarioError", "Step", "play", "read_scenario"]

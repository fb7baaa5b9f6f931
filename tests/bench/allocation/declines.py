"""Mesos' DeclineOffers: all nodes are offered in each round, and every offer is declined for good.

Mesos plays two rounds per framework; here the first are played, and then refusals of half the nodes and of nearly all
are given to every framework by lot, with some rounds after each, until everybody has refused everything. The round
right after such a leap, which finds millions of new refusals and not those of one round, is not of the headline.
"""

import math
from random import Random
from typing import Any

from tests.bench.allocation.clusters import AGENT, AGENT_USED, cluster, node_name, pods_of
from tests.bench.allocation.measuring import Effort
from tests.bench.allocation.played_master import PlayedMaster

from tender.allocation import Charge, Refusal
from tender.cluster.heap import settle_heap

FIRST_ROUNDS, LATER_ROUNDS, CHURNS = 50, 15, 10
CHANGED_SHARE = 100
HALF, MOST, ALL = 128, 243, 256
"""Of a byte per framework and node that is drawn: those below are refused (a half, 95 %, all)."""


class Declines:
    """The rounds, with a count of how many slices the round with the fewest offered, by phase."""

    def __init__(self, nodes: int, frameworks: int) -> None:
        self._nodes = [node_name(number) for number in range(nodes)]
        self._master = PlayedMaster(cluster(nodes, frameworks))
        rng = Random(2)
        self._drawn = {name: rng.randbytes(nodes) for name in self._master.ledger.frameworks}
        self._free = {name: amount - AGENT_USED[name] for name, amount in AGENT.items()}
        self.fewest_offered: dict[str, int] = {}
        settle_heap()

    def play(self, effort: Effort) -> dict[str, Any]:
        """All phases; the figures. The last phase, with many changes before each cycle, is not of the headline.

        There are no more cycles without an offer than first rounds, whatever patience allows: the median is of a cycle
        that makes offers.
        """
        first_rounds = 0
        for _ in effort.rounds(effort.size(FIRST_ROUNDS)):
            self._round("first_rounds")
            first_rounds += 1
        self._leap("half_refused", 0, HALF)
        for _ in effort.rounds(effort.size(LATER_ROUNDS)):
            self._round("half_refused")
        self._leap("most_refused", HALF, MOST)
        for _ in effort.rounds(effort.size(LATER_ROUNDS)):
            self._round("most_refused")
        self._leap("all_declined", MOST, ALL)
        for number in effort.rounds(first_rounds):
            self._set_use(self._nodes[number % len(self._nodes)], 1 + number)
            self._round("all_declined")
        for number in effort.rounds(CHURNS):
            for node in self._nodes[number::CHANGED_SHARE]:
                self._set_use(node, 1 + FIRST_ROUNDS + number)
            self._round("all_declined_1_percent_changed")
        return {
            **self._master.watch.figures(["first_rounds", "half_refused", "most_refused", "all_declined"]),
            "fewest_offered": self.fewest_offered,
        }

    def _round(self, phase: str) -> None:
        result = self._master.cycle(phase)
        for offer in self._master.offer(result.grants):
            self._master.decline(offer)
        self.fewest_offered[phase] = min(len(result.grants), self.fewest_offered.get(phase, len(result.grants)))

    def _leap(self, phase: str, least: int, below: int) -> None:
        """Every framework refuses the nodes for which it has drawn such a number, all under one key. One round."""
        for framework, drawn in self._drawn.items():
            nodes = {
                node: self._free for node, number in zip(self._nodes, drawn, strict=True) if least <= number < below
            }
            self._master.ledger.put_refusal((framework, least), Refusal(framework, math.inf, nodes))
        settle_heap()
        self._round(f"leap_to_{phase}")

    def _set_use(self, node: str, more: int) -> None:
        """The pods of a node take a little more than they did, so that less is free there than was refused."""
        pods = Charge(node, {**AGENT_USED, "cpu": AGENT_USED["cpu"] + more})
        self._master.ledger.put_charge(pods_of(node), pods)


def run(effort: Effort) -> dict[str, Any]:
    """The case at 10,000 nodes and 1,000 frameworks."""
    nodes, frameworks = effort.size(10_000), effort.size(1_000)
    return {"nodes": nodes, "frameworks": frameworks, **Declines(nodes, frameworks).play(effort)}

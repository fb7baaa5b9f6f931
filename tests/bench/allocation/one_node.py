"""One node changes in a large cluster at rest: half of the nodes on offer, half declined by everybody.

A change and the cycle on that node are timed together. What a cycle offers is withdrawn at once. As in Mesos'
AddAndUpdateSlave nobody has declined the nodes that the headline is about; those that everybody has, so that every
framework's refusal is looked at anew, have figures of their own.
"""

import dataclasses
import math
from collections.abc import Callable
from random import Random
from typing import Any

from tests.bench.allocation.clusters import AGENT, AGENT_USED, cluster
from tests.bench.allocation.measuring import Effort
from tests.bench.allocation.played_master import PlayedMaster

from tender.allocation import Charge, Ledger, Refusal
from tender.cluster.heap import settle_heap

CHANGED_NODES = 250
POD = {"cpu": 1000, "memory": 512 * 1024**2}


def cluster_at_rest(nodes: int, frameworks: int) -> PlayedMaster:
    """All that is free is on offer, on every second node, or declined for good by all frameworks, on the others."""
    master = PlayedMaster(cluster(nodes, frameworks))
    result = master.cycle("first")
    master.offer([grant for number, grant in enumerate(result.grants) if number % 2])
    declined = {grant.node: grant.resources for grant in result.grants[::2]}
    for framework in master.ledger.frameworks:
        master.ledger.put_refusal(("declined", framework), Refusal(framework, math.inf, declined))
    master.cycle("first_at_rest")
    return master


def changes(ledger: Ledger, name: str) -> dict[str, list[Callable[[], None]]]:
    """What happens to a node, one after the other, by phase; in the end it is as it was."""
    node = ledger.nodes[name]
    grown = {resource: amount + POD.get(resource, 0) for resource, amount in AGENT.items()}
    shrunk = {resource: amount - POD.get(resource, 0) for resource, amount in AGENT.items()}
    less_used = {resource: amount - POD.get(resource, 0) for resource, amount in AGENT_USED.items()}
    return {
        "charge": [
            lambda: ledger.put_charge(("pod", name), Charge(name, POD)),
            lambda: ledger.remove_charge(("pod", name)),
            lambda: ledger.put_charge(("pods", name), Charge(name, less_used)),
            lambda: ledger.put_charge(("pods", name), Charge(name, AGENT_USED)),
        ],
        "allocatable": [
            lambda: ledger.put_node(dataclasses.replace(node, allocatable=grown)),
            lambda: ledger.put_node(dataclasses.replace(node, allocatable=shrunk)),
            lambda: ledger.put_node(node),
        ],
        "removed": [lambda: ledger.remove_node(name)],
        "added": [lambda: ledger.put_node(node)],
    }


def run(effort: Effort) -> dict[str, Any]:
    """The case at 10,000 nodes and 1,000 frameworks."""
    nodes, frameworks = effort.size(10_000), effort.size(1_000)
    master = cluster_at_rest(nodes, frameworks)
    settle_heap()
    ledger = master.ledger
    declined = ledger.refusals(next(iter(ledger.frameworks)), 0.0)
    halves = {"": ledger.nodes.keys() - declined.keys(), "declined_": declined.keys()}
    offered = 0
    for prefix, names in halves.items():
        picked = Random(3).sample(sorted(names), min(CHANGED_NODES, len(names)))
        for number in effort.rounds(len(picked)):
            for phase, steps in changes(ledger, picked[number]).items():
                for step in steps:
                    with master.watch.timing(prefix + phase):
                        step()
                        result = master.cycle_on(picked[number])
                    offered += len(result.grants)
    return {
        "nodes": nodes,
        "frameworks": frameworks,
        **master.watch.figures(["charge", "allocatable"]),
        "offered": offered,
    }

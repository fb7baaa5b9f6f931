"""Mesos' LargeAndSmallQuota/2: a role with a quota for each framework, the first cycle and the idle ones after it."""

from typing import Any

from tests.bench.allocation.clusters import MIB, node_name
from tests.bench.allocation.measuring import Effort, Stopwatch
from tests.bench.allocation.played_master import PlayedMaster

from tender.allocation import Framework, Ledger, Node, Role
from tender.cluster.heap import settle_heap

NODES, SMALL_ROLES, LARGE_ROLES = 3_000, 2_500, 500
FIRST_CYCLES, IDLE_CYCLES, CHURNS = 5, 60, 10
MESOS_FIRST_CYCLE_MS = 15_390


def of_size(cpus: int, mebibytes: int) -> dict[str, int]:
    """So much CPU, and as much memory as disk."""
    return {"cpu": cpus * 1000, "memory": mebibytes * MIB, "ephemeral-storage": mebibytes * MIB}


def quota_cluster(effort: Effort) -> Ledger:
    """Nodes of two small quotas each, or half a large one; guarantees are limits; one framework to a role."""
    ledger = Ledger()
    for number in range(effort.size(NODES)):
        ledger.put_node(Node(node_name(number), of_size(2, 2048)))
    small = [(f"small-{number:04}", of_size(1, 1024)) for number in range(effort.size(SMALL_ROLES))]
    large = [(f"large-{number:04}", of_size(4, 4096)) for number in range(effort.size(LARGE_ROLES))]
    for name, quota in small + large:
        ledger.put_role(Role(name, guarantee=quota, limit=quota))
        ledger.put_framework(Framework(name, name))
    return ledger


def run(effort: Effort) -> dict[str, Any]:
    """First cycles, each on a ledger of its own; idle cycles while all offers of the last are outstanding.

    The idle cycles after changes follow on the removal and return of every charge, so that nothing is as it was known.
    """
    watch = Stopwatch()
    for _ in effort.rounds(FIRST_CYCLES):
        master = PlayedMaster(quota_cluster(effort), watch)
        settle_heap()
        result = master.cycle("first_cycle")
    offers = master.offer(result.grants)
    offered_while_idle = 0
    for _ in effort.rounds(IDLE_CYCLES):
        offered_while_idle += len(master.cycle("idle").grants)
    for _ in effort.rounds(CHURNS):
        for offer in offers:
            master.withdraw(offer)
        offers = master.offer(result.grants)
        offered_while_idle += len(master.cycle("idle_all_changed").grants)
    return {
        "nodes": len(master.ledger.nodes),
        "frameworks": len(master.ledger.frameworks),
        **watch.figures(["idle"]),
        "first_cycle_mesos_ms": MESOS_FIRST_CYCLE_MS,
        "offered": len(result.grants),
        "offered_cpus": sum(grant.resources["cpu"] for grant in result.grants) / 1000,
        "offered_while_idle": offered_while_idle,
    }

"""Fairness per task: frameworks that declare tasks of many shapes, on nodes of mixed sizes, all from empty."""

import math
from random import Random
from typing import Any

from tests.bench.allocation.clusters import MIB, node_name
from tests.bench.allocation.measuring import Effort, Stopwatch
from tests.bench.allocation.played_master import PlayedMaster

from tender.allocation import Demand, Framework, Ledger, Node
from tender.cluster.heap import settle_heap

NODES, FRAMEWORKS, TASKS = 10_000, 1_000, 50
CPUS_OF_NODES = (8, 16, 16, 16, 32)
CPUS_OF_TASKS = tuple(range(100, 4100, 100))
MEMORIES_OF_TASKS = tuple(128 * 2**power for power in range(8))
"""With the CPUs, 320 shapes: 100m to 4 CPUs, 128 Mi to 16 Gi."""
ROUNDS, CONTENDED_ROUNDS = 12, 5


def task_cluster(effort: Effort, times_capacity: float | None = None) -> Ledger:
    """Each framework wants two shapes of task, 25 of each; or as many as make the demand for CPU, in all, so many times
    what the cluster holds."""
    rng = Random(4)
    ledger = Ledger()
    for number in range(effort.size(NODES)):
        cpus = rng.choice(CPUS_OF_NODES)
        ledger.put_node(Node(node_name(number), {"cpu": cpus * 1000, "memory": cpus * 4096 * MIB, "pods": 250}))
    shapes = [
        (f"framework-{number:04}", [(rng.choice(CPUS_OF_TASKS), rng.choice(MEMORIES_OF_TASKS)) for _ in range(2)])
        for number in range(effort.size(FRAMEWORKS))
    ]
    each = TASKS // 2
    if times_capacity is not None:
        once = sum(cpu for _, of_framework in shapes for cpu, _ in of_framework)
        each = math.ceil(ledger.totals["cpu"] * times_capacity / once)
    for name, of_framework in shapes:
        demand = tuple(
            Demand(f"task-{index}", {"cpu": cpu, "memory": memory * MIB, "pods": 1}, each)
            for index, (cpu, memory) in enumerate(of_framework)
        )
        ledger.put_framework(Framework(name, f"role-{int(name[-4:]) % 10}", demand=demand))
    return ledger


def play(ledger: Ledger, watch: Stopwatch, phase: str, effort: Effort, most: int) -> int:
    """Cycles from empty; how many tasks the one with the fewest made room for."""
    master = PlayedMaster(ledger, watch)
    settle_heap()
    fewest = None
    for _ in effort.rounds(most):
        result = master.cycle(phase)
        placed = sum(sum(grant.tasks.values()) for grant in result.grants)
        fewest = placed if fewest is None else min(fewest, placed)
        for offer in master.offer(result.grants):
            master.withdraw(offer)
    return fewest or 0


def run(effort: Effort) -> dict[str, Any]:
    """The case at 10,000 nodes and 1,000 frameworks of 50 tasks, and with twice the demand that the nodes can hold."""
    watch = Stopwatch()
    ledger = task_cluster(effort)
    placed = play(ledger, watch, "from_empty", effort, ROUNDS)
    contended = task_cluster(effort, times_capacity=2.0)
    placed_contended = play(contended, watch, "contended", effort, CONTENDED_ROUNDS)
    return {
        "nodes": len(ledger.nodes),
        "frameworks": len(ledger.frameworks),
        **watch.figures(["from_empty"]),
        "first_ms": watch.times["from_empty"][0].wall,
        "tasks_wanted": wanted(ledger),
        "tasks_placed": placed,
        "contended_tasks_wanted": wanted(contended),
        "contended_tasks_placed": placed_contended,
    }


def wanted(ledger: Ledger) -> int:
    """How many tasks all frameworks want."""
    return sum(entry.count for framework in ledger.frameworks.values() for entry in framework.demand or ())

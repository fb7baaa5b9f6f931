"""Full cycles that offer every node, at any size: the largest one of Mesos' grid, and how the time grows with the size.

After each cycle its offers are charged and withdrawn again, so that the next finds every node changed.
"""

import math
from collections.abc import Iterable
from typing import Any

from tests.bench.allocation.clusters import cluster
from tests.bench.allocation.measuring import Effort, Stopwatch
from tests.bench.allocation.played_master import PlayedMaster

from tender.cluster.heap import settle_heap

NODES = (1_000, 5_000, 10_000, 20_000, 30_000, 50_000)
FRAMEWORKS = (100, 1_000, 6_000)


def full_cycles(nodes: int, frameworks: int, effort: Effort, most: int) -> dict[str, Any]:
    """Full cycles on a cluster of this size, and those after, when everything is on offer."""
    watch = Stopwatch()
    master = PlayedMaster(cluster(nodes, frameworks), watch)
    settle_heap()
    offered = nodes
    for _ in effort.rounds(most):
        result = master.cycle("full")
        offered = min(offered, len(result.grants))
        for offer in master.offer(result.grants):
            master.withdraw(offer)
    master.offer(result.grants)
    for _ in effort.rounds(most):
        master.cycle("all_outstanding")
    return {
        "nodes": nodes,
        "frameworks": frameworks,
        **watch.figures(["full"]),
        "first_ms": watch.times["full"][0].wall,
        "fewest_offered": offered,
    }


def run(effort: Effort) -> dict[str, Any]:
    """The case at 50,000 nodes and 6,000 frameworks, and the growth of its median from 10,000 and 1,000."""
    small = full_cycles(effort.size(10_000), effort.size(1_000), effort, 10)
    large = full_cycles(effort.size(50_000), effort.size(6_000), effort, 6)
    exponent = slope([(small["nodes"], small["p50_ms"]), (large["nodes"], large["p50_ms"])])
    return {
        **large,
        "from_10k_1k": {
            "p50_ms": small["p50_ms"],
            "ratio": large["p50_ms"] / small["p50_ms"],
            "linear_ratio": large["nodes"] / small["nodes"],
            "exponent_in_nodes": exponent,
        },
    }


def point(nodes: int, frameworks: int, effort: Effort) -> dict[str, Any]:
    """One point of the grid."""
    return full_cycles(nodes, frameworks, effort, 5)


def slope(points: Iterable[tuple[float, float]]) -> float | None:
    """The exponent by which the second grows with the first (least squares of the logarithms); None of one point."""
    logs = [(math.log(size), math.log(value)) for size, value in points]
    if len({size for size, _ in logs}) < 2:
        return None
    mean_size = sum(size for size, _ in logs) / len(logs)
    mean_value = sum(value for _, value in logs) / len(logs)
    spread = sum((size - mean_size) ** 2 for size, _ in logs)
    return sum((size - mean_size) * (value - mean_value) for size, value in logs) / spread


def exponents(grid: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """How the median of the grid grows with the nodes at each number of frameworks, and the other way round."""

    def along(axis: str, fixed: str) -> dict[str, float | None]:
        return {
            str(size): slope([(one[axis], one["p50_ms"]) for one in grid if one[fixed] == size])
            for size in sorted({one[fixed] for one in grid})
        }

    return {"in_nodes": along("nodes", "frameworks"), "in_frameworks": along("frameworks", "nodes")}

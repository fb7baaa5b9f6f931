"""What a scrape of the master costs with 1,000 frameworks: the time that the loop of the cycles gives to it, the time
that a thread beside it takes, and its size.

`python -m tests.bench.metrics` prints both, beside a cycle of the same ledger.
"""

import gzip
import statistics
import time
from collections.abc import Callable
from random import Random

from prometheus_client import generate_latest
from tests.builders import external, node

from tender.allocation import Charge, Ledger, Settings, run_cycle
from tender.api.framework import Framework
from tender.cluster.metrics.instruments import new_registry
from tender.master.figures import Figures
from tender.master.metrics import MasterMetrics
from tender.master.offerbook import OfferBook
from tender.master.reading import read_framework, read_node

NODES, FRAMEWORKS, ROLES, TIMES = 1_000, 1_000, 100, 5
SETTINGS = Settings()


def main() -> None:
    """Print the figures."""
    ledger, frameworks = _filled()
    result = run_cycle(ledger, SETTINGS, 0.0, Random(0))
    registry = new_registry()
    metrics = MasterMetrics(registry)
    Figures(registry, ledger, OfferBook(ledger), frameworks, lambda: result, SETTINGS)
    for name in frameworks:
        metrics.offers.inc(name, "made")
    text = generate_latest(registry)
    samples = sum(not line.startswith(b"#") for line in text.splitlines())
    collect = _median_ms(lambda: list(registry.collect()))
    scrape = _median_ms(lambda: gzip.compress(generate_latest(registry), 1))
    cycle = _median_ms(lambda: run_cycle(ledger, SETTINGS, 0.0, Random(0)))
    small = len(gzip.compress(text, 1)) / 1024
    print(f"{FRAMEWORKS:,} frameworks in {ROLES} roles, {NODES:,} nodes")
    print(f"scrape   {collect:8.1f} ms on the loop, {scrape - collect:.1f} ms in a thread beside it")
    print(f"         {samples:,} samples, {len(text) / 1024:,.0f} KiB, compressed {small:,.0f}")
    print(f"cycle    {cycle:8.1f} ms")

    def offer_to_each() -> None:
        for name in frameworks:
            metrics.offers.inc(name, "made")

    count = _median_ms(offer_to_each)
    print(f"counting {count:8.3f} ms   for one offer to each framework")


def _filled() -> tuple[Ledger, dict[str, Framework]]:
    """Every framework holds something and wants more of it than there is."""
    ledger = Ledger()
    for number in range(NODES):
        ledger.put_node(read_node(node(f"node-{number}")))
    frameworks = {}
    for number in range(FRAMEWORKS):
        made = external(f"framework-{number}", role=f"role-{number % ROLES}")
        key = f"{made.metadata.namespace}/{made.metadata.name}"
        frameworks[key] = made
        ledger.put_framework(read_framework(made))
        ledger.put_charge(number, Charge(f"node-{number % NODES}", {"cpu": 500, "memory": 2**28, "pods": 1}, key))
    return ledger, frameworks


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    main()

"""How long frameworks wait for their pods' places beside one that asks too much: quiet, and with each kind of abuser.

Services of one pod come at a steady rate; the abuser is a framework that somebody else's controller runs over the API.
Its role may have half of the cluster: what it may hold is a matter of quotas, how much it may disturb is measured here.
The rounds take turns, so that what else the machine does falls on all alike.

Run: python -m tests.bench.abuse [--rounds N] [--count N] [--abuser NAME ...]
"""

import argparse
import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.abuse.abusers import ABUSERS, add_abuser, remove_abuser, told_of
from tests.bench.abuse.others import Others
from tests.bench.frameworks.measuring import prepare
from tests.bench.report import cpu_seconds, percentile, print_table, write_json
from tests.bench.tender_running import tender_running, token_kubeconfig
from tests.bench.traffic import api_writes, growth

from cluster import LocalCluster, Options
from cluster.layout import REPOSITORY
from tender.api.core import decode_pod
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import PODS

QUIET = "quiet"
NODES = 50
HALF = {"cpu": "800", "memory": "6400Gi"}
PER_SECOND = 4.0
WARM_UP = 40
HEAD_START_SECONDS = 3.0
REST_SECONDS = 4.0


@dataclass
class Measured:
    """Latencies in seconds over all rounds; CPU seconds and writes per second while they were taken; how soon the
    abuser was told that it is throttled, and for what.
    """

    latencies: list[float] = field(default_factory=list)
    cpu_per_s: dict[str, float] = field(default_factory=dict)
    writes_per_s: float = 0.0
    throttled_for: str = ""
    told_after_s: float | None = None

    def figures(self, quiet: "Measured") -> dict[str, Any]:
        """What is written for whoever compares."""
        p50, p99 = percentile(self.latencies, 0.5), percentile(self.latencies, 0.99)
        return {
            "samples": len(self.latencies),
            "p50_s": p50,
            "p99_s": p99,
            "p50_ratio": p50 / percentile(quiet.latencies, 0.5),
            "p99_ratio": p99 / percentile(quiet.latencies, 0.99),
            "worst_s": max(self.latencies),
            "cpu_per_s": self.cpu_per_s,
            "writes_per_s": self.writes_per_s,
            "throttled_for": self.throttled_for,
            "told_after_s": self.told_after_s,
        }


class Bench:
    """A cluster that is up, with Tender's processes by name."""

    def __init__(self, cluster: LocalCluster, client: Client, others: Others, tender: dict[str, int]) -> None:
        self._cluster = cluster
        self._client = client
        self._others = others
        self._processes = {**cluster.pids(), **tender}

    async def measure(self, name: str, count: int, into: Measured, *, wait: bool) -> None:
        """One round; with `wait`, stay until the abuser is told that it is throttled."""
        if name == QUIET:
            await self._measure(count, into)
        else:
            abuser = ABUSERS[name]
            await add_abuser(self._client, HALF)
            begun = time.monotonic()
            abuse = asyncio.create_task(abuser.abuse(self._client))
            try:
                await asyncio.sleep(HEAD_START_SECONDS)
                await self._measure(count, into)
                if wait:
                    await self._wait_until_told(abuser.patience - (time.monotonic() - begun), into, begun)
            finally:
                abuse.cancel()
                await asyncio.gather(abuse, return_exceptions=True)
                await remove_abuser(self._client)
        await self._others.clean_up()
        await asyncio.sleep(REST_SECONDS)

    async def _measure(self, count: int, into: Measured) -> None:
        cpu_before = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        writes_before = await api_writes(self._cluster)
        begun = time.monotonic()
        into.latencies += await self._others.measure(count, PER_SECOND)
        took = time.monotonic() - begun
        into.cpu_per_s = {name: (cpu_seconds(pid) - cpu_before[name]) / took for name, pid in self._processes.items()}
        into.writes_per_s = sum(growth(writes_before, await api_writes(self._cluster)).values()) / took

    async def _wait_until_told(self, within: float, into: Measured, begun: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(1.0, within)):
                while not into.throttled_for:
                    into.throttled_for = await told_of(self._client)
                    await asyncio.sleep(0.5)
                into.told_after_s = time.monotonic() - begun


async def run(names: Sequence[str], rounds: int, count: int) -> dict[str, Measured]:
    """Measure each in every round."""
    cluster = LocalCluster("bench-abuse")
    results = {name: Measured() for name in (QUIET, *names)}
    try:
        cluster.up(Options(control_plane_only=True, flavour="local"))
        cluster.kubectl("apply", "--server-side", "-f", str(REPOSITORY / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(REPOSITORY / "crds"))
        kubeconfig = token_kubeconfig(cluster, "bench")
        people, abusers = (Client(load(str(token_kubeconfig(cluster, name)))) for name in ("people", "abuser"))
        async with people as client, abusers, asyncio.TaskGroup() as tasks:
            await prepare(client, NODES)
            others = Others(client)
            pods = ListWatch(client, PODS, decode_pod, on_change=others.pod_changed)
            watching = tasks.create_task(pods.run())
            await pods.synced.wait()
            async with tender_running(cluster, kubeconfig) as tender:
                bench = Bench(cluster, abusers, others, tender)
                await bench.measure(QUIET, WARM_UP, Measured(), wait=False)
                for number in range(rounds):
                    for name, measured in results.items():
                        await bench.measure(name, count, measured, wait=number == rounds - 1)
                        latest = measured.latencies[-count:]
                        print(f"round {number + 1}: {name} p99 {percentile(latest, 0.99) * 1000:.0f} ms", flush=True)
            watching.cancel()
    finally:
        cluster.down()
    return results


def report(figures: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    rows = [
        [
            name if name == QUIET else ABUSERS[name].title,
            f"{one['p50_s'] * 1000:.0f}",
            f"{one['p99_s'] * 1000:.0f}",
            f"{one['p50_ratio']:.2f}",
            f"{one['p99_ratio']:.2f}",
            f"{one['writes_per_s']:.0f}",
            f"{one['cpu_per_s'].get('master', 0) * 100:.0f} %",
            f"{one['cpu_per_s'].get('controller', 0) * 100:.0f} %",
            f"{one['throttled_for']} after {one['told_after_s'] or 0:.0f} s" if one["throttled_for"] else "",
        ]
        for name, one in figures.items()
    ]
    headings = ["beside", "p50 ms", "p99 ms", "p50 x", "p99 x", "writes/s", "master CPU", "controller CPU", "told"]
    print_table(headings, rows)
    print("(from the creation of a service until its pod has a node; p99 is to stay within 2 x of quiet)")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--count", type=int, default=100, help="services in each round")
    parser.add_argument("--abuser", action="append", choices=list(ABUSERS), help="only this one")
    arguments = parser.parse_args()
    busy = os.getloadavg()[0]
    results = asyncio.run(run(arguments.abuser or list(ABUSERS), arguments.rounds, arguments.count))
    figures = {name: one.figures(results[QUIET]) for name, one in results.items()}
    print(f"\n{NODES} nodes; {os.cpu_count()} cores for everything, load before the run {busy:.1f}\n")
    report(figures)
    print(f"\nwritten to {write_json('abuse', figures)}")


if __name__ == "__main__":
    main()

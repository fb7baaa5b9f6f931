"""Pods placed per second: Tender's offers, claims and born-bound pods against kube-scheduler, in one run.

Waves of 1,000 pods of 1 CPU on 200 fake nodes, alternating: (a) as one Framework, (b) created one by one for
kube-scheduler with raised client limits. Tender's processes run only during its own waves, so that kube-scheduler is
measured at its best; kube-scheduler runs during both, as in any cluster.

Run: python -m tests.bench.placement [--pods N] [--nodes N] [--rounds N]
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.report import cpu_seconds, percentile, print_table, write_json
from tests.bench.tender_running import tender_running, token_kubeconfig
from tests.bench.traffic import api_writes, growth

from cluster import LocalCluster, Options
from tender.api.core import Pod, decode_pod
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.errors import NotFound
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS

NAMESPACE = "default"
PATIENCE_SECONDS = 120.0
WARM_UP_PODS = 200
SINGLE_PODS = 30
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Bound:
    """When each pod was first seen bound (monotonic seconds)."""

    times: dict[str, float] = field(default_factory=dict)
    first_created: float | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            self.changed.set()
            return
        now = time.monotonic()
        if self.first_created is None:
            self.first_created = now
        if new.spec.node_name and new.metadata.name not in self.times:
            self.times[new.metadata.name] = now
            self.changed.set()


@dataclass(frozen=True)
class Wave:
    """What one wave came to; times in seconds, latencies from demand to bound."""

    pods_per_s: float
    seconds: float
    first_s: float
    p50_s: float
    p99_s: float
    writes_per_pod: float
    writes: dict[str, float]
    cpu_s: dict[str, float]


class Bench:
    """One cluster, one watch of its pods, and waves over it."""

    def __init__(self, cluster: LocalCluster, client: Client, kubeconfig: Path) -> None:
        self._cluster = cluster
        self._client = client
        self._kubeconfig = kubeconfig
        self.bound = Bound()
        self.cache: ListWatch[Pod] = ListWatch(client, PODS, decode_pod, on_change=self.bound.pod_changed)
        self._tender: dict[str, int] = {}

    async def tender_wave(self, pods: int) -> Wave:
        """So many pods as one Framework."""
        async with tender_running(self._cluster, self._kubeconfig) as self._tender:
            wave = await self._measure(self._client.create(FRAMEWORKS, service("wave", pods)), pods)
            await self._client.delete(FRAMEWORKS, "wave", namespace=NAMESPACE, propagation="Background")
            await asyncio.sleep(1.0)
        self._tender = {}
        await self._clean_up()
        return wave

    async def first_pods(self, count: int) -> list[float]:
        """Seconds from the creation of a Framework of one pod to the pod's, on an idle cluster, one after the other."""
        latencies = []
        async with tender_running(self._cluster, self._kubeconfig):
            for number in range(count):
                self.bound.times.clear()
                begun = time.monotonic()
                await self._client.create(FRAMEWORKS, service(f"single-{number}", 1))
                await self._until_bound(1)
                latencies.append(min(self.bound.times.values()) - begun)
                await asyncio.sleep(0.3)
            for number in range(count):
                await self._client.delete(FRAMEWORKS, f"single-{number}", namespace=NAMESPACE)
            await asyncio.sleep(1.0)
        await self._clean_up()
        return latencies

    async def scheduler_wave(self, pods: int) -> Wave:
        """The same pods through kube-scheduler."""
        wave = await self._measure(self._create_pods(pods), pods)
        await self._clean_up()
        return wave

    async def _create_pods(self, pods: int) -> None:
        async def create(number: int) -> None:
            manifest = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"wave-{number}", "namespace": NAMESPACE},
                "spec": pod_spec(),
            }
            await self._client.create(PODS, manifest)

        await asyncio.gather(*(create(number) for number in range(pods)))

    async def _measure(self, demand: Coroutine[Any, Any, object], pods: int) -> Wave:
        self.bound.times.clear()
        self.bound.first_created = None
        processes = {**self._cluster.pids(), **self._tender, "bench": os.getpid()}
        cpu_before = {name: cpu_seconds(pid) for name, pid in processes.items()}
        writes_before = await api_writes(self._cluster)
        begun = time.monotonic()
        task = asyncio.ensure_future(demand)
        await self._until_bound(pods)
        await task
        latencies = [at - begun for at in self.bound.times.values()]
        first_created = self.bound.first_created or begun
        seconds = max(self.bound.times.values()) - first_created
        await asyncio.sleep(1.5)  # writes that follow a wave, such as the deletion of its offers, count too
        written = growth(writes_before, await api_writes(self._cluster))
        writes = {name: count / pods for name, count in written.items()}
        return Wave(
            pods_per_s=pods / seconds,
            seconds=seconds,
            first_s=min(latencies),
            p50_s=percentile(latencies, 0.5),
            p99_s=percentile(latencies, 0.99),
            writes_per_pod=sum(writes.values()),
            writes=writes,
            cpu_s={name: cpu_seconds(pid) - cpu_before[name] for name, pid in processes.items()},
        )

    async def _until_bound(self, pods: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.bound.times) < pods:
                self.bound.changed.clear()
                await self.bound.changed.wait()

    async def _clean_up(self) -> None:
        """Remove all pods and offers, and wait until they are gone."""
        for resource in (PODS, RESOURCE_OFFERS):
            with contextlib.suppress(NotFound):
                await self._client.delete_collection(resource, namespace=NAMESPACE, grace_seconds=0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.cache.objects:
                self.bound.changed.clear()
                await self.bound.changed.wait()
        await asyncio.sleep(2.0)


def service(name: str, replicas: int) -> dict[str, Any]:
    """A Framework of so many pods."""
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"service": {"replicas": replicas, "template": {"spec": pod_spec()}}},
    }


def pod_spec() -> dict[str, Any]:
    """The spec of every pod of a wave."""
    requests = {"cpu": "1", "memory": "64Mi"}
    return {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
        "containers": [{"name": "main", "image": "tender.dev/pause:1", "resources": {"requests": requests}}],
    }


async def run(pods: int, nodes: int, rounds: int) -> dict[str, Any]:
    """Run the rounds on a cluster of their own; the figures."""
    cluster = LocalCluster("bench-placement")
    cluster.up(Options(nodes=0, fake=nodes, fake_pods=False, scheduler_qps=5000, flavour="local"))
    results: dict[str, list[Wave]] = {"tender": [], "kube-scheduler": []}
    try:
        cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        kubeconfig = token_kubeconfig(cluster, "bench")
        async with Client(load(str(kubeconfig)), writes_in_flight=64) as client:
            bench = Bench(cluster, client, kubeconfig)
            watching = asyncio.create_task(bench.cache.run())
            await bench.cache.synced.wait()
            await bench.scheduler_wave(WARM_UP_PODS)
            await bench.tender_wave(WARM_UP_PODS)
            for number in range(rounds):
                for name, wave in (("tender", bench.tender_wave), ("kube-scheduler", bench.scheduler_wave)):
                    result = await wave(pods)
                    results[name].append(result)
                    print(f"round {number + 1}: {name} {result.pods_per_s:.0f} pods/s", flush=True)
            first = await bench.first_pods(SINGLE_PODS)
            watching.cancel()
    finally:
        cluster.down()
    return figures(results, first)


def figures(results: dict[str, list[Wave]], first: list[float]) -> dict[str, Any]:
    """Medians over the rounds, the latencies of single pods, and the rounds themselves."""
    median = {name: statistics.median(wave.pods_per_s for wave in waves) for name, waves in results.items()}
    return {
        "tender_pods_per_s": median["tender"],
        "kube_scheduler_pods_per_s": median["kube-scheduler"],
        "ratio_to_kube_scheduler": median["tender"] / median["kube-scheduler"],
        "api_writes_per_pod": statistics.median(wave.writes_per_pod for wave in results["tender"]),
        "first_pod_p50_s": percentile(first, 0.5),
        "first_pod_p99_s": percentile(first, 0.99),
        "rounds": {name: [vars(wave) for wave in waves] for name, waves in results.items()},
    }


def report(result: dict[str, Any]) -> None:
    """Print the table."""
    rows = [
        [
            name,
            number + 1,
            f"{wave['pods_per_s']:.0f}",
            f"{wave['first_s'] * 1000:.0f}",
            f"{wave['p50_s'] * 1000:.0f}",
            f"{wave['p99_s'] * 1000:.0f}",
            f"{wave['writes_per_pod']:.2f}",
            " ".join(f"{part} {seconds:.1f}" for part, seconds in sorted(wave["cpu_s"].items()) if seconds >= 0.05),
        ]
        for name, waves in result["rounds"].items()
        for number, wave in enumerate(waves)
    ]
    print_table(["through", "round", "pods/s", "first ms", "p50 ms", "p99 ms", "writes/pod", "CPU seconds"], rows)
    print(
        f"\nmedians: Tender {result['tender_pods_per_s']:.0f} pods/s, kube-scheduler "
        f"{result['kube_scheduler_pods_per_s']:.0f} pods/s, ratio {result['ratio_to_kube_scheduler']:.2f} "
        f"(target 2.5), API writes per pod {result['api_writes_per_pod']:.2f} (target 1.1)"
    )
    print(
        f"from a Framework of one pod to its pod, idle cluster: p50 {result['first_pod_p50_s'] * 1000:.0f} ms "
        f"(target 150), p99 {result['first_pod_p99_s'] * 1000:.0f} ms"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.pods, arguments.nodes, arguments.rounds))
    report(result)
    print(f"written to {write_json('placement', result)}")


if __name__ == "__main__":
    main()

"""How long frameworks take from the first write until all their pods run and the API calls them ready, beside the
scale tests that Marathon published.

N pods are asked for in three shapes (`shapes`), on a real API server with fake nodes. By default the cluster is etcd
and the API server alone, and the nodes' kubelets are played in this process; with --kwok it is a whole control plane,
and kwok runs the pods. As everything shares the cores of one machine, the API server collects garbage less often than
Go does by default; with GOGC=100 in the environment it does as elsewhere (docs/decisions/009-local-cluster.md).

Run: python -m tests.bench.frameworks [--most N] [--shape NAME ...] [--kwok]
"""

import argparse
import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.frameworks.kubelet import Kubelet
from tests.bench.frameworks.measuring import Bench, Measured, prepare
from tests.bench.frameworks.observer import Observer
from tests.bench.frameworks.published import PUBLISHED
from tests.bench.frameworks.shapes import SHAPES
from tests.bench.frameworks.tables import print_costs, print_times
from tests.bench.report import write_json
from tests.bench.tender_running import tender_running, token_kubeconfig

from cluster import LocalCluster, Options
from cluster.layout import REPOSITORY
from tender.api.core import Pod
from tender.cluster.access import load
from tender.cluster.client import Client

SIZES = (1, 10, 100, 500, 1000, 5000)
NODES = 100
WARM_UP = 100
MOST_SECONDS, MOST_SECONDS_PER_POD = 600.0, 0.5

Results = dict[str, dict[int, Measured]]


async def run(sizes: Sequence[int], shapes: Sequence[str], *, kwok: bool) -> Results:
    """Measure every shape in every size, small ones first, as far as the time goes."""
    cluster = LocalCluster("bench-frameworks")
    try:
        cluster.up(_options(kwok=kwok))
        cluster.kubectl("apply", "--server-side", "-f", str(REPOSITORY / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(REPOSITORY / "crds"))
        kubeconfig = token_kubeconfig(cluster, "bench")
        client = Client(load(str(kubeconfig)), writes_in_flight=128, request_timeout=120.0)
        async with client, contextlib.AsyncExitStack() as stack:
            await prepare(client, NODES)
            observer = Observer(client, on_pod=_nobody_is_told if kwok else Kubelet(client).pod_changed)
            await stack.enter_async_context(observer.watching())
            tender = await stack.enter_async_context(tender_running(cluster, kubeconfig))
            return await _measure_all(Bench(cluster, client, observer, tender), sizes, shapes)
    finally:
        cluster.down()


async def _measure_all(bench: Bench, sizes: Sequence[int], shapes: Sequence[str]) -> Results:
    until = time.monotonic() + MOST_SECONDS + MOST_SECONDS_PER_POD * max(sizes)
    await bench.measure(SHAPES["many"], WARM_UP, within=60.0)
    await bench.clean_up()
    results: Results = {name: {} for name in shapes}
    for size in sizes:
        for name in shapes:
            left = until - time.monotonic()
            if left <= 0:
                print(f"{name} x {size}: not measured, the time is up", flush=True)
                continue
            measured = results[name][size] = await bench.measure(SHAPES[name], size, within=left)
            failed = "" if measured.reached is None else f", given up with {measured.reached} ready"
            print(f"{name} x {size}: {measured.seconds:.2f} s{failed}", flush=True)
            try:
                await bench.clean_up()
            except TimeoutError:
                print("not cleaned up in time: nothing more is measured", flush=True)
                return results
    return results


def _nobody_is_told(old: Pod | None, new: Pod | None) -> None:
    """kwok watches pods itself."""


def _options(*, kwok: bool) -> Options:
    if kwok:
        return Options(nodes=0, fake=NODES, flavour="local")
    return Options(control_plane_only=True, flavour="local")


def figures(results: Results) -> dict[str, Any]:
    """What is written for whoever compares."""
    return {
        name: {str(size): asdict(one) | _published(name, size) for size, one in measured.items()}
        for name, measured in results.items()
    }


def _published(name: str, size: int) -> dict[str, Any]:
    found = PUBLISHED[name].get(size)
    return {"published": found and found.seconds, "published_reached": found and found.reached}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--most", type=int, default=1000, help="the largest N (default: 1000)")
    parser.add_argument("--shape", action="append", choices=list(SHAPES), help="only this shape")
    parser.add_argument("--kwok", action="store_true", help="a whole control plane, and kwok instead of the kubelets")
    arguments = parser.parse_args()
    sizes = [size for size in SIZES if size <= arguments.most]
    busy = os.getloadavg()[0]
    results = asyncio.run(run(sizes, arguments.shape or list(SHAPES), kwok=arguments.kwok))
    played = "kwok, beside a whole control plane" if arguments.kwok else "kubelets in this process"
    print(f"\npods run by {played}; {os.cpu_count()} cores for everything, load before the run {busy:.1f}\n")
    print_times(results)
    print()
    print_costs(results)
    print(f"\nwritten to {write_json('frameworks', figures(results))}")


if __name__ == "__main__":
    main()

"""How much more memory master and controller take after 50,000 patches of statuses and 2,000 offers.

Both run as programs against a real API server. What they need once is in use after a warm-up; what they take beyond
that, with the same objects at the end as at the beginning, is lost.

Run: python -m tests.bench.memory [--patches N] [--offers N]
"""

import argparse
import asyncio
import time
from typing import Any

from tests.bench.frameworks.measuring import prepare
from tests.bench.memory.load import Load, resident_bytes, steps
from tests.bench.report import print_table, write_json
from tests.bench.tender_running import tender_running, token_kubeconfig

from cluster import LocalCluster, Options
from cluster.layout import REPOSITORY
from tender.cluster.access import load
from tender.cluster.client import Client

NODES = 50
NAMESPACE = "default"
WARM_UP = (5000, 200)
STEPS = 5

REST_SECONDS = 10.0
BOUND = 20 * 2**20
TOLERATIONS = [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}]

Looks = list[dict[str, Any]]


async def run(patches: int, offers: int) -> Looks:
    """The memory of both after each step."""
    cluster = LocalCluster("bench-memory")
    try:
        cluster.up(Options(control_plane_only=True, flavour="local"))
        cluster.kubectl("apply", "--server-side", "-f", str(REPOSITORY / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(REPOSITORY / "crds"))
        kubeconfig = token_kubeconfig(cluster, "bench")
        async with Client(load(str(token_kubeconfig(cluster, "people")))) as client:
            await prepare(client, NODES)
            async with tender_running(cluster, kubeconfig) as tender:
                return await _look_on(Load(client, NAMESPACE, TOLERATIONS), tender, patches, offers)
    finally:
        cluster.down()


async def _look_on(one: Load, tender: dict[str, int], patches: int, offers: int) -> Looks:
    looks: Looks = []
    done = 0
    begun = time.monotonic()

    def look(when: str) -> None:
        memory = {name: resident_bytes(pid) for name, pid in tender.items()}
        looks.append({"when": when, "patches": done, "offers": one.refused, "s": time.monotonic() - begun, **memory})
        print(when, {name: f"{amount / 2**20:.1f} MiB" for name, amount in memory.items()}, flush=True)

    look("start")
    await one.start()
    async with one.refusing():
        await asyncio.gather(one.patch(WARM_UP[0]), one.offers(WARM_UP[1]))
        await asyncio.sleep(REST_SECONDS)
        look("after warm-up")
        for more_patches, more_offers in steps(patches, offers, STEPS):
            await asyncio.gather(one.patch(more_patches), one.offers(more_offers))
            done += more_patches
            look(f"after {done} patches")
        await asyncio.sleep(REST_SECONDS)
        look("at rest")
    return looks


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--patches", type=int, default=50_000)
    parser.add_argument("--offers", type=int, default=2_000)
    arguments = parser.parse_args()
    looks = asyncio.run(run(arguments.patches, arguments.offers))
    parts = ("master", "controller")
    print()
    print_table(
        ["when", "s", "patches", "offers", *(f"{part} MiB" for part in parts)],
        [
            [
                one["when"],
                f"{one['s']:.0f}",
                one["patches"],
                one["offers"],
                *(f"{one[part] / 2**20:.1f}" for part in parts),
            ]
            for one in looks
        ],
    )
    growth = {part: looks[-1][part] - looks[1][part] for part in parts}
    print(", ".join(f"{part} {amount / 2**20:+.1f} MiB since the warm-up" for part, amount in growth.items()))
    print(f"(to stay below {BOUND / 2**20:.0f} MiB for 50,000 patches and 2,000 offers)")
    print(f"\nwritten to {write_json('memory', {'looks': looks, 'growth': growth})}")


if __name__ == "__main__":
    main()

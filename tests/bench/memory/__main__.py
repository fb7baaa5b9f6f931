"""How much more memory master and controller take after 50,000 patches of statuses and 2,000 offers.

Both run as programs against a real API server. What they need once is in use after a warm-up; what they take beyond
that, with the same objects at the end as at the beginning, is lost. Patches and offers come one after the other. Each
figure is taken at rest; beside it stands how many offers there are just then (none), and how many there were at once.

Run: python -m tests.bench.memory [--patches N] [--offers N]
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.frameworks.measuring import prepare
from tests.bench.memory.load import Load, resident_bytes
from tests.bench.report import print_table, write_json
from tests.bench.tender_running import PARTS, tender_running, token_kubeconfig

from cluster import LocalCluster, Options
from cluster.layout import REPOSITORY
from tender.cluster.access import load
from tender.cluster.client import Client

NODES = 50
NAMESPACE = "default"
WARM_UP_PATCHES, WARM_UP_OFFERS = 5000, 400
STEP_PATCHES, STEP_OFFERS = 5000, 200
REST_SECONDS = 10.0
BOUND = 20 * 2**20

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
                return await _look_on(Load(client, NAMESPACE), tender, patches, offers)
    finally:
        cluster.down()


async def _look_on(going_on: Load, tender: dict[str, int], patches: int, offers: int) -> Looks:
    looks: Looks = []
    patched = 0
    begun = time.monotonic()

    async def look(when: str) -> None:
        await asyncio.sleep(REST_SECONDS)
        memory = {name: resident_bytes(pid) for name, pid in tender.items()}
        seconds = time.monotonic() - begun
        offers = {"offers": going_on.answered, "most_at_once": going_on.most_at_once, "there": going_on.there}
        looks.append({"when": when, "s": seconds, "patches": patched, **offers, **memory})
        print(when, f"{patched} patches", offers, _in_mib(memory), flush=True)

    await look("start")
    await going_on.start()
    async with going_on.answering():
        await going_on.patch(WARM_UP_PATCHES)
        patched += WARM_UP_PATCHES
        await going_on.offers(WARM_UP_OFFERS)
        await look("warm")
        for count in _steps(patches, STEP_PATCHES):
            await going_on.patch(count)
            patched += count
            await look("patches")
        for count in _steps(offers, STEP_OFFERS):
            await going_on.offers(count)
            await look("offers")
    return looks


def _steps(total: int, step: int) -> Iterator[int]:
    for done in range(0, total, step):
        yield min(step, total - done)


def _in_mib(memory: dict[str, int]) -> str:
    return ", ".join(f"{part} {amount / 2**20:.1f} MiB" for part, amount in memory.items())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--patches", type=int, default=50_000)
    parser.add_argument("--offers", type=int, default=2_000)
    arguments = parser.parse_args()
    looks = asyncio.run(run(arguments.patches, arguments.offers))
    print()
    print_table(
        ["after", "s", "patches", "offers", "most at once", "there now", *(f"{part} MiB" for part in PARTS)],
        [
            [
                *(one["when"], f"{one['s']:.0f}", one["patches"], one["offers"]),
                *(one["most_at_once"], one["there"]),
                *(f"{one[part] / 2**20:.1f}" for part in PARTS),
            ]
            for one in looks
        ],
    )
    growth = {part: looks[-1][part] - looks[1][part] for part in PARTS}
    print(f"since the warm-up: {_in_mib(growth)} (to stay below {BOUND / 2**20:.0f} MiB)")
    print(f"\nwritten to {write_json('memory', {'looks': looks, 'growth': growth})}")


if __name__ == "__main__":
    main()

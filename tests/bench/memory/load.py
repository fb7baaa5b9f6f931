"""What goes on while memory is looked at: patches of statuses that change nothing for anybody, and offers that are made
and refused. Bounded in number.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
from tests.bench.frameworks.shapes import Manifest

from tender.api.names import API_VERSION
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORKS, RESOURCE_OFFERS

FRAMEWORKS_PATCHED = 100
FRAMEWORKS_OFFERED = 50
PATCHES_AT_ONCE = 16
REFUSE_SECONDS = 3600


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no memory: has it ended?")


class Load:
    """Frameworks of a namespace, and what befalls them. Each that is offered something refuses it at once for long, and
    is offered it again when its demand changes.
    """

    def __init__(self, client: Client, namespace: str, tolerations: list[Manifest] | None = None) -> None:
        self._client = client
        self._namespace = namespace
        self._tolerations = tolerations or []
        self._numbers = itertools.count(1)
        self.refused = 0
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Create the frameworks."""
        names = [f"patched-{number:03d}" for number in range(FRAMEWORKS_PATCHED)]
        names += [f"offered-{number:03d}" for number in range(FRAMEWORKS_OFFERED)]
        await asyncio.gather(*(self._create(name) for name in names))

    @contextlib.asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Offers are refused inside."""
        offers: ListWatch[Any] = ListWatch(
            self._client,
            RESOURCE_OFFERS,
            msgspec.json.decode,
            on_change=self._offer_changed,
            namespace=self._namespace,
        )
        async with asyncio.TaskGroup() as self._tasks:
            watching = self._tasks.create_task(offers.run())
            yield
            watching.cancel()

    async def patch(self, count: int) -> None:
        """So many patches of statuses, over the frameworks in turn."""
        left = iter(range(count))

        async def work() -> None:
            for number in left:
                name = f"patched-{number % FRAMEWORKS_PATCHED:03d}"
                figure = next(self._numbers)
                status = {"replicas": figure, "readyReplicas": figure % 7}
                await self._client.patch_status(FRAMEWORKS, name, status, namespace=self._namespace)

        await asyncio.gather(*(work() for _ in range(PATCHES_AT_ONCE)))

    async def offers(self, count: int) -> None:
        """Change demands until so many offers have been made and refused."""
        until = self.refused + count
        for start in range(0, count, FRAMEWORKS_OFFERED):
            wanted = min(until, self.refused + FRAMEWORKS_OFFERED)
            await asyncio.gather(
                *(self._demand(f"offered-{one:03d}") for one in range(min(FRAMEWORKS_OFFERED, count - start)))
            )
            async with asyncio.timeout(60):
                while self.refused < wanted:
                    self._changed.clear()
                    await self._changed.wait()
            await asyncio.sleep(1.0)  # as often as a demand may change

    async def _create(self, name: str) -> None:
        await self._client.create(
            FRAMEWORKS,
            {
                "apiVersion": API_VERSION,
                "kind": "Framework",
                "metadata": {"name": name, "namespace": self._namespace},
                "spec": {"external": {}, "tolerations": self._tolerations},
            },
        )
        await self._client.patch_status(FRAMEWORKS, name, {"demand": []}, namespace=self._namespace)

    async def _demand(self, name: str) -> None:
        entry = {"name": f"task-{next(self._numbers)}", "count": 1, "requests": {"cpu": "10m", "memory": "32Mi"}}
        await self._client.patch_status(FRAMEWORKS, name, {"demand": [entry]}, namespace=self._namespace)

    def _offer_changed(self, _: Manifest | None, offer: Manifest | None) -> None:
        if offer is not None and offer["status"]["phase"] == "Offered":
            self._tasks.create_task(self._refuse(offer["metadata"]))

    async def _refuse(self, metadata: Manifest) -> None:
        with contextlib.suppress(ApiError):
            await self._client.patch_status(
                RESOURCE_OFFERS,
                metadata["name"],
                {"phase": "Declined", "refuseSeconds": REFUSE_SECONDS},
                namespace=self._namespace,
                resource_version=metadata["resourceVersion"],
            )
            self.refused += 1
            self._changed.set()


def steps(patches: int, offers: int, number: int) -> Iterator[tuple[int, int]]:
    """The load in so many equal steps of patches and offers."""
    for _ in range(number):
        yield patches // number, offers // number

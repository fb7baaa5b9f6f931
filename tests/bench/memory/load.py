"""What goes on while memory is looked at: patches of statuses that change nothing for anybody, and offers that come and
go. Both are stationary: what is there does not grow, however long they go on.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
from tests.bench.frameworks.shapes import Manifest
from tests.builders import owner_of

from tender.api.names import API_VERSION, LABEL_FRAMEWORK, LABEL_OFFER, LABEL_TASK
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS

FRAMEWORKS_PATCHED = 100
FRAMEWORKS_OFFERED = 50
PATCHES_AT_ONCE = 16
REFUSE_SECONDS = 1
PATIENCE_SECONDS = 60.0
SOMEBODY_ELSE = "somebody-else"
TASK = {"name": "task", "count": 1, "requests": {"cpu": "10m", "memory": "32Mi"}}


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no memory: has it ended?")


class Load:
    """Frameworks of a namespace, and what befalls them. Each of some wants one task, and answers all that it is
    offered: it declines one offer for a second, and claims the next, launches its pod and deletes it at once.
    `answered` counts offers, `most_at_once` is how many of them there have been at the same time.
    """

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._figures = itertools.count(1)
        self._uids: dict[str, str] = {}
        self._rounds: Counter[str] = Counter()
        self._there: set[str] = set()
        self._changed = asyncio.Event()
        self.answered = 0
        self.most_at_once = 0

    async def start(self) -> None:
        """Create the frameworks."""
        names = [_patched(number) for number in range(FRAMEWORKS_PATCHED)] + _offered()
        await asyncio.gather(*(self._create(name) for name in names))

    @contextlib.asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Offers are answered inside."""
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
        """So many patches of statuses by somebody else, over the frameworks in turn."""
        left = iter(range(count))

        async def work() -> None:
            for number in left:
                figure = next(self._figures)
                await self._client.patch_status(
                    FRAMEWORKS,
                    _patched(number % FRAMEWORKS_PATCHED),
                    {"replicas": figure, "readyReplicas": figure % 7},
                    namespace=self._namespace,
                    field_manager=SOMEBODY_ELSE,
                )

        await asyncio.gather(*(work() for _ in range(PATCHES_AT_ONCE)))

    async def offers(self, count: int) -> None:
        """Want tasks until so many offers have been answered, then none, until no offer is left."""
        until = self.answered + count
        self.most_at_once = 0
        await self._demand([TASK])
        await self._until(lambda: self.answered >= until)
        await self._demand([])
        await self._until(lambda: not self._there)

    @property
    def there(self) -> int:
        """How many offers there are."""
        return len(self._there)

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait for this; an error when nothing goes on any more."""
        while not holds():
            self._changed.clear()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._changed.wait()

    async def _create(self, name: str) -> None:
        created = await self._client.create(
            FRAMEWORKS,
            {
                "apiVersion": API_VERSION,
                "kind": "Framework",
                "metadata": {"name": name, "namespace": self._namespace},
                "spec": {"external": {}},
            },
        )
        self._uids[name] = created["metadata"]["uid"]
        await self._client.patch_status(FRAMEWORKS, name, {"demand": []}, namespace=self._namespace)

    async def _demand(self, demand: list[Manifest]) -> None:
        patches = (
            self._client.patch_status(FRAMEWORKS, name, {"demand": demand}, namespace=self._namespace)
            for name in _offered()
        )
        await asyncio.gather(*patches)

    def _offer_changed(self, old: Manifest | None, offer: Manifest | None) -> None:
        if offer is None:
            self._there.difference_update({old["metadata"]["name"]} if old is not None else ())
        else:
            self._there.add(offer["metadata"]["name"])
            self.most_at_once = max(self.most_at_once, len(self._there))
            if offer["status"]["phase"] == "Offered":
                self._tasks.create_task(self._answer(offer))
        self._changed.set()

    async def _answer(self, offer: Manifest) -> None:
        framework = offer["spec"]["framework"]
        declines = self._rounds[framework] % 2 == 0
        answer = {"phase": "Declined", "refuseSeconds": REFUSE_SECONDS} if declines else _claim_of_all(offer)
        with contextlib.suppress(ApiError):  # it has been taken back meanwhile
            await self._client.patch_status(
                RESOURCE_OFFERS,
                offer["metadata"]["name"],
                answer,
                namespace=self._namespace,
                resource_version=offer["metadata"]["resourceVersion"],
            )
            self._rounds[framework] += 1
            self.answered += 1
            self._changed.set()
            if not declines:
                await self._launch(framework, offer)

    async def _launch(self, framework: str, offer: Manifest) -> None:
        """Make the pod that an offer was claimed for, and delete it."""
        name = f"{framework}-{self._rounds[framework]}"
        labels = {LABEL_FRAMEWORK: framework, LABEL_OFFER: offer["metadata"]["name"], LABEL_TASK: TASK["name"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": self._namespace,
                "labels": labels,
                "ownerReferences": [owner_of(framework, self._uids[framework])],
            },
            "spec": {
                "nodeName": offer["spec"]["slices"][0]["node"],
                "containers": [{"name": "main", "image": "none", "resources": {"requests": TASK["requests"]}}],
            },
        }
        await self._client.create(PODS, pod)
        await self._client.delete(PODS, name, namespace=self._namespace, grace_seconds=0)


def _claim_of_all(offer: Manifest) -> Manifest:
    slices = enumerate(offer["spec"]["slices"])
    claims = [{"slice": index, "resources": one["resources"], "tasks": one["tasks"]} for index, one in slices]
    return {"phase": "Claimed", "claims": claims}


def _patched(number: int) -> str:
    return f"patched-{number:03d}"


def _offered() -> list[str]:
    return [f"offered-{number:03d}" for number in range(FRAMEWORKS_OFFERED)]

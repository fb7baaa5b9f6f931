"""Frameworks that ask too much: each holds its peace until it is started, and goes on until it is cancelled."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.bench.frameworks.shapes import Manifest

from tender.api.framework import Framework
from tender.api.names import API_VERSION
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, RESOURCE_OFFERS

NAMESPACE = "default"
ROLE = "abusers"
NAME = "abuser"
CHANGES_PER_SECOND = 100
LARGE_CHANGES_PER_SECOND = 10
LARGEST_DEMAND = 128

Answer = Callable[[Manifest], Manifest]
Abuse = Callable[[Client], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Abuser:
    """What it does, in words and in deeds. `patience`: within how many seconds the master ought to have told of it."""

    title: str
    abuse: Abuse
    patience: float


async def _answer_everything(client: Client, answer: Answer) -> None:
    """Answer every offer as soon as it is seen."""
    answers: asyncio.Queue[Manifest] = asyncio.Queue()

    def changed(_: Manifest | None, offer: Manifest | None) -> None:
        if offer is not None and offer["spec"]["framework"] == NAME and offer["status"]["phase"] == "Offered":
            answers.put_nowait(offer)

    offers: ListWatch[Any] = ListWatch(client, RESOURCE_OFFERS, msgspec.json.decode, on_change=changed)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(offers.run())
        while True:
            offer = await answers.get()
            metadata = offer["metadata"]
            with contextlib.suppress(ApiError):
                await client.patch_status(
                    RESOURCE_OFFERS,
                    metadata["name"],
                    answer(offer),
                    namespace=NAMESPACE,
                    resource_version=metadata["resourceVersion"],
                )


async def _claims(client: Client) -> None:
    await _answer_everything(client, _claim_of)


def _claim_of(offer: Manifest) -> Manifest:
    slices = enumerate(offer["spec"]["slices"])
    claims = [{"slice": index, "resources": one["resources"], "tasks": one.get("tasks", {})} for index, one in slices]
    return {"phase": "Claimed", "claims": claims}


async def _declines(client: Client) -> None:
    await _answer_everything(client, lambda offer: {"phase": "Declined", "refuseSeconds": 0})


async def _rewrites(client: Client) -> None:
    await _rewrite(client, CHANGES_PER_SECOND, lambda number: [_entry("tasks", 1 + number % 50)])


async def _rewrites_much(client: Client) -> None:
    def demand(number: int) -> list[Manifest]:
        return [_entry(f"task-{entry}", 1 + number % 50) for entry in range(LARGEST_DEMAND)]

    await _rewrite(client, LARGE_CHANGES_PER_SECOND, demand)


async def _rewrite(client: Client, per_second: int, demand: Callable[[int], list[Manifest]]) -> None:
    """Change the demand so often, as far as the API server keeps up."""
    at_once = asyncio.Semaphore(8)

    async def change(number: int) -> None:
        async with at_once:
            with contextlib.suppress(ApiError):
                await client.patch_status(FRAMEWORKS, NAME, {"demand": demand(number)}, namespace=NAMESPACE)

    begun = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in itertools.count():
            await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            if not at_once.locked():
                tasks.create_task(change(number))


def _entry(name: str, count: int) -> Manifest:
    return {"name": name, "count": count, "requests": {"cpu": "100m", "memory": "64Mi"}}


ABUSERS = {
    "declines": Abuser("declines everything at once", _declines, 30.0),
    "rewrites": Abuser(f"changes its demand {CHANGES_PER_SECOND} times a second", _rewrites, 30.0),
    "rewrites-much": Abuser(
        f"changes {LARGEST_DEMAND} entries {LARGE_CHANGES_PER_SECOND} times a second", _rewrites_much, 60.0
    ),
    "claims": Abuser("claims everything and launches nothing", _claims, 200.0),
}


async def add_abuser(client: Client, limit: Manifest) -> None:
    """The framework, in a role of its own that may have so much."""
    role = {"apiVersion": API_VERSION, "kind": "FrameworkRole", "metadata": {"name": ROLE}}
    await client.create(FRAMEWORK_ROLES, {**role, "spec": {"quota": {"limit": limit}}})
    await client.create(
        FRAMEWORKS,
        {
            "apiVersion": API_VERSION,
            "kind": "Framework",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {
                "role": ROLE,
                "external": {},
                "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
            },
        },
    )


async def remove_abuser(client: Client) -> None:
    """Remove it with all that is its own."""
    await client.delete(FRAMEWORKS, NAME, namespace=NAMESPACE)
    await client.delete_collection(RESOURCE_OFFERS, namespace=NAMESPACE)
    await client.delete(FRAMEWORK_ROLES, ROLE)


async def told_of(client: Client) -> str:
    """For what the master says that the abuser is throttled; empty if it says no such thing."""
    framework = Framework.read(await client.get(FRAMEWORKS, NAME, namespace=NAMESPACE))
    conditions = (one for one in framework.status.conditions if (one.type, one.status) == ("Throttled", "True"))
    return next((one.reason for one in conditions), "")

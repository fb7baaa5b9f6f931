"""`tender offers` and `tender events` on a real API server, once and followed."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.integration.cli.conftest import CommandLine
from tests.integration.running.world import World

from tender.api.names import API_VERSION
from tender.api.offer import ResourceOffer
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import EVENTS, FRAMEWORKS, RESOURCE_OFFERS


async def offer(world: World, cli: CommandLine, name: str, framework: str, cpu: str = "2") -> ResourceOffer:
    """An offer of two nodes, as the master makes it."""
    slices = [{"node": f"node-{number}", "resources": {"cpu": cpu, "memory": "1Gi"}} for number in (1, 2)]
    expires = (cli.now + timedelta(seconds=45)).isoformat()
    spec: dict[str, Any] = {"framework": framework, "role": "shop", "slices": slices, "expiresAt": expires}
    body = {"apiVersion": API_VERSION, "kind": "ResourceOffer", "metadata": {"name": name}, "spec": spec}
    return ResourceOffer.read(await world.client.create(RESOURCE_OFFERS, body, namespace=world.namespace))


async def test_offers_are_listed_with_what_became_of_them(world: World, cli: CommandLine):
    await offer(world, cli, "web-1", "web")
    claimed = await offer(world, cli, "web-2", "web", "500m")
    await world.answer(claimed, {"phase": "Claimed", "claims": [{"slice": 1, "resources": {"cpu": "500m"}}]})
    await world.decline(await offer(world, cli, "batch-1", "batch"), 60)
    await cli.run("offers")
    await cli.run("offers", "--framework", "web", "-A", "-o", "wide")
    await cli.run("offers", "--framework", "typo")
    await cli.run("offers", "--watch", "-o", "yaml")
    cli.matches("offers")


async def test_offers_are_followed(world: World, cli: CommandLine):
    first = await offer(world, cli, "web-1", "web")

    async def changes() -> None:
        await world.decline(first, 60)
        await world.client.delete(RESOURCE_OFFERS, "web-1", namespace=world.namespace)

    await cli.follow("offers", "--watch", "--framework", "web", lines=4, doing=changes)
    text = cli.transcript[-1]
    assert [line.split()[3] for line in text.splitlines()[1:5]] == ["PHASE", "Offered", "Declined", "Gone"]
    assert text.endswith("(exit code 130)\n")


async def tell_of(world: World, name: str, reason: str, note: str, *, warning: bool = False) -> None:
    """An event about a framework, as the controller posts it."""
    recorder = EventRecorder(world.client, controller="tender-controller", instance="test")
    async with asyncio.TaskGroup() as tasks:
        posting = tasks.create_task(recorder.run())
        recorder.record(Regarding(FRAMEWORKS, name, world.namespace), reason, note, warning=warning)
        await recorder.drain()
        posting.cancel()


async def test_events_of_tenders_objects_are_listed(world: World, cli: CommandLine):
    await tell_of(world, "web", "Launched", "launched 3 pods")
    await tell_of(world, "web", "RollBlocked", "no node has room", warning=True)
    await tell_of(world, "batch", "Launched", "launched 1 pod")
    other = {
        "apiVersion": EVENTS.api_version,
        "kind": "Event",
        "metadata": {"name": "other", "namespace": world.namespace},
        "eventTime": "2026-01-01T12:00:00.000000Z",
        "reportingController": "example.com/other",
        "reportingInstance": "other",
        "action": "Do",
        "reason": "Other",
        "regarding": {"kind": "Pod", "apiVersion": "v1", "name": "p", "namespace": world.namespace},
        "type": "Normal",
    }
    await world.client.create(EVENTS, other)
    await cli.run("events")
    await cli.run("events", "--for", "framework/web", "--types", "Warning", "-o", "wide", "-A")
    await cli.run("events", "--for", "typo")
    cli.matches("events")


async def test_events_are_followed(world: World, cli: CommandLine):
    await tell_of(world, "web", "Launched", "launched 3 pods")
    await cli.follow(
        "events", "-w", "--for", "web", lines=3, doing=lambda: tell_of(world, "web", "Scaled", "to 4 pods")
    )
    _, titles, launched, scaled, end = cli.transcript[-1].splitlines()
    assert titles.split()[2:] == ["TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert launched.endswith("launched 3 pods")
    assert scaled.split()[1:] == ["Normal", "Scaled", "framework/web", "to", "4", "pods"]
    assert end == "(exit code 130)"

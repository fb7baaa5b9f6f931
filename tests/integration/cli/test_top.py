"""`tender top` on a real API server, and what is for terminals only."""

from typing import Any

from tests.builders import owner_of
from tests.integration.cli.conftest import CommandLine
from tests.integration.cli.telling import holds, tell
from tests.integration.cli.test_following import offer
from tests.integration.running.world import World

from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_FRAMEWORK, LABEL_OFFER
from tender.cluster.resources import PODS, RESERVATIONS

READING = {"apiGroups": ["tender.dev"], "resources": ["frameworks"], "verbs": ["list"]}


async def add_pod(world: World, name: str, of: Framework, requests: dict[str, str], offer_name: str = "") -> None:
    """A pod of a framework, on the first node of the offer that it was launched from."""
    labels = {LABEL_FRAMEWORK: of.metadata.name, **({LABEL_OFFER: offer_name} if offer_name else {})}
    metadata: dict[str, Any] = {"name": name, "namespace": world.namespace, "labels": labels}
    metadata["ownerReferences"] = [owner_of(of.metadata.name, of.metadata.uid)]
    container = {"name": "main", "image": "app:1", "resources": {"requests": requests}}
    spec = {"nodeName": "node-1", "containers": [container]}
    await world.client.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


async def fill(world: World, cli: CommandLine) -> None:
    """Two frameworks that hold something in every form."""
    web = await world.add_service("web", 3)
    await world.add_framework("batch", role="research")
    await tell(world, "web", allocation={"dominantShare": "0.2500"})
    await tell(world, "batch", allocation={"dominantShare": "0.5000"})
    claimed = await offer(world, cli, "web-1", "web", "2")
    claims = [{"slice": at, "resources": {"cpu": "1", "memory": "1Gi"}} for at in (0, 1)]
    await world.answer(claimed, {"phase": "Claimed", "claims": claims})
    await add_pod(world, "web-a", web, {"cpu": "500m", "memory": "1Gi"})
    await add_pod(world, "web-b", web, {"cpu": "1", "memory": "1Gi"}, "web-1")
    await offer(world, cli, "batch-1", "batch", "1500m")
    spec = {"node": "node-1", "role": "research", "framework": "batch", "resources": {"cpu": "3"}}
    kept = {"apiVersion": API_VERSION, "kind": "Reservation", "metadata": {"name": "kept"}, "spec": spec}
    await world.client.create(RESERVATIONS, kept, namespace=world.namespace)
    await world.client.patch_status(RESERVATIONS, "kept", {"unused": {"cpu": "3"}}, namespace=world.namespace)


async def test_use_is_shown_by_framework_and_by_role(world: World, cli: CommandLine):
    await fill(world, cli)
    await cli.run("top")
    await cli.run("top", "--by", "role")
    await cli.run("top", "-A", "-r", "cpu")
    await cli.run("top", "-o", "json")
    await cli.of_user(READING).run("top")
    cli.matches("top")


async def test_a_terminal_shows_use_until_it_is_interrupted(world: World, cli: CommandLine):
    await fill(world, cli)
    text = await cli.on_terminal("top", "--interval", "1", until="\033[J\033[H")
    assert text.startswith("\033[2J\033[HFRAMEWORK")
    assert "batch       research   50.0%" in text


async def test_colours_are_for_terminals_that_want_them(world: World, cli: CommandLine):
    await world.add_service("web", 1)
    await tell(world, "web", conditions=[holds(cli, "Ready", "AsSpecified", "1 of 1 pods are ready")])
    assert "\033[32mReady\033[0m" in await cli.on_terminal("frameworks", until="\nweb")
    assert "\033" not in await cli.on_terminal("frameworks", until="\nweb", env={"NO_COLOR": "1"})

"""`tender roles tree` and `tender quota` on a real API server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from tests.integration.cli.conftest import CommandLine
from tests.integration.running.world import World

from tender.cluster.client import Client
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES

READING_ROLES = {"apiGroups": ["tender.dev"], "resources": ["frameworkroles"], "verbs": ["list", "get"]}


@pytest_asyncio.fixture
async def cluster(world: World) -> AsyncIterator[Client]:
    """Two nodes with 8 cpu in all, and the roles of two teams, one with a role below it."""
    await world.client.delete_collection(NODES)
    await world.add_nodes(2)
    await world.add_role("shop", weight=3, quota={"guarantee": {"cpu": "2"}, "limit": {"cpu": "6", "memory": "12Gi"}})
    await world.add_role("shop-batch", parent="shop")
    await world.add_role("research")
    await world.add_framework("web", role="shop")
    await world.add_framework("nightly", role="shop-batch")
    await world.add_framework("trainer", role="research")
    await world.add_framework("scratch")
    yield world.client


async def tell_role(client: Client, name: str, share: str, **consumed: str) -> None:
    quota = [{"resource": resource, "consumed": amount, "offered": "0"} for resource, amount in consumed.items()]
    await client.patch_status(FRAMEWORK_ROLES, name, {"dominantShare": share, "quota": quota, "frameworks": 1})


async def test_the_tree_shows_weights_shares_and_quotas(cluster: Client, world: World, cli: CommandLine):
    await tell_role(cluster, "shop", "0.5000", cpu="4", memory="6Gi", pods="7")
    await tell_role(cluster, "shop-batch", "0.1250", cpu="1", memory="1536Mi")
    await tell_role(cluster, "research", "0.0000")
    allocation: dict[str, Any] = {"dominantShare": "0.0625", "allocated": {"cpu": "500m"}}
    await cluster.patch_status(FRAMEWORKS, "scratch", {"allocation": allocation}, namespace=world.namespace)
    await cli.run("roles", "tree")
    await cli.run("roles", "tree", "-o", "yaml")
    cli.matches("roles-tree")


async def test_who_may_not_see_nodes_and_frameworks_sees_the_rest(cluster: Client, cli: CommandLine):
    await cli.of_user(READING_ROLES).run("roles", "tree")
    cli.matches("roles-tree-with-few-rights")


async def test_quotas_are_set_and_shown(cluster: Client, cli: CommandLine):
    await cli.run("quota", "show")
    await cli.run("quota", "set", "research", "--guarantee", "cpu=3,memory=4Gi", "--limit", "cpu=5")
    await cli.run("quota", "set", "fresh", "--limit", "cpu=1", "--dry-run")
    await cli.run("quota", "set", "fresh", "--limit", "cpu=1")
    await cli.run("quota", "set", "research", "--guarantee", "memory=none", "--limit", "cpu=4")
    await cli.run("quota", "show")
    await cli.run("quota", "show", "research", "-o", "yaml")
    cli.matches("quota")


async def test_a_guarantee_that_cannot_be_kept_is_refused_with_the_numbers(cluster: Client, cli: CommandLine):
    await tell_role(cluster, "shop", "0.5000", cpu="4")
    await cli.run("quota", "set", "research", "--guarantee", "cpu=7")
    await cli.run("quota", "show", "research")
    await cli.run("quota", "set", "research", "--guarantee", "cpu=7", "--force")
    await cli.run("quota", "set", "shop-batch", "--guarantee", "cpu=3")
    await cli.run("quota", "set", "shop", "--limit", "cpu=3")
    cli.matches("quota-overcommitted")


async def test_mistakes_in_a_quota_are_told(cluster: Client, cli: CommandLine):
    await cli.run("quota", "set", "research")
    await cli.run("quota", "set", "research", "--limit", "cpu")
    await cli.run("quota", "set", "research", "--limit", "cpu=many")
    await cli.run("quota", "set", "shop", "--limit", "cpu=1")
    await cli.run("quota", "show", "typo")
    await cli.of_user(READING_ROLES).run("quota", "set", "research", "--limit", "cpu=1")
    cli.matches("quota-mistakes")

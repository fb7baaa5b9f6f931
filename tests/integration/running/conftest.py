"""Fixtures of the tests that run master and controller: the test's part of the cluster, and a way to disturb it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.proxy import Proxy
from tests.integration.running.waiting import Clock
from tests.integration.running.world import World

from tender.cluster.access import load
from tender.cluster.client import Client


@pytest_asyncio.fixture
async def world(api_server: ApiServer, namespace: str) -> AsyncIterator[World]:
    """Nodes and a namespace of the test's own, and no framework left by another."""
    async with Client(load(str(api_server.kubeconfig)), field_manager="tender-test") as client:
        world = World(client, namespace, Clock())
        await world.enter()
        yield world
        await world.leave()


@pytest_asyncio.fixture
async def proxy(api_server: ApiServer, tmp_path: Path) -> AsyncIterator[Proxy]:
    """A proxy in front of the API server."""
    async with Proxy(load(str(api_server.kubeconfig)), tmp_path) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def kubelet(world: World) -> AsyncIterator[Kubelet]:
    """Runs the pods of the test's namespace."""
    async with Kubelet(world.client, world.namespace).running() as kubelet:
        yield kubelet

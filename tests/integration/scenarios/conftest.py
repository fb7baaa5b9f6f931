"""Fixtures of the replay of scenarios: a part of the cluster whose time stands still unless it is moved on."""

import time
from collections.abc import AsyncIterator

import pytest_asyncio
from tests.integration.conftest import ApiServer
from tests.integration.running.waiting import Clock
from tests.integration.running.world import World

from tender.cluster.access import load
from tender.cluster.client import Client


class StandingClock(Clock):
    """A clock that shows the time at which it was made, and moves only when it is moved on."""

    def __init__(self) -> None:
        super().__init__()
        self._start = float(int(time.time()))

    def __call__(self) -> float:
        return self._start + self._ahead


@pytest_asyncio.fixture
async def world(api_server: ApiServer, namespace: str) -> AsyncIterator[World]:
    """Nothing but a namespace, and a clock that stands."""
    async with Client(load(str(api_server.kubeconfig)), field_manager="tender-test") as client:
        world = World(client, namespace, StandingClock())
        await world.enter()
        yield world
        await world.leave()

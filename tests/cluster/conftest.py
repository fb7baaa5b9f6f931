"""The scripted API server as a fixture."""

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.cluster.scripted import ScriptedServer, scripted_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as started:
        yield started

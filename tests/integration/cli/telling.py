"""Statuses as controller and master write them, for tests of what is shown of them."""

from datetime import timedelta
from typing import Any

from tests.integration.cli.conftest import CommandLine
from tests.integration.running.world import World

from tender.cluster.resources import FRAMEWORKS


async def tell(world: World, name: str, **status: Any) -> None:
    """Write a part of a framework's status."""
    await world.client.patch_status(FRAMEWORKS, name, status, namespace=world.namespace)


def holds(cli: CommandLine, state: str, reason: str, message: str) -> dict[str, Any]:
    """A condition that has held for as long as the test runs."""
    at = (cli.now - timedelta(minutes=90)).isoformat()
    return {"type": state, "status": "True", "reason": reason, "message": message, "lastTransitionTime": at}

"""`tender frameworks` on a real API server."""

from datetime import timedelta

from tests.integration.cli.conftest import CommandLine
from tests.integration.cli.telling import holds, tell
from tests.integration.running.world import World, demand, template


async def test_frameworks_are_listed_with_their_state_tasks_and_share(world: World, cli: CommandLine):
    await world.add_service("web", 3)
    await world.add_framework("batch", role="research")
    await world.add_framework("stuck", role="shop", service={"replicas": 4, "template": template("1")})
    await world.declare("batch", demand("a", 5, requests={"cpu": "1"}))
    ready = holds(cli, "Ready", "AsSpecified", "3 of 3 pods are ready")
    allocation = {"dominantShare": "0.1250", "allocated": {"cpu": "1500m", "memory": "1610612736"}}
    await tell(world, "web", readyReplicas=3, replicas=3, conditions=[ready], allocation=allocation)
    stalled = holds(cli, "Stalled", "RollBlocked", "for 10 min no offer was of use")
    since = (cli.now - timedelta(minutes=12)).isoformat()
    await tell(world, "stuck", readyReplicas=1, conditions=[stalled], waiting={"since": since, "tasks": 3})
    await cli.run("frameworks")
    await cli.run("frameworks", "-o", "wide")
    await cli.run("frameworks", "-A")
    await cli.run("frameworks", "--role", "research")
    await cli.run("frameworks", "--waiting", "-o", "name")
    await cli.run("frameworks", "batch", "--waiting")
    await cli.run("frameworks", "-o", "name")
    await cli.run("frameworks", "batch", "-o", "yaml")
    cli.matches("frameworks")


async def test_an_empty_list_is_said_to_be_empty(world: World, cli: CommandLine):
    await cli.run("frameworks")
    await cli.run("frameworks", "-n", "elsewhere")
    await cli.run("frameworks", "-o", "json")
    cli.matches("no-frameworks")


async def test_what_is_wrong_is_told_in_a_line(world: World, cli: CommandLine):
    await cli.run("frameworks", "typo")
    await cli.run("frameworks", "--context", "typo")
    await cli.run("frameworks", "web", "-A")
    await cli.run("frameworks", "-o", "xml")
    await cli.of_user().run("frameworks")
    cli.matches("errors")

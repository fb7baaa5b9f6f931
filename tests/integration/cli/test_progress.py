"""Waiting until something is done, on a real API server: what a command that waits shows, and how it ends."""

import asyncio
from collections.abc import Sequence

import click
import pytest
from tests.integration.running.world import World

from tender.cli.progress import Seen, Watched, wait_until
from tender.cli.views.standing import Standing
from tender.cluster.errors import NotFound
from tender.cluster.resources import FRAMEWORKS, Resource


def judge(seen: Seen) -> Standing:
    """Done when the framework has three pods; failed when it is gone."""
    frameworks = list(seen[0].values())
    if not frameworks:
        return Standing("the framework is gone", failed=True)
    replicas = frameworks[0].get("status", {}).get("replicas", 0)
    return Standing(f"{replicas} of 3 pods", done=replicas >= 3)


def web(world: World) -> Sequence[Watched]:
    return [Watched(FRAMEWORKS, world.namespace, "web")]


async def grow(world: World, *counts: int) -> None:
    for count in counts:
        await asyncio.sleep(0.2)
        await world.client.patch_status(FRAMEWORKS, "web", {"replicas": count}, namespace=world.namespace)


async def test_every_new_standing_is_a_line_until_it_is_done(world: World, capsys: pytest.CaptureFixture[str]):
    await world.add_framework("web")
    await world.add_framework("other")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(grow(world, 1, 3))
        standing = await wait_until(world.client, web(world), judge, timeout=None)
    assert standing == Standing("3 of 3 pods", done=True)
    assert capsys.readouterr().out.splitlines() == ["0 of 3 pods", "1 of 3 pods", "3 of 3 pods"]


async def test_time_that_runs_out_is_told_with_the_last_standing(world: World):
    await world.add_framework("web")
    with pytest.raises(click.ClickException, match=r"not done within 0\.5 s: 0 of 3 pods"):
        await wait_until(world.client, web(world), judge, timeout=0.5)


async def test_what_cannot_be_done_any_more_ends_the_wait(world: World):
    with pytest.raises(click.ClickException, match="the framework is gone"):
        await wait_until(world.client, web(world), judge, timeout=None)


async def test_what_cannot_be_read_ends_it_at_once(world: World):
    unknown = Resource("tender.dev", "v1alpha1", "typos", "Typo")
    with pytest.raises(NotFound):
        await wait_until(world.client, [Watched(unknown, world.namespace)], judge, timeout=None)

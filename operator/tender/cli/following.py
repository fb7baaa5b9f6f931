"""Follows objects as `kubectl get --watch` does: a line for each that is there, and one for every change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import click

from tender.cli.output import Output
from tender.cli.views.table import Column
from tender.cluster.client import Client
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import Resource

T = TypeVar("T")
R = TypeVar("R")


async def follow(
    client: Client,
    resource: Resource,
    decode: Callable[[bytes], T],
    *,
    namespace: str | None,
    columns: list[Column[R]],
    row: Callable[[T, bool], R | None],
    output: Output,
) -> None:
    """Print a line for each object and then for every change, until interrupted.

    `row` makes the row of an object, given whether it is gone; of those that it gives None for nothing is shown. Raises
    ApiError when the objects cannot be listed.
    """
    await client.list_page(resource, namespace=namespace, limit=1)  # a watch tries for ever; this tells at once
    changes: asyncio.Queue[tuple[T, bool]] = asyncio.Queue()

    def changed(old: T | None, new: T | None) -> None:
        if new is not None:
            changes.put_nowait((new, False))
        elif old is not None:
            changes.put_nowait((old, True))

    source = ListWatch(client, resource, decode, on_change=changed, namespace=namespace)
    async with _alone(), asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        await source.synced.wait()
        present = [changes.get_nowait() for _ in range(changes.qsize())]
        rows = [one for one in (row(*change) for change in present) if one is not None]
        layout = output.layout(columns, rows)
        click.echo(layout.titles())
        while True:
            for each in rows:
                click.echo(layout.line(each))
            change = row(*await changes.get())
            rows = [] if change is None else [change]


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Raises what went wrong first as itself: click knows what to do when nobody reads any more (`| head`)."""
    try:
        yield
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None

"""Waits for something to become so, by watching objects, and shows how far it has come.

On a terminal one line is rewritten; elsewhere every new state is a line. What is waited for is judged by a pure
function of the objects seen.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
import msgspec

from tender.cli.output import on_terminal
from tender.cli.views.standing import Standing
from tender.cluster.client import Client
from tender.cluster.listwatch import ListWatch
from tender.cluster.resources import Resource

Seen = Sequence[Mapping[str, dict[str, Any]]]
"""The objects of each `Watched`, in the order given, by "namespace/name" (or "name")."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Objects to watch: of a kind, in one namespace or all, by name if one is given, and by labels."""

    resource: Resource
    namespace: str | None = None
    name: str | None = None
    label_selector: str = ""


def waiting_options(default: str = "0s") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command --wait/--no-wait (`wait`) and --timeout (`timeout`, in seconds, None for ever)."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option(
            "--timeout",
            default=default,
            show_default=True,
            metavar="DURATION",
            callback=_seconds,
            help="How long to wait, such as 90s or 10m. 0s: for ever.",
        )(command)
        return click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is done.")(command)

    return decorate


async def wait_until(
    client: Client, watched: Sequence[Watched], judge: Callable[[Seen], Standing], *, timeout: float | None
) -> Standing:
    """Watch until `judge` finds that it is done, and return that.

    Raises click.ClickException (exit code 1) when it has failed, or when `timeout` seconds have passed, with the last
    standing in the message. Raises ApiError when something cannot be read.
    """
    for one in watched:  # a watch tries for ever; what cannot be read at all is told at once
        await client.list_page(one.resource, namespace=one.namespace, label_selector=one.label_selector, limit=1)
    changed = asyncio.Event()
    sources = [_source(client, one, changed) for one in watched]
    standing = Standing("nothing is known yet")
    with _Shown().shown() as show:
        try:
            async with asyncio.timeout(timeout), asyncio.TaskGroup() as tasks:
                following = [tasks.create_task(source.run()) for source in sources]
                for source in sources:
                    await source.synced.wait()
                while True:
                    changed.clear()
                    standing = judge([source.objects for source in sources])
                    show(standing.text)
                    if standing.done or standing.failed:
                        break
                    await changed.wait()
                for task in following:
                    task.cancel()
        except TimeoutError:
            raise click.ClickException(f"not done within {timeout:g} s: {standing.text}") from None
    if standing.failed:
        raise click.ClickException(standing.text)
    return standing


def _source(client: Client, one: Watched, changed: asyncio.Event) -> ListWatch[dict[str, Any]]:
    return ListWatch(
        client,
        one.resource,
        msgspec.json.decode,
        on_change=lambda _, __: changed.set(),
        namespace=one.namespace,
        label_selector=one.label_selector,
        field_selector=f"metadata.name={one.name}" if one.name else "",
    )


@dataclass(slots=True)
class _Shown:
    """The line that is shown; elsewhere than on a terminal, the lines that were."""

    live: bool = field(default_factory=on_terminal)
    last: str = ""

    @contextmanager
    def shown(self) -> Iterator[Callable[[str], None]]:
        try:
            yield self._show
        finally:
            if self.live and self.last:
                click.echo()

    def _show(self, text: str) -> None:
        if text == self.last:
            return
        self.last = text
        click.echo(f"\r\033[K{text}" if self.live else text, nl=not self.live)


def _seconds(_: click.Context, __: click.Parameter, value: str) -> float | None:
    from tender.api.durations import parse_duration

    try:
        return parse_duration(value) or None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None

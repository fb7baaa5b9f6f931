"""Views that stay on the screen and are drawn anew: on terminals only, until they are interrupted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import click

_HOME, _TO_END_OF_LINE, _TO_END_OF_SCREEN, _CLEAR = "\033[H", "\033[K", "\033[J", "\033[2J"


async def repeat(view: Callable[[], Awaitable[Sequence[str]]], seconds: float) -> None:
    """Draw the lines of a view over those before, every so many seconds; never returns."""
    click.echo(_CLEAR, nl=False)
    while True:
        lines = await view()
        click.echo(frame(lines), nl=False)
        await asyncio.sleep(seconds)


def frame(lines: Sequence[str]) -> str:
    """What makes a terminal show these lines and nothing else, without flickering."""
    return _HOME + "".join(f"{line}{_TO_END_OF_LINE}\n" for line in lines) + _TO_END_OF_SCREEN

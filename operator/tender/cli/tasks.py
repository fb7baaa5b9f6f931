"""Tasks that end together: what goes wrong in one ends all, and is raised as itself.

asyncio raises a group of exceptions, of which neither click nor a person can make anything: that nobody reads any more
(`| head`), for example, ends a program without a word only if click sees it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises what went wrong first."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None

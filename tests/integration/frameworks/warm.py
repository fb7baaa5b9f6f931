"""Starts `tender` many times: a process that has imported everything and forks, as that is what a start costs.

What it forks is the program: `tender.cli.main` with the arguments that it is given, in a process of its own with a log
of its own, to be killed by its process id. Orders come as lines of JSON, each is answered by the process id.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Starter:
    """Starts processes of `tender`."""

    process: asyncio.subprocess.Process
    turn: asyncio.Lock

    async def start(self, *arguments: str, log: Path) -> int:
        """Start `tender` with these arguments; its process id."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self.turn:
            self.process.stdin.write(json.dumps([*arguments, str(log)]).encode() + b"\n")
            return int(await self.process.stdout.readline())


def kill(pid: int) -> None:
    """End a process that was started here, without a warning."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def starter() -> AsyncIterator[Starter]:
    """A process that starts others, ended with all that it has started."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield Starter(process, asyncio.Lock())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _serve() -> None:
    import tender.cli.parts  # noqa: F401  # `main` would import them anew in every fork
    from tender.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    for line in sys.stdin:
        *arguments, log = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            main(args=arguments)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()

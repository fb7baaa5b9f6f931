"""Starts, watches and stops the long-running programs of a cluster.

A program outlives the command that started it, so its identity is kept in a file: the process id together
with the time at which the kernel started it (a number that is used again is so never mistaken for ours)
and a digest of its command line and input files, by which a later `up` sees whether it must be started
anew.
"""

import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.failure import ClusterError
from cluster.progress import say

_POLL = 0.1  # seconds between two looks at a process


@dataclass(frozen=True)
class Program:
    """A long-running program: how to start it and how to see that it serves.

    `inputs` are files that it reads once, at its start; `ready` is asked until it says True. `environment` is for what
    no flag sets; what the user's environment says goes before.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    inputs: tuple[Path, ...] = ()
    network_namespace: Path | None = None
    patience: float = 60.0
    environment: tuple[tuple[str, str], ...] = ()

    def digest(self) -> str:
        """Changes when the program would have to be started anew."""
        hashed = hashlib.sha256(repr((self.argv, str(self.network_namespace), self.environment)).encode())
        for path in self.inputs:
            hashed.update(path.read_bytes())
        return hashed.hexdigest()[:16]


def started_at(pid: int) -> str | None:
    """The boot and the tick at which a living process began; None if there is no such process or it is a
    zombie.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


class Processes:
    """The programs of one cluster, recorded in `records` with their output in `logs`."""

    def __init__(self, records: Path, logs: Path) -> None:
        self._records = records
        self._logs = logs

    def names(self) -> list[str]:
        """Every program that has a record, running or not."""
        return sorted(path.stem for path in self._records.glob("*.json"))

    def pid(self, name: str) -> int | None:
        """The process id if the program runs, else None."""
        record = self._record(name)
        return record[0] if record else None

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def start(self, program: Program) -> bool:
        """Start the program unless it runs as wanted; True if it was started. Does not wait for it."""
        record = self._record(program.name)
        if record and record[1] == program.digest():
            return False
        if record:
            say(f"{program.name}: started anew, since its configuration changed")
            self.stop(program.name)
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        argv = program.argv
        if program.network_namespace:
            argv = ("nsenter", f"--net={program.network_namespace}", *argv)
        log = str(self.log(program.name))
        pid = os.posix_spawnp(
            argv[0],
            argv,
            dict(program.environment) | os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        identity = {"pid": pid, "started": started_at(pid), "digest": program.digest()}
        self._path(program.name).write_text(json.dumps(identity))
        return True

    def wait(self, program: Program) -> None:
        """Wait until the program serves; an error shows the end of its log if it dies or takes too long."""
        deadline = time.monotonic() + program.patience
        while not program.ready():
            if self.pid(program.name) is None:
                raise ClusterError(f"{program.name} ended at once:\n{self._last_words(program.name)}")
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{program.name} does not serve after {program.patience:.0f} s:\n{self._last_words(program.name)}"
                )
            time.sleep(_POLL)

    def run(self, program: Program) -> None:
        """Start and wait."""
        self.start(program)
        self.wait(program)

    def stop(self, name: str, grace: float = 10.0) -> None:
        """End the program: politely, after `grace` seconds by force. Nothing happens if it does not run."""
        pid = self.pid(name)
        if pid is not None:
            end(pid, grace)
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _record(self, name: str) -> tuple[int, str] | None:
        try:
            identity = json.loads(self._path(name).read_text())
        except (FileNotFoundError, ValueError):
            return None
        pid, started = identity["pid"], identity["started"]
        alive = started is not None and started_at(pid) == started
        return (pid, identity["digest"]) if alive else None

    def _last_words(self, name: str) -> str:
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        return "\n".join([*(line[:300] for line in lines), f"(the whole log: {log})"])


def end(pid: int, grace: float) -> None:
    """End one process and wait until it is gone."""
    started = started_at(pid)
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if started is None or started_at(pid) != started:
                return
            time.sleep(_POLL / 4)

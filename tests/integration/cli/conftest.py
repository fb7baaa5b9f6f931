"""Fixtures of the tests of the command line: commands run within the test, as their user sees a real API server.

What they print is compared with files in `golden/`, transcripts as of a terminal; `UPDATE_GOLDEN=1 pytest ...` writes
them anew. What differs from run to run is masked without a change of width, and the commands' clock stands 90 minutes
after the start of the test, so every age of what the test has made is "90m".
"""

import asyncio
import os
import pty
import re
import shlex
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.integration.conftest import ApiServer
from tests.integration.running.conftest import kubelet, world
from tests.integration.running.waiting import PATIENCE
from tests.integration.running.world import World

from tender import __version__
from tender.cli import main
from tender.cli.connection import Surroundings

__all__ = ["kubelet", "world"]

GOLDEN = Path(__file__).with_name("golden")
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
_PROGRAM = (sys.executable, "-c", "from tender.cli import main; main(prog_name='tender')")
_MASKS = (
    (
        re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ),
    (re.compile(r"(?<=https://127\.0\.0\.1:)\d+"), "6443"),
    (re.compile(r"(?<=\"resourceVersion\": \")\d+|(?<=resourceVersion: ')\d+"), "1"),
    (re.compile(r"\bv1\.\d\d\.\d+\b"), "v1.36.3"),
    (re.compile(rf"(?<=Client: ){re.escape(__version__)}|(?<=client\": \"){re.escape(__version__)}"), "0.1.0"),
    (re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2026-01-01T12:00:00Z"),
)


@dataclass
class CommandLine:
    """Runs `tender` with a kubeconfig whose context names the test's namespace, and keeps a transcript."""

    kubeconfig: Path
    namespace: str
    now: datetime
    directory: Path
    api_server: ApiServer
    transcript: list[str] = field(default_factory=list)

    async def run(self, *arguments: str, env: Mapping[str, str] | None = None, input: str | None = None) -> Result:  # noqa: A002
        """Run a command, as a user does who is not on a terminal; it goes into the transcript."""
        result: Result = await asyncio.to_thread(
            CliRunner().invoke,
            main,
            arguments,
            obj=Surroundings(clock=lambda: self.now),
            env={"KUBECONFIG": str(self.kubeconfig), **(env or {})},
            input=input,
            prog_name="tender",
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.transcript.append(f"$ tender {shlex.join(arguments)}\n{result.output}")
        if result.exit_code:
            self.transcript[-1] += f"(exit code {result.exit_code})\n"
        return result

    async def follow(self, *arguments: str, lines: int, doing: Callable[[], Awaitable[Any]]) -> None:
        """Run a command that goes on, as a program of its own, and interrupt it after so many lines.

        What is to be followed is done once the first line is there.
        """
        process = await asyncio.create_subprocess_exec(
            *_PROGRAM,
            *arguments,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                printed = [await process.stdout.readline()]
                await doing()
                printed += [await process.stdout.readline() for _ in range(lines - 1)]
                process.send_signal(signal.SIGINT)
                printed.append(await process.stdout.read())
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        text = b"".join(printed).decode()
        self.transcript.append(f"$ tender {shlex.join(arguments)}\n{text}(exit code {code})\n")

    async def on_terminal(self, *arguments: str, until: str, env: Mapping[str, str] | None = None) -> str:
        """What a command, as a program of its own, writes to a terminal until that is there and it is interrupted."""
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *_PROGRAM,
            *arguments,
            env={**os.environ, "TERM": "xterm", "KUBECONFIG": str(self.kubeconfig), **(env or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        text = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while until not in text:
                    text += (await asyncio.to_thread(os.read, ours, 65536)).decode()
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)
                await process.wait()
        finally:
            os.close(ours)
            if process.returncode is None:
                process.kill()
        return text

    def matches(self, name: str) -> None:
        """The transcript since the last call is that of the golden file."""
        text, file = self._masked("\n".join(self.transcript)), GOLDEN / f"{name}.txt"
        self.transcript.clear()
        if UPDATE:
            file.write_text(text)
        assert file.exists(), f"{file} does not exist: UPDATE_GOLDEN=1 makes it"
        assert text == file.read_text()

    def of_user(self, *rules: Mapping[str, Any], within: str | None = None) -> "CommandLine":
        """For a user who has only the rights of these rules, in the whole cluster or one namespace.

        Its transcript is the same.
        """
        name = f"{self.namespace}-user"
        account = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        kind = "rbac.authorization.k8s.io"
        objects = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": self.namespace}},
            {"apiVersion": f"{kind}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)},
            {
                "apiVersion": f"{kind}/v1",
                "kind": "RoleBinding" if within else "ClusterRoleBinding",
                "metadata": {"name": name, **({"namespace": within} if within else {})},
                "roleRef": {"apiGroup": kind, "kind": "ClusterRole", "name": name},
                "subjects": [account],
            },
        ]
        self.api_server.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(objects))
        place = ("-n", within) if within else ("-A",)
        for rule in rules:
            kind = f"{rule['resources'][0]}.{rule['apiGroups'][0]}".rstrip(".")
            question = ("auth", "can-i", rule["verbs"][0], kind, f"--as=system:serviceaccount:{self.namespace}:{name}")
            while self.api_server.kubectl(*question, *place, check=False).stdout.strip() != "yes":
                time.sleep(0.05)  # until the API server has seen the binding
        token = self.api_server.kubectl("create", "token", name, "-n", self.namespace).stdout.strip()
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
        return replace(self, kubeconfig=_written(self.directory / "of-user.kubeconfig", config))

    def _masked(self, text: str) -> str:
        text = text.replace(self.namespace.removeprefix("test-"), "0" * 8).replace(str(self.directory), "/home/user")
        for pattern, mask in _MASKS:
            text = pattern.sub(mask, text)
        return text


@pytest.fixture
def cli(world: World, api_server: ApiServer, tmp_path: Path) -> CommandLine:
    """The command line of the administrator, in the test's namespace."""
    config = yaml.safe_load(api_server.kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = world.namespace
    kubeconfig = _written(tmp_path / "kubeconfig", config)
    now = datetime.now(UTC) + timedelta(minutes=90, seconds=10)
    return CommandLine(kubeconfig, world.namespace, now, tmp_path, api_server)


def _written(path: Path, config: Any) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path

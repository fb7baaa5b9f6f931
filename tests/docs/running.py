"""Runs the commands of pages in a folder of its own, and compares what they print.

In what a page shows, `…` stands for any text within a line, and on a line of its own for any number of lines; how many
spaces there are does not count.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.docs.commands import Command, commands
from tests.docs.reading import Block

PATIENCE_SECONDS = 120


def matches(shown: str, printed: str) -> bool:
    """Whether a command has printed what the page shows."""
    return re.fullmatch(_pattern(shown), _plain(printed)) is not None


class Reader:
    """Somebody who reads a page and does what it says, in `folder` with `environment`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)

    def follow(self, block: Block) -> None:
        """Save a block that is a file, and run the commands of one that is marked to be run."""
        if block.file is not None:
            (self._folder / block.file).write_text(block.text)
        elif block.mark in {"run", "simulate"}:
            for command in commands(block):
                self._run(block, command)

    def _run(self, block: Block, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        told = f"{block.place}\n$ {command.line}\n{done.stdout}"
        assert done.returncode == 0, told
        assert matches(command.printed, done.stdout), f"{told}\nbut the page shows\n{command.printed}"


def _plain(text: str) -> str:
    return "".join(" ".join(line.split()) + "\n" for line in text.strip().splitlines())


def _pattern(shown: str) -> str:
    return "".join(_pattern_of(line) for line in _plain(shown).splitlines())


def _pattern_of(line: str) -> str:
    return r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"

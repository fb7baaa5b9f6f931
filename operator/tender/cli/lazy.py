"""A group of commands that are imported when they are run, so that `tender --help` and completion stay quick.

Help and completion of the group itself need names and summaries only, which are given here; a test compares the
summaries with what the commands say of themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: what it does in a sentence, and the module of it if that is not named as the command is."""

    summary: str
    module: str = ""


class LazyGroup(click.Group):
    """A group of the commands in `entries`; each is an attribute of its module in `package`, named as the command."""

    def __init__(self, *arguments: Any, package: str, entries: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.entries = entries
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which they are shown."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now; None if there is none."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        attribute = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"{self._package}.{entry.module or attribute}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary.rstrip(".")) for name, entry in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin so."""
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

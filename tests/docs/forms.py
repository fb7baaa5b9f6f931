"""Whether a command line has a form that its program takes: the subcommand is there, and the options are.

For `tender` and this repository's own programs the answer comes from their parsers; for kubectl and helm from what they
print as help, asked once for each subcommand. Nothing is run.
"""

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click

from cluster.cli import parser as cluster_parser
from cluster.layout import REPOSITORY
from tender.cli import main as tender

UNCHECKED = frozenset({"cd", "curl", "docker", "eval", "grep", "mutmut", "python"})
"""Programs whose command lines are taken as they are."""


def refusal_of_own(words: Sequence[str]) -> str | None:
    """Why one of our own programs does not take these words; None if it does, or is none of ours."""
    program = words[0].rpartition("/")[2]
    if program == "tender":
        return _refused_by_click(words[1:])
    if program == "make":
        return _refused_by_make(words[1:])
    if program in {"python", "python3"} and len(words) > 1 and words[1] == "hack/cluster":
        return _refused_by_argparse(words[2:])
    return None


def refusal_of_tool(words: Sequence[str], program: Path) -> str | None:
    """Why kubectl or helm, at `program`, does not take these words; None if it does. `kubectl tender` is our own."""
    if words[:2] == ["kubectl", "tender"]:
        return refusal_of_own(words[1:])
    path, options = _split(words[1:])
    command = _command(program, path[:2])
    if command is None:
        return f"{words[0]} has no command {' '.join(path[:2])}"
    known = _help(program, command) + _options_of_all(program)
    unknown = [option for option in options if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known)]
    return f"{words[0]} {' '.join(command)} has no option {', '.join(unknown)}" if unknown else None


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that are no options, as far as they may name a command, and the options without their values."""
    path: list[str] = []
    options: list[str] = []
    value = False
    for word in words:
        if word == "--":
            break
        if value:
            value = False
        elif word.startswith("--"):
            options.append(word.partition("=")[0])
            value = not path and "=" not in word
        elif word.startswith("-") and len(word) > 1:
            options += [f"-{letter}" for letter in word[1:]]
            value = not path
        else:
            path.append(word)
    return path, options


def _command(program: Path, path: Sequence[str]) -> tuple[str, ...] | None:
    """The command that words begin with: two of them, or one."""
    for length in range(len(path), 0, -1):
        command = tuple(path[:length])
        usage = rf"^ *{program.name} {' '.join(map(re.escape, command))}\b"
        if re.search(usage, _help(program, command), re.MULTILINE):
            return command
    return None


@cache
def _help(program: Path, command: tuple[str, ...]) -> str:
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=False).stdout


@cache
def _options_of_all(program: Path) -> str:
    told_by = "options" if program.name == "kubectl" else "--help"
    return subprocess.run([program, told_by], capture_output=True, text=True, check=True).stdout


def _refused_by_click(words: Sequence[str]) -> str | None:
    command: click.Command = tender
    context = click.Context(command, info_name="tender")
    rest = list(words)
    try:
        while True:
            _, rest, _ = command.make_parser(context).parse_args(rest)
            if not isinstance(command, click.Group) or not rest:
                break
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command, context = found, click.Context(found, info_name=name, parent=context)
    except click.UsageError as error:
        return f"tender {' '.join(words)}: {error.format_message()}"
    return None


def _refused_by_make(words: Sequence[str]) -> str | None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    unknown = [word for word in words if "=" not in word and word not in targets]
    return f"make has no target {', '.join(unknown)}" if unknown else None


def _refused_by_argparse(words: Sequence[str]) -> str | None:
    try:
        cluster_parser().parse_args(list(words))
    except SystemExit as ended:
        return f"hack/cluster does not take {' '.join(words)}" if ended.code else None
    return None

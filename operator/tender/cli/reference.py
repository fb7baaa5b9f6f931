"""The reference of the command line, `docs/cli.md`, made from what the commands say of themselves.

`python -m tender.cli.reference FILE` writes it; the file is checked in, and a test compares it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tender.cli import main

_HEADER = """\
<!-- Made from the help of the commands by `make cli-reference`; change that, not this file. -->
# Command line

`tender` is part of the Python package (`pip install .`), and so is `kubectl-tender`: with both on the `PATH`,
`kubectl tender …` is the same program.

| | |
|---|---|
| which cluster | `--kubeconfig`, `--context`, `$KUBECONFIG`, `~/.kube/config`, as kubectl |
| which namespace | `-n`, else that of the context; `-A` for all where it makes sense |
| output | `-o table`, `wide` (more columns), `json`, `yaml`, and `name` for objects; what is not shown, and why, is \
told on the standard error |
| exit code | 0; 1 when the cluster, or the answer, says no; 2 when the command line is wrong; 130 after an interrupt |
| colours and live views | on a terminal only; no colours with `NO_COLOR` |
| completion | `source <(tender completion bash)`, also for zsh and fish; `kubectl tender` is completed by \
`kubectl_complete-tender` |
| rights | those of the user. Whoever may not read a part is shown the rest, and told which right is missing |
"""


def reference() -> str:
    """The whole text."""
    return "\n".join([_HEADER, *_sections(main, "tender")])


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """All commands with their full names, those of groups in the place of these."""
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {each}")
        elif command is not None:
            yield f"{name} {each}", command


def _sections(group: click.Group, name: str) -> Iterator[str]:
    for full_name, command in commands(group, name):
        settings = {"max_content_width": 100, "terminal_width": 100, **group.context_settings}
        text = command.get_help(click.Context(command, info_name=full_name, **settings))
        yield f"## {full_name}\n\n```\n{text}\n```\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference())

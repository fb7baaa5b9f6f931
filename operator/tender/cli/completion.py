"""`tender completion`, and the completion of `kubectl tender`.

kubectl asks a program named kubectl_complete-PLUGIN for what may follow the words so far, and reads its answer line by
line, with a last line of flags; ":4" says that there is no use in names of files.
"""

import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from tender.cli import main

_NO_FILES = ":4"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that makes a shell complete commands and options.

    \b
    Examples:
      source <(tender completion bash)
      tender completion zsh > "${fpath[1]}/_tender"
      tender completion fish > ~/.config/fish/completions/tender.fish
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(main, {}, "tender", "_TENDER_COMPLETE").source())


def completions(words: Sequence[str]) -> list[CompletionItem]:
    """What the last of these words, which follow `kubectl tender`, may become."""
    *before, incomplete = words or [""]
    return ShellComplete(main, {}, "kubectl tender", "").get_completions(before, incomplete)


def kubectl_complete() -> None:
    """The program kubectl_complete-tender."""
    for item in completions(sys.argv[1:]):
        click.echo(f"{item.value}\t{item.help}" if item.help else item.value)
    click.echo(_NO_FILES)

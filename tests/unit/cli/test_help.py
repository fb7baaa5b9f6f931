"""`tender --help`: quick, and true to what the commands say of themselves."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tender.cli import main
from tender.cli.lazy import LazyGroup

HEAVY = {"aiohttp", "kopf", "kubernetes", "numpy", "pydantic", "structlog", "yaml"}


def lazy_groups(group: click.Group) -> list[LazyGroup]:
    """The group and those below it whose commands are imported when they are run."""
    below = [command for command in commands(group) if isinstance(command, LazyGroup)]
    return [*([group] if isinstance(group, LazyGroup) else []), *below]


def commands(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    found = [group.get_command(context, name) for name in group.list_commands(context)]
    return [command for command in found if command is not None]


@pytest.mark.parametrize("group", lazy_groups(main), ids=lambda group: group.name)
def test_each_command_is_summed_up_in_the_first_sentence_of_its_own_help(group: LazyGroup):
    context = click.Context(group)
    for name, entry in group.entries.items():
        command = group.get_command(context, name)
        assert command is not None
        first, _, _ = (command.help or "").partition("\n\n")
        assert " ".join(first.split()) == entry.summary


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]):
    program = f"import sys; from tender.cli import main; main({arguments}, standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())


def test_completion_of_a_command_imports_nothing_heavy():
    program = "import sys, atexit; atexit.register(lambda: print(*sys.modules)); from tender.cli import main; main()"
    words = {"_TENDER_COMPLETE": "bash_complete", "COMP_WORDS": "tender ", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program.replace("main()", "main(prog_name='tender')")],
        env={**words, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    *completions, modules = done.stdout.splitlines()
    assert "plain,frameworks" in completions
    assert not HEAVY & set(modules.split())


def test_a_command_that_does_not_exist_is_a_usage_error():
    result = CliRunner().invoke(main, ["typo"])
    assert result.exit_code == 2
    assert "No such command 'typo'" in result.output

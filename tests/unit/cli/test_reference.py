"""docs/cli.md is what the commands say of themselves."""

from pathlib import Path

import pytest

from tender.cli import main
from tender.cli.reference import commands, reference

FILE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_reference_is_up_to_date():
    assert FILE.read_text() == reference(), "make cli-reference writes it anew"


@pytest.mark.parametrize(
    ("name", "command"), commands(main, "tender"), ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_command_for_people_has_examples(name: str, command: click.Command):
    if name not in {"tender master", "tender controller"}:
        assert name in (command.help or "").partition("Example")[2]

"""docs/cli.md is what the commands say of themselves."""

from pathlib import Path

import pytest

from tender.cli import main
from tender.cli.reference import commands, reference

FILE = Path(__file__).parents[3] / "docs" / "cli.md"
COMMANDS = dict(commands(main, "tender"))
FOR_PEOPLE = sorted(COMMANDS.keys() - {"tender master", "tender controller"})


def test_the_reference_is_up_to_date():
    assert FILE.read_text() == reference(), "make cli-reference writes it anew"


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_every_command_for_people_has_examples(name: str):
    assert name in (COMMANDS[name].help or "").partition("Example")[2]

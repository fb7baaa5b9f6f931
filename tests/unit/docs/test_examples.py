"""What the pages show of commands that need no cluster is so: scenarios end as shown, and our own programs take what
they are given.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from tests.docs.commands import Command, commands, inline_commands
from tests.docs.forms import UNCHECKED, refusal_of_own
from tests.docs.reading import PAGES, Page, blocks
from tests.docs.running import Reader, matches

from cluster.layout import REPOSITORY

TOOLS = {"kubectl", "helm"}
OWN = {"tender", "make", "python3"}
SCRIPTED = REPOSITORY / "docs" / "writing-a-framework.md"
"""Its shell is that of scripts, which a test of its own compares."""

SHOWN = [block for block in blocks("console", "sh") if block.page != SCRIPTED]


def test_worked_examples_end_as_shown(tmp_path: Path):
    page = Page(REPOSITORY / "docs" / "roles-and-quota.md")
    programs = Path(sys.executable).parent
    reader = Reader(tmp_path, {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    played = [block for block in page.blocks if block.file or block.mark == "simulate"]
    for block in played:
        reader.follow(block)
    assert len(played) >= 10


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.place)
def test_commands_call_programs_that_are_known_and_take_what_they_are_given(block):
    calls = [call for command in commands(block) for call in command.calls()]
    assert [call for call in calls if not is_known(call[0])] == []
    assert [why for call in calls if (why := refusal_of_own(call)) is not None] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_our_own_commands_within_the_text_are_there(path: Path):
    calls = [call for command in inline_commands(Page(path), ["make", "tender"]) for call in command.calls()]
    assert [why for call in calls if (why := refusal_of_own(call)) is not None] == []


def is_known(program: str) -> bool:
    return program.rpartition("/")[2] in TOOLS | OWN | UNCHECKED


def test_files_named_in_commands_are_there():
    missing = [
        f"{block.place}: {name}"
        for block in SHOWN
        for command in commands(block)
        for name in re.findall(r"(?:^|\s)((?:examples|charts|crds|hack|tests)/[\w./-]+)", command.line)
        if not (REPOSITORY / name).exists()
    ]
    assert missing == []


class TestReadingCommands:
    @pytest.mark.parametrize(
        ("line", "calls"),
        [
            ("kubectl get fw", [["kubectl", "get", "fw"]]),
            ("A=1 make demo > out.txt", [["make", "demo"]]),
            ("a b | grep c && d", [["a", "b"], ["grep", "c"], ["d"]]),
            ('eval "$(tender version)"', [["tender", "version"], ["eval", "$(tender version)"]]),
            ("make lint  # soon", [["make", "lint"]]),
        ],
    )
    def test_finds_the_programs_of_a_line(self, line: str, calls: list[list[str]]):
        assert list(Command(line, "").calls()) == calls

    def test_knows_commands_that_are_not_there(self):
        assert "No such command" in (refusal_of_own(["tender", "frob"]) or "")
        assert "No such option" in (refusal_of_own(["tender", "simulate", "--frob", "x"]) or "")
        assert refusal_of_own(["make", "frob"]) == "make has no target frob"
        assert refusal_of_own(["python3", "hack/cluster", "frob"]) is not None
        assert refusal_of_own(["tender", "simulate", "--trace", "x.yaml"]) is None


class TestComparing:
    @pytest.mark.parametrize(
        ("shown", "printed"),
        [
            ("NAME   AGE\nweb    …", "NAME  AGE\nweb   12s\n"),
            ("…\nlast", "first\nsecond\nlast\n"),
            ("…\nlast", "last\n"),
            ("first\n…", "first\n"),
            ("a (b) c…", "a (b) c [d]"),
        ],
    )
    def test_ellipses_stand_for_anything(self, shown: str, printed: str):
        assert matches(shown, printed)

    @pytest.mark.parametrize(("shown", "printed"), [("web …", "api 1"), ("a", "a\nb"), ("a…\nb", "a\nx\nb"), ("", "x")])
    def test_all_else_counts(self, shown: str, printed: str):
        assert not matches(shown, printed)

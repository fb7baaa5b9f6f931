"""What the pages give to kubectl and helm are commands and options that these have, and values that the chart takes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.chart.helm import Helm
from tests.docs.commands import commands, inline_commands
from tests.docs.forms import refusal_of_tool
from tests.docs.reading import PAGES, Block, Page, blocks

from cluster import tools
from cluster.testing import unavailable


def calls(block: Block, program: str) -> list[list[str]]:
    return [call for command in commands(block) for call in command.calls() if call[0] == program]


USING = {name: [block for block in blocks("console", "sh") if calls(block, name)] for name in ("kubectl", "helm")}
SHOWN = [(name, block) for name, found in USING.items() for block in found]


@pytest.fixture(params=["kubectl", "helm"])
def program(request: pytest.FixtureRequest) -> Path:
    return location(request.param)


def location(name: str) -> Path:
    found: Path = tools.location(name)
    if not found.exists():
        unavailable(f"not built yet: {name}; run `python3 hack/cluster build {name}`")
    return found


@pytest.mark.parametrize(("name", "block"), SHOWN, ids=lambda one: one.place if isinstance(one, Block) else one)
def test_commands_and_options_are_there(name: str, block: Block):
    program = location(name)
    assert [why for call in calls(block, name) if (why := refusal_of_tool(call, program)) is not None] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_within_the_text_are_there(path: Path):
    calls = [call for command in inline_commands(Page(path), USING) for call in command.calls() if call[0] in USING]
    assert [why for call in calls if (why := refusal_of_tool(call, location(call[0]))) is not None] == []


def test_what_is_not_there_is_noticed(program: Path):
    name = program.name
    assert refusal_of_tool([name, "frob"], program) == f"{name} has no command frob"
    assert refusal_of_tool([name, "get", "x", "--frob=1"], program) == f"{name} get has no option --frob"


@pytest.mark.parametrize("block", USING["helm"], ids=lambda block: block.place)
def test_the_chart_takes_the_values(tmp_path: Path, block: Block):
    helm = Helm(location("helm"), tmp_path)
    for call in calls(block, "helm"):
        if call[1] in {"install", "upgrade"}:
            assert helm.template(*values(call)).objects, call


def values(call: Sequence[str]) -> list[str]:
    """What a call sets."""
    found: list[str] = []
    for word, following in zip(call, [*call[1:], ""], strict=True):
        if word == "--set":
            found.append(following)
        elif word.startswith("--set="):
            found.append(word.removeprefix("--set="))
    return found

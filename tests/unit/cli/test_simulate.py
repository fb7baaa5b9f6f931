"""`tender simulate`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tender.cli import main

SCENARIOS = Path(__file__).parents[2] / "scenarios"
WRONG = """\
name: wrong
about: it expects what does not happen
steps:
- node: {name: n1, allocatable: {cpu: "2"}}
- framework: {name: f1, role: a}
- allocate: {}
  expect: {offers: {}}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments])


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return str(path)


def test_says_of_each_file_that_it_went_as_expected():
    files = sorted(str(file) for file in SCENARIOS.glob("*.yaml"))
    result = run(*files)
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.output.splitlines()] == files


def test_prints_what_did_not_hold_and_exits_with_1(wrong):
    result = run(wrong)
    assert result.exit_code == 1
    assert f"{wrong}: step 3 (allocate): " in result.output
    assert "as expected" not in result.output


def test_traces_every_step(wrong):
    output = run("--trace", wrong).output
    assert "f1 is offered 2 cpu on n1" in output
    assert "it expects what does not happen" in output


def test_traces_why_somebody_waits():
    output = run("--trace", str(SCENARIOS / "106-unschedulable-and-tainted-nodes.yaml")).output
    assert (
        "f1 is not offered 1 node (Tainted): taint dedicated=db:NoSchedule is not tolerated; "
        "add a toleration or take the taint off"
    ) in output


def test_traces_that_somebody_takes_no_part():
    output = run("--trace", str(SCENARIOS / "060-suppress-and-revive.yaml")).output
    assert "is offered nothing (Suppressed): the framework is suppressed" in output


def test_tells_everything_as_json(wrong):
    result = run("--json", wrong)
    (one,) = json.loads(result.output)
    assert result.exit_code == 1
    assert one["name"] == "wrong"
    assert one["steps"][2]["offers"] == {"f1": {"n1": {"cpu": "2"}}}
    assert len(one["failures"]) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("name: [", "broken.yaml"), ("name: a", "about is missing"), ("steps: [{nod: {}}]\nname: a\nabout: b", "step 1")],
)
def test_names_the_file_and_the_place_of_a_mistake(tmp_path, text, message):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    result = run(str(path))
    assert result.exit_code == 1
    assert "broken.yaml" in result.output
    assert message in result.output

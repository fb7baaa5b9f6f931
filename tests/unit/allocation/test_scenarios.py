"""Every scenario in tests/scenarios holds, and the format is read strictly."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tender.allocation.scenario import Play, play, read_scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
ORIGINALS = FOLDER.parents[2] / "shared" / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))


def play_document(document: Any, file: str = "test.yaml") -> Play:
    scenario = read_scenario(document, file)
    return play(scenario, Random(scenario.seed))


def play_steps(*steps: Any) -> Play:
    return play_document({"name": "test", "about": "a test", "steps": list(steps)})


class TestPublishedScenarios:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_hold(self, file):
        document = yaml.safe_load(file.read_text())
        assert play_document(document, file.name).failures() == []

    def test_are_as_they_were_agreed_upon(self):
        originals = {file.name: file.read_bytes() for file in ORIGINALS.glob("*")}
        assert originals == {file.name: file.read_bytes() for file in FOLDER.glob("*") if file.name in originals}

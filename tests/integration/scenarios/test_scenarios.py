"""The published scenarios on a real API server, with the master running: the same offers as from `tender simulate`."""

from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
import yaml
from tests.integration.conftest import ApiServer
from tests.integration.running.world import World
from tests.integration.scenarios.replay import replay

from tender.allocation.scenario import Scenario, play, read_scenario

FILES = {file.stem: file for file in sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))}

LEFT_OUT: dict[str, str] = {}
"""Scenarios that are not replayed, and why. There is none at this time."""

_DECLINED = "else a framework would be offered again what it has just declined for no time on its own node"
ONLY_NAMED_NODES = {
    "011-sorter-drf": _DECLINED,
    "012-weighted-drf": _DECLINED,
    "015-hierarchical-allocation": _DECLINED,
    "017-add-child-to-leaf": _DECLINED,
    "136-node-removed": "else two nodes would be in one offer, which has one answer, and one of them is to be claimed",
}
"""Scenarios in which cycles look only at the nodes that a step names, and why.

The master's own cycles look at all nodes, and so do those of all other scenarios here, whatever the steps say.
"""


def scenario_of(*steps: Any) -> Scenario:
    return read_scenario({"name": "test", "about": "a test", "steps": list(steps)}, "test.yaml")


class TestPublishedScenarios:
    @pytest.mark.parametrize("name", [name for name in FILES if name not in LEFT_OUT])
    async def test_hold_with_a_running_master(self, world: World, api_server: ApiServer, name: str):
        scenario = read_scenario(yaml.safe_load(FILES[name].read_text()), FILES[name].name)
        only_named = name in ONLY_NAMED_NODES
        assert await replay(scenario, world, api_server.kubeconfig, only_named_nodes=only_named) == []

    def test_are_all_replayed_but_for_those_that_are_listed(self):
        assert FILES
        assert LEFT_OUT.keys() | ONLY_NAMED_NODES.keys() <= FILES.keys()


class TestAClaimThatRefusesTheRest:
    """It is a filter for as long as it says, whatever becomes of what was claimed, and only for what was not taken."""

    WHOLE: ClassVar = {"cpu": "4", "memory": "4Gi"}
    REST: ClassVar = {"cpu": "3", "memory": "3Gi"}
    ONE: ClassVar = {"cpu": "1", "memory": "1Gi"}

    @pytest.fixture
    def scenario(self) -> Scenario:
        place = {"framework": "f1", "node": "n1"}
        return scenario_of(
            {"node": {"name": "n1", "allocatable": self.WHOLE}},
            {"framework": {"name": "f1", "role": "role1"}},
            {"allocate": {}, "expect": {"offers": {"f1": {"n1": self.WHOLE}}}},
            {"claim": {**place, "resources": self.ONE, "refuse": "1h"}},
            {"allocate": {}, "expect": {"offers": {}}},
            {"advance": "59m"},
            {"allocate": {}, "expect": {"offers": {}}},
            {"advance": "1m"},
            {"allocate": {}, "expect": {"offers": {"f1": {"n1": self.REST}}}},
            {"claim": {**place, "resources": self.ONE, "refuse": "1h"}},
            {"release": place},
            {"allocate": {}, "expect": {"offers": {"f1": {"n1": self.WHOLE}}}},
            {"decline": {**place, "refuse": "0s"}},
            {"use": {"node": "n1", "resources": {"cpu": "2", "memory": "2Gi"}}},
            {"allocate": {}, "expect": {"offers": {}}},
            {"revive": "f1"},
            {"allocate": {}, "expect": {"offers": {"f1": {"n1": {"cpu": "2", "memory": "2Gi"}}}}},
        )

    def test_holds_in_a_simulation(self, scenario: Scenario):
        assert play(scenario, Random(scenario.seed)).failures() == []

    async def test_holds_with_a_running_master(self, world: World, api_server: ApiServer, scenario: Scenario):
        assert await replay(scenario, world, api_server.kubeconfig) == []


class TestAReplay:
    async def test_tells_what_does_not_hold(self, world: World, api_server: ApiServer):
        two, four = {"cpu": "2", "memory": "2Gi"}, {"cpu": "4", "memory": "4Gi"}
        scenario = scenario_of(
            {"node": {"name": "n1", "allocatable": two}},
            {"framework": {"name": "f1", "role": "role1"}},
            {
                "allocate": {},
                "expect": {
                    "offers": {"f1": {"n1": four}},
                    "shares": {"role1": 0.5},
                    "order": [],
                    "rescinded": {"f1": 1},
                },
            },
            {"role": {"name": "role1", "weight": 0}},
            {"claim": {"framework": "f1", "node": "n1", "resources": two}, "expect": {"error": "offer"}},
        )
        failures = await replay(scenario, world, api_server.kubeconfig)
        made = {"cpu": "2", "memory": "2Gi", "pods": "110"}
        assert failures[:4] == [
            f"test.yaml: step 3 (allocate): offers: f1 on n1: expected {four}, got {made}",
            "test.yaml: step 3 (allocate): shares: role1: expected 0.5, got 1.0000",
            "test.yaml: step 3 (allocate): order: expected [], got ['f1']",
            "test.yaml: step 3 (allocate): rescinded: f1: expected 1, got 0",
        ]
        assert failures[4].startswith("test.yaml: step 4 (role): the step was refused: FrameworkRole.tender.dev")
        assert failures[5:] == [
            "test.yaml: step 5 (claim): error: expected the step to be refused with 'offer', and it was not"
        ]

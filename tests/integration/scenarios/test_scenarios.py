"""The published scenarios on a real API server, with the master running: the same offers as from `tender simulate`."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.conftest import ApiServer
from tests.integration.running.world import World
from tests.integration.scenarios.replay import replay

from tender.allocation.scenario import Scenario, read_scenario

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

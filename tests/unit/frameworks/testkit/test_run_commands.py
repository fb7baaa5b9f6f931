"""The example of a framework in Python, on a stage: how authors test theirs."""

from pathlib import Path

import pytest
import yaml

from run_commands import is_ours, plan
from tender.frameworks.testkit import Stage, framework

MANIFEST = Path(__file__).parents[4] / "examples" / "third-party" / "run-commands.yaml"


@pytest.fixture
def stage() -> Stage:
    """Three commands, two at a time."""
    return Stage(plan, yaml.safe_load(MANIFEST.read_text()))


def test_no_more_run_at_a_time_than_may(stage: Stage):
    stage.expect_demand({"command-0": 1, "command-1": 1})
    stage.offer("node-1", cpu="4")
    stage.expect_launched(2)
    stage.offer("node-2", cpu="4")
    stage.expect_declined()


def test_each_command_runs_once(stage: Stage):
    stage.offer("node-1")
    first, second = stage.expect_launched(2)
    stage.pods_run()
    stage.pod_succeeds(second)
    stage.expect_demand({"command-0": 1, "command-2": 1})
    stage.offer("node-2")
    [third] = stage.expect_launched(1, task="command-2")
    stage.pod_succeeds(first)
    stage.pod_succeeds(third)
    stage.expect_demand()
    stage.expect_state("Ready", "Done")
    stage.restart()
    stage.expect_nothing()


def test_a_command_that_fails_is_tried_again_after_a_while(stage: Stage):
    stage.offer("node-1")
    first, _ = stage.expect_launched(2)
    stage.pod_fails(first)
    stage.expect_nothing()
    stage.after(10)
    stage.expect_stopped(first)
    stage.offer("node-1")
    stage.expect_launched(1, task="command-0")


def test_a_lost_node_loses_no_command(stage: Stage):
    stage.offer("node-1")
    stage.expect_launched(2)
    stage.node_lost("node-1")
    stage.offer("node-2")
    stage.expect_launched(2, on="node-2")


@pytest.mark.parametrize("writes", range(6))
def test_a_crash_runs_nothing_twice(stage: Stage, writes: int):
    with stage.crash_after(writes=writes):
        stage.offer("node-1")
    stage.expect_pods(1, task="command-0")
    stage.expect_pods(1, task="command-1")


def test_frameworks_of_others_are_left_alone():
    assert not is_ours(framework("spark", external={}))

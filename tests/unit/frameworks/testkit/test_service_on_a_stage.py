"""The built-in service walked through its life with the test kit."""

import pytest

from tender.frameworks.service import plan_service
from tender.frameworks.testkit import Stage, framework, pod_template


@pytest.fixture
def stage() -> Stage:
    """A service of two pods that run."""
    stage = Stage(plan_service, framework("web", service={"replicas": 2, "template": pod_template()}))
    stage.expect_demand(2)
    stage.offer("node-1", "node-2", cpu="500m")
    stage.pods_run()
    stage.expect_launched(1, on="node-1")
    stage.expect_launched(1, on="node-2")
    stage.expect_state("Ready")
    return stage


class TestAService:
    def test_scales_up_and_down(self, stage: Stage):
        stage.apply({"service": {"replicas": 3}})
        stage.expect_demand(3)
        stage.offer("node-3")
        stage.pods_run()
        stage.expect_launched(1, on="node-3")
        stage.apply({"service": {"replicas": 1}})
        stage.expect_stopped(count=2)
        stage.expect_state("Ready")

    def test_rolls_one_for_one(self, stage: Stage):
        stage.apply({"service": {"template": pod_template(image="app:2")}})
        stage.expect_state("Reconciling", "RollingOut")
        for _ in range(2):
            stage.offer("node-3", cpu="500m")
            stage.pods_run()
            stage.expect_launched(1)
            stage.expect_stopped(count=1)
        stage.expect_state("Ready")

    def test_waits_after_a_failure_and_then_asks_again(self, stage: Stage):
        stage.pod_fails(stage.pods[0].metadata.name, reason="Evicted")
        stage.expect_event("PodFailed", "Evicted")
        offer = stage.offer("node-1")
        stage.expect_declined(offer)
        stage.after(10)
        stage.offer("node-1")
        stage.pods_run()
        stage.expect_launched(1)
        stage.expect_state("Ready")

    @pytest.mark.parametrize("writes", range(8))
    def test_t46_survives_a_crash_at_any_write_of_a_roll(self, stage: Stage, writes: int):
        stage.apply({"service": {"template": pod_template(image="app:2")}})
        with stage.crash_after(writes=writes):
            stage.offer("node-3", cpu="500m")
            stage.pods_run()
        stage.pods_run()
        stage.expect_pods(2)
        stage.offer("node-3", cpu="500m")
        stage.pods_run()
        stage.expect_pods(2)
        stage.expect_state("Ready", "AsSpecified")

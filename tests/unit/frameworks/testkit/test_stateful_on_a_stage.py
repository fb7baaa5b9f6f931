"""The built-in stateful service walked through its life with the test kit."""

from typing import Any

import pytest

from tender.frameworks.stateful import plan_stateful
from tender.frameworks.testkit import Stage, framework, pod_template


def spec(count: int = 2, image: str = "db:1") -> dict[str, Any]:
    """Pods of one set, each with a volume."""
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pods = {"name": "node", "count": count, "template": pod_template(image=image), "allowDecommission": True}
    return {"stateful": {"pods": [{**pods, "volumeClaimTemplates": [{"name": "data", "spec": storage}]}]}}


@pytest.fixture
def stage() -> Stage:
    """Two pods that run, one after the other, on the nodes that are offered."""
    stage = Stage(plan_stateful, framework("db", **spec()))
    deploy(stage)
    return stage


def deploy(stage: Stage) -> None:
    """Offer and run until nothing more comes."""
    for number in range(4):
        stage.offer(f"node-{number % 2}", cpu="500m", memory="128Mi")
        stage.pods_run()


class TestAStatefulService:
    def test_keeps_places_and_volumes_for_its_pods(self, stage: Stage):
        stage.expect_state("Ready")
        assert [pod.metadata.name for pod in stage.expect_pods(2)] == ["db-node-0", "db-node-1"]
        assert stage.object("PersistentVolumeClaim", "data-db-node-1") is not None
        stage.expect_kept("Reservation")
        stage.expect_demand()

    def test_t18_a_pod_that_fails_comes_back_in_its_place_without_an_offer(self, stage: Stage):
        node = stage.pod("db-node-0").spec.node_name
        stage.pod_fails("db-node-0")
        stage.after(60)
        stage.pods_run()
        stage.after(60)
        assert stage.pod("db-node-0").spec.node_name == node
        stage.expect_state("Ready")

    def test_t23_pods_beyond_the_count_leave_nothing(self, stage: Stage):
        stage.apply(spec(count=1))
        stage.after(60)
        stage.expect_pods(1)
        assert stage.object("PersistentVolumeClaim", "data-db-node-1") is None
        stage.expect_state("Ready")

    @pytest.mark.parametrize("writes", range(16))
    def test_t46_survives_a_crash_at_any_write_of_its_deployment(self, writes: int):
        stage = Stage(plan_stateful, framework("db", **spec()))
        with stage.crash_after(writes=writes):
            deploy(stage)
        deploy(stage)
        stage.expect_pods(2)
        stage.expect_state("Ready")

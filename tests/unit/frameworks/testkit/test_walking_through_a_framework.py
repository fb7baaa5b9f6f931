"""The test kit on a small external framework: offers, ends of pods and nodes, changes, restarts and crashes."""

import pytest
from tests.unit.frameworks.testkit.workers import plan_workers, workers

from tender.frameworks.testkit import Stage, Unmet, framework


def stage_of(count: int = 2, **options: bool) -> Stage:
    """A stage with a framework of so many workers."""
    return Stage(plan_workers, framework("mine", external={}, **workers(count)), **options)


@pytest.fixture
def stage() -> Stage:
    return stage_of()


@pytest.fixture
def running(stage: Stage) -> Stage:
    """Two workers that run on node-1."""
    stage.offer("node-1")
    stage.pods_run()
    stage.expect_launched(2)
    return stage


class TestOffers:
    def test_the_demand_is_declared_before_anything_is_offered(self, stage: Stage):
        stage.expect_demand(worker=2)
        stage.expect_demand(2)
        stage.expect_kept("ConfigMap", "mine-workers")
        stage.expect_state("Reconciling", "Incomplete")

    def test_an_offer_is_claimed_and_launched_from_in_one_go(self, stage: Stage):
        offer = stage.offer("node-1", cpu="4", memory="8Gi")
        stage.expect_claimed("node-1", tasks={"worker": 2})
        names = stage.expect_launched(2, task="worker", on="node-1")
        assert [stage.pod(name).spec.node_name for name in names] == ["node-1", "node-1"]
        stage.expect_state("Ready")
        assert stage.object("ResourceOffer", offer) is None

    def test_of_several_nodes_each_takes_what_fits(self, stage: Stage):
        stage.offer("node-1", "node-2", cpu="1", memory="1Gi")
        stage.expect_claimed("node-1", tasks={"worker": 1})
        stage.expect_claimed("node-2", tasks={"worker": 1})
        stage.expect_claimed(tasks={"worker": 2})

    def test_one_that_is_too_small_is_declined_and_comes_to_its_end_with_the_refusal(self, stage: Stage):
        offer = stage.offer("node-1", cpu="500m")
        stage.expect_declined(offer, seconds=120)
        stage.after(119)
        assert stage.object("ResourceOffer", offer) is not None
        stage.after(1)
        assert stage.object("ResourceOffer", offer) is None

    def test_one_that_is_rescinded_before_the_controller_looks_is_no_use(self, stage: Stage):
        with stage.at_once():
            stage.offer_rescinded(stage.offer("node-1"))
        stage.expect_demand(2)
        stage.expect_launched(0)

    def test_one_that_is_answered_too_late_launches_nothing(self, stage: Stage):
        with stage.losing_answers():
            stage.offer("node-1")
        stage.expect_launched(0)
        stage.offer("node-1")
        stage.expect_launched(2)

    def test_a_claim_that_is_not_launched_returns_after_a_minute(self, stage: Stage):
        with stage.refusing_pods("exceeded quota"):
            offer = stage.offer("node-1")
            stage.expect_launched(0)
            stage.expect_state("Stalled", "LaunchRefused")
            stage.after(61)
        assert stage.object("ResourceOffer", offer) is None
        stage.offer("node-1")
        stage.expect_launched(2)


class TestPodsAndNodes:
    def test_a_pod_that_fails_is_removed_told_of_and_asked_for_again(self, running: Stage):
        name = running.pods[0].metadata.name
        running.pod_fails(name, reason="Evicted")
        running.expect_event("WorkerEnded", name)
        running.expect_stopped(name)
        running.offer("node-2")
        running.expect_launched(1, on="node-2")

    def test_a_pod_that_vanishes_is_asked_for_again(self, running: Stage):
        running.pod_vanishes(running.pods[0].metadata.name)
        running.expect_pods(1)
        running.expect_demand(worker=2)
        running.offer("node-2")
        running.expect_pods(2)
        running.expect_pods(1, on="node-2", task="worker")

    def test_a_pod_that_is_not_ready_yet_runs_all_the_same(self, stage: Stage):
        stage.offer("node-1")
        first, second = stage.expect_launched(2)
        stage.pod_runs(first, ready=False)
        stage.pod_runs(second)
        assert [stage.pod(name).ready for name in (first, second)] == [False, True]
        stage.container_restarts(second, "main", exit_code=3)
        [container] = stage.pod(second).status.container_statuses
        assert container.restart_count == 1
        assert container.last_state.terminated is not None
        assert container.last_state.terminated.exit_code == 3

    def test_pods_on_a_silent_node_are_not_ready_and_do_not_end(self, running: Stage):
        running.node_silent("node-1")
        assert not any(pod.ready for pod in running.pods)
        running.apply(workers(1))
        [stopped] = running.expect_stopped(count=1)
        assert running.pod(stopped).leaving
        running.node("node-1")
        running.expect_nothing()
        assert len(running.pods) == 1

    def test_a_lost_node_takes_its_pods_with_it(self, running: Stage):
        running.node_lost("node-1")
        running.expect_pods(0)
        running.expect_demand(worker=2)

    def test_pods_that_linger_stay_until_they_are_told_to_go(self):
        stage = stage_of(linger=True)
        stage.offer("node-1")
        stage.pods_run()
        stage.expect_launched(2)
        stage.apply(workers(0))
        for name in stage.expect_stopped(count=2):
            stage.pod_vanishes(name)
        stage.expect_nothing()
        assert stage.pods == ()


class TestChanges:
    def test_of_the_spec_raise_its_generation_and_are_acted_on(self, running: Stage):
        before = running.framework.metadata.generation
        running.apply(workers(0))
        assert running.framework.metadata.generation == (before or 0) + 1
        running.expect_stopped(count=2)
        running.expect_removed("ConfigMap", "mine-workers")
        running.expect_demand()
        running.expect_status(observedGeneration=2)

    def test_of_other_objects_are_seen_as_well(self, running: Stage):
        running.remove("ConfigMap", "mine-workers")
        assert running.expect_kept("ConfigMap")["data"] == {"for": "workers"}


class TestAController:
    def test_that_restarts_finds_everything_as_it_was(self, running: Stage):
        running.restart()
        running.expect_nothing()

    @pytest.mark.parametrize("writes", range(7))
    def test_that_ends_after_any_number_of_writes_doubles_and_loses_nothing(self, stage: Stage, writes: int):
        with stage.crash_after(writes=writes) as crash:
            stage.offer("node-1")
        assert crash.happened or writes > 3, "the claim, two pods, and the status that says so"
        stage.expect_pods(2)
        stage.pods_run()
        stage.expect_state("Ready")
        stage.restart()
        stage.expect_nothing()


class TestWhatIsLookedAt:
    def test_an_expectation_sees_all_that_was_sent_before_it_since_the_last_one(self, stage: Stage):
        stage.offer("node-1", cpu="1")
        stage.offer("node-2", cpu="1")
        stage.expect_launched(2)
        stage.expect_claimed("node-1")

    def test_what_is_sent_after_an_expectation_begins_a_new_paragraph(self, running: Stage):
        running.restart()
        with pytest.raises(Unmet):
            running.expect_launched(2)

"""Pauses, forced steps, several plans at once, and what people are told."""

import pytest
from tests.unit.frameworks.stateful.courses import active, course, message_of, phase, steps

from tender.api.stateful import PlanStatus, StatefulStatus
from tender.frameworks.stateful.course import Phase, Run, Step, recorded_runs
from tender.frameworks.stateful.following import follow, follow_all
from tender.frameworks.stateful.overrides import Overrides

NONE = Overrides()


class TestPause:
    PLAN = Overrides(paused=frozenset({"deploy"}))
    PHASE = Overrides(paused=frozenset({"deploy/nodes"}))

    @pytest.mark.parametrize("overrides", [PLAN, PHASE])
    def test_nothing_begins(self, overrides):
        progress = follow(course(phase("c..", strategy="Parallel")), overrides)
        assert progress.active == ()
        assert progress.state == "Waiting"
        assert "Resume lets it go on" in progress.status.message

    @pytest.mark.parametrize("overrides", [PLAN, PHASE])
    def test_what_has_begun_is_not_interrupted(self, overrides):
        assert active(course(phase(".s.", strategy="Parallel")), overrides) == ["node-1"]

    def test_a_failed_step_is_not_tried_again(self):
        assert active(course(phase("d.")), self.PLAN) == []

    def test_a_pause_holds_for_the_next_revision_too(self):
        assert active(course(token="v2"), self.PLAN) == []

    def test_other_phases_of_the_plan_go_on(self):
        other = phase("..", name="others", pods="data")
        progress = follow(course(phase("..."), other, strategy="Parallel"), self.PHASE)
        assert progress.active == (("others", "data-0"),)
        assert progress.state == "InProgress"
        assert [part.status for part in progress.status.phases] == ["Waiting", "InProgress"]

    def test_a_complete_plan_stays_complete(self):
        progress = follow(course(phase("cc")), self.PLAN)
        assert progress.state == "Complete"
        assert progress.status.message == ""


class TestForcedSteps:
    FORCED = Overrides(forced=frozenset({"deploy/nodes/node-0@v1"}))

    @pytest.mark.parametrize("state", [".", "s", "d", "e"])
    def test_a_forced_step_counts_as_complete(self, state):
        progress = follow(course(phase(f"{state}.")), self.FORCED)
        assert progress.active == (("nodes", "node-1"),)
        assert progress.status.phases[0].complete == 1
        assert message_of(progress, "node-0") == "taken for complete by request"

    def test_it_counts_for_its_revision_alone(self):
        assert active(course(phase("e."), token="v2"), self.FORCED) == []


class TestStates:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ("", "Complete"),
            ("cc", "Complete"),
            ("..", "InProgress"),
            ("c.", "InProgress"),
            ("s.", "InProgress"),
            ("d.", "InProgress"),
            ("ce", "Error"),
            ("se", "Error"),
        ],
    )
    def test_a_plan_stands_where_its_steps_stand(self, states, expected):
        progress = follow(course(phase(states)), NONE)
        assert progress.state == expected
        assert progress.status.phases[0].status == expected

    def test_a_plan_whose_pods_are_all_busy_is_pending(self):
        assert follow(course(phase("..")), NONE, {"node-0": "plan deploy"}).state == "Pending"

    def test_a_plan_that_was_not_started_is_pending_and_says_how_to_start_it(self):
        progress = follow(course(phase(".."), name="backup", token=None), NONE)
        assert progress.active == ()
        assert progress.state == "Pending"
        assert progress.status.message == "not started: a plan request Start begins it"

    def test_a_plan_of_no_pods_that_was_not_started_is_not_complete(self):
        progress = follow(course(phase(""), name="backup", token=None), NONE)
        assert progress.state == "Pending"
        assert progress.status.phases[0].status == "Pending"

    def test_the_message_names_the_steps_that_have_failed(self):
        failing = Phase(
            "nodes", "Parallel", (Step("node-0", "Delayed", "again at 12:00"), Step("node-1", "Error", "no"))
        )
        assert (
            follow(course(failing), NONE).status.message == "step nodes/node-1: no; step nodes/node-0: again at 12:00"
        )

    def test_of_many_failed_steps_it_names_a_few(self):
        message = follow(course(phase("eeeee")), NONE).status.message
        assert message.endswith("step nodes/node-2: Error; 2 more steps have failed")

    def test_of_many_steps_those_that_are_not_complete_are_shown_first(self):
        shown = follow(course(Phase("nodes", "Serial", steps("c" * 40 + ".."))), NONE).status.phases[0]
        assert (shown.complete, shown.total, len(shown.steps)) == (40, 42, 32)
        assert [step.name for step in shown.steps[:3]] == ["node-40", "node-41", "node-0"]

    def test_long_messages_are_cut_to_what_the_status_takes(self):
        long = Phase("nodes", "Serial", (Step("node-0", "Error", "x" * 5000),))
        status = follow(course(long), NONE).status
        PlanStatus.model_validate(status.manifest())
        assert status.message.endswith("…")

    def test_the_run_is_recorded_with_its_plan_and_found_again(self):
        run = Run("backup", "monday", 1000.0, {"BUCKET": "b"})
        status = follow(course(name="backup", token="monday", run=run), NONE).status
        again = PlanStatus.model_validate(status.manifest())
        assert recorded_runs(_status(again)) == {"backup": run}

    def test_a_run_that_is_recorded_as_complete_has_ended(self):
        run = Run("backup", "monday", 1000.0)
        status = follow(course(phase("cc"), name="backup", token="monday", run=run), NONE).status
        assert recorded_runs(_status(status))["backup"].ended


class TestSeveralPlans:
    def test_a_pod_that_an_earlier_plan_is_at_work_on_is_busy_for_later_ones(self):
        deploy = course(phase("s.."))
        recovery = course(phase("..", strategy="Parallel"), name="recovery")
        first, second = follow_all((deploy, recovery), NONE)
        assert first.active == (("nodes", "node-0"),)
        assert second.active == (("nodes", "node-1"),)
        assert message_of(second, "node-0") == "waits for plan deploy, which is at work on this pod"

    def test_t22_a_pod_whose_turn_in_the_rollout_has_not_come_can_be_recovered_meanwhile(self):
        recovery = course(Phase("node-2", "Serial", (Step("node-2", "Pending"),)), name="recovery")
        assert [one.active for one in follow_all((course(phase("s..")), recovery), NONE)] == [
            (("nodes", "node-0"),),
            (("node-2", "node-2"),),
        ]

    def test_a_pod_that_a_later_plan_has_begun_with_goes_to_the_earlier_one(self):
        recovery = course(phase("s"), name="recovery")
        first, second = follow_all((course(phase("..")), recovery), NONE)
        assert first.active == (("nodes", "node-0"),)
        assert second.active == ()

    def test_a_paused_plan_leaves_its_pods_to_the_others(self):
        recovery = course(phase("."), name="recovery")
        _, second = follow_all((course(phase("..")), recovery), Overrides(paused=frozenset({"deploy"})))
        assert second.active == (("nodes", "node-0"),)

    def test_a_paused_plan_keeps_the_pods_that_it_has_begun_with(self):
        recovery = course(phase("."), name="recovery")
        paused = Overrides(paused=frozenset({"deploy"}))
        first, second = follow_all((course(phase("ss")), recovery), paused)
        assert (first.active, second.active) == ((("nodes", "node-0"),), ())

    def test_a_side_task_does_not_begin_while_another_one_uses_the_room_of_the_pod(self):
        backup = course(phase(".", name="backup", task="backup"), name="backup", token="b1")
        repair = course(phase("s", name="repair", task="repair"), name="repair", token="r1")
        first, second = follow_all((backup, repair), NONE)
        assert (first.active, second.active) == ((), (("repair", "node-0"),))
        assert message_of(first, "node-0") == "waits for plan repair, which is at work on this pod"

    def test_a_side_task_does_not_hold_up_its_pod_in_an_earlier_plan(self):
        backup = course(phase("s", name="backup", task="backup"), name="backup", token="b1")
        first, _ = follow_all((course(phase(".")), backup), NONE)
        assert first.active == (("nodes", "node-0"),)

    def test_what_still_runs_of_a_stopped_plan_keeps_its_pod(self):
        backup = course(phase("s.", name="backup", task="backup"), name="backup", token=None)
        repair = course(phase("..", name="repair", strategy="Parallel", task="repair"), name="repair", token="r1")
        assert [one.active for one in follow_all((backup, repair), NONE)] == [(), (("repair", "node-1"),)]

    def test_two_phases_of_a_plan_are_not_at_work_on_one_pod_at_once(self):
        both = course(phase(".."), phase("..", name="again", strategy="Parallel"), strategy="Parallel")
        progress = follow(both, NONE)
        assert progress.active == (("nodes", "node-0"), ("again", "node-1"))
        assert message_of(progress, "node-0") == ""
        assert progress.status.phases[1].steps[0].message == "waits for phase nodes, which is at work on this pod"


def _status(*plans):
    return StatefulStatus(plans=plans)

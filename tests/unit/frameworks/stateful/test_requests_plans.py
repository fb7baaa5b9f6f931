"""What is asked of plans: what each action does, and what is refused."""

import pytest
from tests.unit.frameworks.stateful.courses import (
    ask,
    course,
    phase,
    plan_request,
    refusal,
    results,
    taken_up,
)

from tender.api.stateful import RequestResult, StatefulStatus
from tender.frameworks.stateful.course import Run
from tender.frameworks.stateful.following import follow
from tender.frameworks.stateful.orders import Order, Records
from tender.frameworks.stateful.overrides import Overrides

NOT_STARTED = course(phase("..", name="copy", task="backup"), name="backup", token=None)
RUN = Run("backup", "monday", 500.0, {"BUCKET": "b", "LEVEL": "full"})
RUNNING = course(phase("c.", name="copy", task="backup"), name="backup", token="monday", run=RUN)


class TestStart:
    def test_t29_a_plan_is_started_with_its_defaults_and_what_the_request_sets(self):
        start = plan_request("monday", "Start", "backup", parameters={"BUCKET": "b"})
        answers = ask(start, courses=[NOT_STARTED], now=1000.7)
        assert results(answers) == ["monday Done"]
        assert answers.runs == {"backup": Run("backup", "monday", 1000.0, {"BUCKET": "b", "LEVEL": "full"})}

    def test_what_runs_already_is_not_started_again(self):
        answers = ask(plan_request("b", "Start", "backup"), courses=[RUNNING], runs={"backup": RUN})
        assert refusal(answers) == (
            "plan backup runs already, by request monday: wait until it is complete, or Stop it first"
        )
        assert answers.runs == {"backup": RUN}

    def test_what_is_complete_can_be_started_again(self):
        ended = Run("backup", "monday", 500.0, ended=True)
        answers = ask(plan_request("tuesday", "Start", "backup"), courses=[RUNNING], runs={"backup": ended})
        assert answers.runs["backup"].id == "tuesday"
        assert not answers.runs["backup"].ended

    def test_several_plans_run_at_once(self):
        repair = course(name="repair", token=None)
        answers = ask(
            plan_request("r", "Start", "repair"),
            courses=[RUNNING, repair],
            runs={"backup": RUN},
            parameters={"backup": {}, "repair": {}},
        )
        assert sorted(answers.runs) == ["backup", "repair"]

    def test_unknown_parameters_are_refused(self):
        start = plan_request("m", "Start", "backup", parameters={"BUCKTE": "b"})
        assert refusal(ask(start, courses=[NOT_STARTED])) == "plan backup has no parameter BUCKTE: it has BUCKET, LEVEL"

    def test_parameters_are_refused_where_they_would_not_count(self):
        pause = plan_request("m", "Pause", parameters={"BUCKET": "b"})
        assert refusal(ask(pause)) == "parameters are for Start: Pause takes none"

    @pytest.mark.parametrize("action", ["Start", "Stop"])
    @pytest.mark.parametrize("plan", ["deploy", "recovery"])
    def test_plans_that_are_followed_on_their_own_are_not_started_or_stopped(self, action, plan):
        answers = ask(plan_request("m", action, plan), courses=[course(name=plan), NOT_STARTED])
        assert refusal(answers) == f"plan {plan} is followed on its own: {action} is for backup"

    def test_a_single_phase_is_not_started(self):
        start = plan_request("m", "Start", "backup", phase="copy")
        assert "Start is for whole plans" in refusal(ask(start, courses=[NOT_STARTED]))


class TestStop:
    def test_the_run_is_over(self):
        answers = ask(plan_request("s", "Stop", "backup"), courses=[RUNNING], runs={"backup": RUN})
        assert results(answers) == ["s Done"]
        assert answers.runs == {}

    def test_what_does_not_run_is_not_stopped(self):
        stop = plan_request("s", "Stop", "backup")
        assert refusal(ask(stop, courses=[NOT_STARTED])) == "plan backup does not run: it was not started"
        ended = {"backup": Run("backup", "monday", 500.0, ended=True)}
        assert refusal(ask(stop, courses=[RUNNING], runs=ended)) == "plan backup does not run: it is complete"

    def test_a_run_of_a_plan_that_is_not_in_the_spec_any_more_is_over(self):
        assert ask(courses=[course()], runs={"backup": RUN}, parameters={}).runs == {}


class TestPauseAndResume:
    def test_a_pause_stays_until_resume(self):
        answers = ask(plan_request("p", "Pause"))
        assert answers.overrides.paused == {"deploy"}
        answers = ask(plan_request("r", "Resume"), overrides=answers.overrides)
        assert answers.overrides == Overrides()

    def test_a_phase_is_paused_alone(self):
        answers = ask(plan_request("p", "Pause", phase="nodes"))
        assert answers.overrides.paused == {"deploy/nodes"}
        assert ask(plan_request("r", "Resume", phase="nodes"), overrides=answers.overrides).overrides == Overrides()

    def test_resume_of_the_plan_resumes_its_phases_too(self):
        paused = Overrides(paused=frozenset({"deploy", "deploy/nodes", "recovery"}))
        answers = ask(plan_request("r", "Resume"), overrides=paused, courses=[course(), course(name="recovery")])
        assert answers.overrides.paused == {"recovery"}

    def test_a_plan_can_be_paused_before_it_is_started(self):
        answers = ask(plan_request("p", "Pause", "backup"), plan_request("s", "Start", "backup"), courses=[NOT_STARTED])
        assert answers.overrides.holds("backup")
        assert "backup" in answers.runs

    def test_steps_are_not_paused_one_by_one(self):
        pause = plan_request("p", "Pause", phase="nodes", step="node-0")
        assert refusal(ask(pause)) == "Pause is for plans and phases: leave out step node-0"

    def test_no_phase_of_a_plan_is_taken_for_a_pod(self):
        pause = plan_request("p", "Pause", "pod", phase="nodes")
        assert "can be paused as a whole only" in refusal(ask(pause, courses=[course(name="pod")]))

    def test_more_pauses_than_the_status_takes_are_refused(self):
        phases = [phase("", name=f"p{number}") for number in range(129)]
        full = Overrides(paused=frozenset(f"deploy/p{number}" for number in range(128)))
        answers = ask(plan_request("p", "Pause", phase="p128"), courses=[course(*phases)], overrides=full)
        assert refusal(answers) == ("status.stateful.paused would have 129 entries and takes 128: Resume others first")
        assert answers.overrides == full


class TestCanaries:
    CANARY = course(phase("...", strategy="SerialCanary"))

    def test_the_first_resume_lets_one_step_go_and_the_second_the_rest(self):
        one = ask(plan_request("r1", "Resume"), courses=[self.CANARY]).overrides
        assert one.fields() == {"resumed": ["deploy/nodes@v1=1"]}
        two = ask(plan_request("r2", "Resume"), courses=[self.CANARY], overrides=one).overrides
        assert two.fields() == {"resumed": ["deploy/nodes@v1=all"]}

    def test_two_requests_at_once_let_all_go(self):
        answers = ask(plan_request("r1", "Resume"), plan_request("r2", "Resume"), courses=[self.CANARY])
        assert answers.overrides.fields() == {"resumed": ["deploy/nodes@v1=all"]}

    def test_steps_that_were_complete_from_the_start_are_no_canary(self):
        grown = course(phase("cc..", strategy="SerialCanary"))
        overrides = ask(plan_request("r1", "Resume"), courses=[grown]).overrides
        assert overrides.fields() == {"resumed": ["deploy/nodes@v1=3"]}
        assert follow(grown, overrides).active == (("nodes", "node-2"),)

    def test_resume_of_a_paused_canary_undoes_the_pause_alone(self):
        paused = Overrides(paused=frozenset({"deploy"}))
        assert ask(plan_request("r", "Resume"), courses=[self.CANARY], overrides=paused).overrides == Overrides()

    def test_resume_of_the_plan_lets_only_canaries_go_on_that_wait(self):
        phases = [phase("..", name=name, strategy="SerialCanary", pods=name) for name in ("a", "b")]
        overrides = ask(plan_request("r", "Resume"), courses=[course(*phases)]).overrides
        assert overrides.fields() == {"resumed": ["deploy/a@v1=1"]}

    def test_resume_of_a_phase_counts_before_its_turn_has_come(self):
        phases = [phase("..", name=name, strategy="SerialCanary", pods=name) for name in ("a", "b")]
        overrides = ask(plan_request("r", "Resume", phase="b"), courses=[course(*phases)]).overrides
        assert overrides.fields() == {"resumed": ["deploy/b@v1=1"]}

    def test_resume_of_what_waits_for_nothing_changes_nothing(self):
        answers = ask(plan_request("r", "Resume"))
        assert results(answers) == ["r Done"]
        assert answers.overrides == Overrides()

    def test_a_new_run_does_not_go_by_what_is_seen_of_the_former_one(self):
        former = course(phase("cc", strategy="SerialCanary", task="x"), name="backup", token="monday", run=RUN)
        answers = ask(
            plan_request("tuesday", "Start", "backup"),
            plan_request("r", "Resume", "backup"),
            courses=[former],
            runs={"backup": Run("backup", "monday", 0.0, ended=True)},
        )
        assert answers.overrides.fields() == {"resumed": ["backup/nodes@tuesday=1"]}


class TestForceComplete:
    def test_a_step_is_forced(self):
        answers = ask(plan_request("f", "ForceComplete", phase="nodes", step="node-1"))
        assert answers.overrides.forced == {"deploy/nodes/node-1@v1"}

    def test_all_steps_of_a_phase_or_plan_are_forced_that_are_not_complete(self):
        plan = course(phase("ce."), phase(".", name="others"))
        assert ask(plan_request("f", "ForceComplete", phase="nodes"), courses=[plan]).overrides.forced == {
            "deploy/nodes/node-1@v1",
            "deploy/nodes/node-2@v1",
        }
        assert len(ask(plan_request("f", "ForceComplete"), courses=[plan]).overrides.forced) == 3

    def test_steps_of_a_plan_that_was_not_started_are_not_forced(self):
        answers = ask(plan_request("f", "ForceComplete", "backup"), courses=[NOT_STARTED])
        assert refusal(answers) == "plan backup was not started: there is nothing to force"

    def test_steps_of_a_plan_that_was_just_started_are_forced_for_that_run(self):
        answers = ask(
            plan_request("tuesday", "Start", "backup"),
            plan_request("f", "ForceComplete", "backup", phase="copy", step="node-0"),
            courses=[RUNNING],
            runs={"backup": Run("backup", "monday", 0.0, ended=True)},
        )
        assert answers.overrides.forced == {"backup/copy/node-0@tuesday"}

    def test_more_steps_than_the_status_takes_are_refused(self):
        answers = ask(plan_request("f", "ForceComplete"), courses=[course(phase("." * 257))])
        assert "status.stateful.forced would have 257 entries and takes 256" in refusal(answers)
        assert answers.overrides == Overrides()


class TestRestart:
    def test_a_custom_plan_as_a_whole_runs_anew_with_the_same_parameters(self):
        forced = Overrides(forced=frozenset({"backup/copy/node-1@monday"}))
        answers = ask(
            plan_request("again", "Restart", "backup"), courses=[RUNNING], runs={"backup": RUN}, overrides=forced
        )
        assert answers.runs == {"backup": Run("backup", "again", 1000.0, RUN.parameters)}
        assert answers.orders == ()
        assert answers.overrides == Overrides()

    def test_a_custom_plan_that_was_not_started_is_not_restarted(self):
        answers = ask(plan_request("again", "Restart", "backup"), courses=[NOT_STARTED])
        assert refusal(answers) == "plan backup was not started: there is nothing to restart"

    def test_its_steps_are_done_again_when_the_records_of_their_pods_say_so(self):
        ended = Run("backup", "monday", 500.0, ended=True)
        done = course(phase("cc", name="copy", task="backup"), name="backup", token="monday", run=ended)
        again = plan_request("again", "Restart", "backup", phase="copy", step="node-1")
        records: Records = {"node-0": (), "node-1": ()}
        first = ask(again, courses=[done], runs={"backup": ended}, records=records)
        assert first.orders == (Order("node-1", "Restart", "plan/again", "backup"),)
        assert (first.results, first.runs) == ((), {"backup": ended})
        second = ask(again, courses=[done], runs={"backup": ended}, records=taken_up(first.orders))
        assert results(second) == ["again Done"]
        assert second.orders == ()
        assert not second.runs["backup"].ended

    def test_pods_of_a_rollout_are_restarted_by_orders_to_each(self):
        plan = course(phase("c.e"), phase("c", name="again"))
        forced = Overrides(forced=frozenset({"deploy/nodes/node-2@v1"}))
        restart = plan_request("r", "Restart")
        first = ask(restart, courses=[plan], overrides=forced, records={f"node-{index}": [] for index in range(3)})
        assert [order.instance for order in first.orders] == ["node-0", "node-1", "node-2"]
        assert first.overrides == forced
        second = ask(restart, courses=[plan], overrides=forced, records=taken_up(first.orders))
        assert results(second) == ["r Done"]
        assert second.overrides == Overrides()

    def test_a_pod_that_was_never_begun_needs_no_restart(self):
        assert results(ask(plan_request("r", "Restart"), records={})) == ["r Done"]

    def test_what_was_decommissioned_is_not_restarted(self):
        answers = ask(plan_request("r", "Restart", "decommission"), courses=[course(name="decommission")])
        assert "cannot be restarted" in refusal(answers)

    def test_later_requests_wait_until_its_orders_are_recorded(self):
        answers = ask(
            plan_request("a", "Pause"),
            plan_request("r", "Restart"),
            plan_request("b", "Resume"),
            records={"node-0": []},
        )
        assert results(answers) == ["a Done"]
        assert answers.overrides.paused == {"deploy"}

    def test_its_orders_wait_until_earlier_results_are_recorded(self):
        requests = (plan_request("a", "Pause"), plan_request("r", "Restart"))
        assert ask(*requests, records={"node-0": []}).orders == ()
        recorded = StatefulStatus(plan_requests=(RequestResult(id="a", result="Done"),), paused=("deploy",))
        assert ask(*requests, records={"node-0": []}, status=recorded).orders == (Order("node-0", "Restart", "plan/r"),)


class TestNames:
    """A request that names something that is not there is refused, and told what there is."""

    def test_an_unknown_plan(self):
        answers = ask(plan_request("x", "Pause", "update"), courses=[course(), NOT_STARTED])
        assert refusal(answers) == "there is no plan update: there are deploy, backup"

    def test_an_unknown_phase(self):
        assert refusal(ask(plan_request("x", "Pause", phase="seeds"))) == (
            "plan deploy has no phase seeds: it has nodes"
        )

    def test_an_unknown_step(self):
        force = plan_request("x", "ForceComplete", phase="nodes", step="node-9")
        assert refusal(ask(force)) == ("phase nodes of plan deploy has no step node-9: it has node-0, node-1, node-2")

    def test_a_step_without_its_phase(self):
        force = plan_request("x", "ForceComplete", step="node-0")
        assert refusal(ask(force)) == "step node-0 of plan deploy: name its phase too"

    def test_of_many_names_some_are_told(self):
        force = plan_request("x", "ForceComplete", phase="nodes", step="node-99")
        message = refusal(ask(force, courses=[course(phase("." * 30))]))
        assert message.endswith("node-8, node-9 and 20 more")

    def test_a_refused_request_does_not_hold_up_the_next(self):
        answers = ask(plan_request("x", "Pause", "update"), plan_request("y", "Pause"))
        assert results(answers) == ["x Refused", "y Done"]
        assert answers.overrides.paused == {"deploy"}


class TestResults:
    def test_results_of_requests_that_are_gone_from_the_spec_go_too(self):
        recorded = StatefulStatus(plan_requests=tuple(RequestResult(id=id_, result="Done") for id_ in ("a", "b")))
        assert results(ask(plan_request("b", "Pause"), status=recorded)) == ["b Done"]

    def test_a_request_that_has_a_result_is_not_carried_out_again(self):
        recorded = StatefulStatus(plan_requests=(RequestResult(id="a", result="Done"),))
        answers = ask(plan_request("a", "Pause"), status=recorded)
        assert answers.overrides == Overrides()
        assert results(answers) == ["a Done"]

    def test_what_was_refused_stays_refused(self):
        before = RequestResult(id="a", result="Refused", message="there is no plan x")
        answers = ask(plan_request("a", "Pause"), status=StatefulStatus(plan_requests=(before,)))
        assert answers.results == (before,)

"""Which steps may go on, by the strategies of their phase and plan."""

import pytest
from tests.unit.frameworks.stateful.courses import active, course, phase

from tender.frameworks.stateful.following import follow
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.strategies import in_order

NOTHING: list[str] = []


def resumed(**steps: int | None) -> Overrides:
    """Canaries of plan deploy let go on, by phase."""
    return Overrides(resumed={f"deploy/{name}@v1": count for name, count in steps.items()})


class TestSerial:
    def test_the_first_step_that_is_not_complete_goes_first(self):
        assert active(course(phase("c..."))) == ["node-1"]

    def test_what_has_begun_is_finished_first(self):
        assert active(course(phase("..s."))) == ["node-2"]

    def test_of_several_that_have_begun_one_goes_on(self):
        assert active(course(phase(".ss"))) == ["node-1"]

    @pytest.mark.parametrize(("states", "expected"), [("d..", ["node-0"]), ("e..", NOTHING), ("ce.", NOTHING)])
    def test_a_step_that_has_failed_holds_those_after_it(self, states, expected):
        assert active(course(phase(states))) == expected

    def test_a_pod_that_others_are_at_work_on_holds_those_after_it(self):
        assert active(course(phase("...")), busy={"node-0": "plan recovery"}) == NOTHING


class TestParallel:
    def test_all_go_at_once(self):
        assert active(course(phase("c.sd", strategy="Parallel"))) == ["node-1", "node-2", "node-3"]

    def test_a_step_that_has_failed_holds_nobody(self):
        assert active(course(phase("e..", strategy="Parallel"))) == ["node-1", "node-2"]

    def test_a_pod_that_others_are_at_work_on_holds_nobody_else(self):
        assert active(course(phase("...", strategy="Parallel")), busy={"node-0": "x"}) == ["node-1", "node-2"]


class TestCanaries:
    @pytest.mark.parametrize("strategy", ["SerialCanary", "ParallelCanary"])
    def test_nothing_begins_before_the_canary_is_resumed(self, strategy):
        progress = follow(course(phase("...", strategy=strategy)), Overrides())
        assert progress.active == ()
        assert progress.state == "Waiting"
        assert progress.status.message == ("phase nodes waits for a plan request Resume, which lets node-0 alone begin")

    @pytest.mark.parametrize("strategy", ["SerialCanary", "ParallelCanary"])
    def test_resumed_once_the_first_step_alone_is_done(self, strategy):
        assert active(course(phase("...", strategy=strategy)), resumed(nodes=1)) == ["node-0"]
        progress = follow(course(phase("c..", strategy=strategy)), resumed(nodes=1))
        assert progress.active == ()
        assert progress.state == "Waiting"
        assert "lets the others begin" in progress.status.message

    def test_resumed_twice_the_rest_goes_one_after_the_other(self):
        assert active(course(phase("c...", strategy="SerialCanary")), resumed(nodes=None)) == ["node-1"]

    def test_resumed_twice_the_rest_goes_at_once(self):
        assert active(course(phase("c...", strategy="ParallelCanary")), resumed(nodes=None)) == [
            "node-1",
            "node-2",
            "node-3",
        ]

    def test_a_canary_that_has_failed_is_no_reason_to_wait_for_resume(self):
        progress = follow(course(phase("d..", strategy="SerialCanary")), resumed(nodes=1))
        assert progress.state == "InProgress"
        assert progress.active == (("nodes", "node-0"),)

    def test_steps_that_had_begun_go_on(self):
        assert active(course(phase(".s.", strategy="SerialCanary"))) == ["node-1"]

    def test_what_was_let_go_for_one_revision_does_not_count_for_the_next(self):
        changed = course(phase("...", strategy="SerialCanary"), token="v2")
        assert active(changed, resumed(nodes=None)) == NOTHING

    def test_a_phase_whose_turn_has_not_come_does_not_wait_yet(self):
        later = phase("...", name="later", strategy="SerialCanary", pods="data")
        progress = follow(course(phase("..."), later), Overrides())
        assert [part.status for part in progress.status.phases] == ["InProgress", "Pending"]
        assert progress.status.message == ""


class TestRandom:
    def test_one_goes_after_the_other_in_an_order_that_a_restart_does_not_change(self):
        random = phase("........", strategy="Random")
        order = [step.name for step in in_order(random, "v1")]
        assert sorted(order) == [step.name for step in random.steps]
        assert active(course(random)) == order[:1]
        assert [step.name for step in in_order(random, "v1")] == order

    def test_another_run_has_another_order(self):
        random = phase("........", strategy="Random")
        assert len({tuple(in_order(random, f"run-{number}")) for number in range(5)}) == 5


class TestPhases:
    FIRST = phase("c.", name="first", pods="a")
    SECOND = phase("..", name="second", pods="b")

    def test_serial_phases_go_one_after_the_other(self):
        assert active(course(self.FIRST, self.SECOND)) == ["a-1"]
        assert active(course(phase("cc", name="first", pods="a"), self.SECOND)) == ["b-0"]

    def test_parallel_phases_go_at_once(self):
        assert active(course(self.FIRST, self.SECOND, strategy="Parallel")) == ["a-1", "b-0"]

    def test_a_phase_goes_when_all_that_it_depends_on_is_complete(self):
        last = phase(".", name="last", pods="c", depends_on=("first", "second"))
        assert active(course(last, self.FIRST, self.SECOND, strategy="Dependency")) == ["a-1", "b-0"]
        done = [phase("c", name=name, pods=name) for name in ("first", "second")]
        assert active(course(last, *done, strategy="Dependency")) == ["c-0"]

    def test_dependencies_do_not_count_in_other_strategies(self):
        odd = phase(".", name="odd", depends_on=("nobody",))
        assert active(course(odd)) == ["node-0"]

    def test_a_phase_that_depends_on_nothing_known_is_an_error(self):
        progress = follow(course(phase(".", depends_on=("seeds",)), strategy="Dependency"), Overrides())
        assert progress.state == "Error"
        assert progress.active == ()
        assert progress.status.message == (
            "phase nodes depends on seeds, which plan deploy does not have: it has nodes"
        )

    def test_phases_that_depend_on_each_other_are_an_error(self):
        circle = [
            phase(".", name="a", depends_on=("b",)),
            phase(".", name="b", depends_on=("a",)),
            phase(".", name="c"),
        ]
        progress = follow(course(*circle, strategy="Dependency"), Overrides())
        assert progress.state == "Error"
        assert progress.active == ()
        assert progress.status.message.startswith("phases a, b depend on each other in a circle")

    def test_a_phase_of_no_pods_is_complete(self):
        assert active(course(phase("", name="none"), self.SECOND)) == ["b-0"]

    def test_what_has_begun_out_of_turn_goes_on(self):
        assert active(course(self.FIRST, phase("s.", name="second", pods="b"))) == ["a-1", "b-0"]

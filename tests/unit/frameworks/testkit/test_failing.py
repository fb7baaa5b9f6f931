"""How scripts of the test kit fail: what was expected, what was written instead, and how things stand."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.frameworks.testkit.workers import plan_workers, workers

from tender.api.conditions import State
from tender.frameworks.sdk import Launch, Plan, Planner, Seen
from tender.frameworks.testkit import BrokenRule, Stage, Unmet, Unrest, framework


def stage_of(planner: Planner = plan_workers) -> Stage:
    return Stage(planner, framework("mine", external={}, **workers(2)))


class TestAnExpectationThatIsNotMet:
    def test_says_what_was_expected_what_was_written_and_how_things_stand(self):
        stage = stage_of()
        stage.expect_demand(2)
        stage.offer("node-1", cpu="1")
        with pytest.raises(Unmet) as failure:
            stage.expect_launched(2)
        assert str(failure.value).splitlines() == [
            "expected: 2 pods launched, not 1",
            "written instead:",
            "  claim ResourceOffer mine-o1 for {'worker': 1} on node-1",
            "  launch Pod mine-o1-0-0 on node-1",
            "  status Framework mine with demand {'worker': 2}",
            "how things stand: framework mine is Reconciling (Incomplete): some miss",
            "  pod mine-o1-0-0 on node-1: Pending",
        ]

    @pytest.mark.parametrize(
        ("expectation", "message"),
        [
            (lambda stage: stage.expect_claimed("node-1"), "a claim on node-1 for some task"),
            (lambda stage: stage.expect_claimed(tasks={"worker": 1}), "a claim for {'worker': 1}"),
            (lambda stage: stage.expect_declined("mine-o1"), "offer mine-o1 declined"),
            (lambda stage: stage.expect_stopped("mine-o1-0-0"), "these pods stopped: mine-o1-0-0"),
            (lambda stage: stage.expect_stopped(count=1), "1 pod stopped, not 0"),
            (lambda stage: stage.expect_kept("Reservation"), "Reservation of any name kept"),
            (lambda stage: stage.expect_removed("Reservation", "a"), "Reservation a removed"),
            (lambda stage: stage.expect_demand(), "the demand {}, not {'worker': 2}"),
            (lambda stage: stage.expect_demand(3), "a demand of 3 in all, not {'worker': 2}"),
            (lambda stage: stage.expect_pods(1, on="node-1"), "1 pod on node-1, not 0"),
            (lambda stage: stage.expect_state("Ready"), "state Ready"),
            (lambda stage: stage.expect_state("Reconciling", "Else"), "state Reconciling (Else)"),
            (lambda stage: stage.expect_status(replicas=1), "the status {'replicas': 1}, not {'replicas': None}"),
            (lambda stage: stage.expect_event("Ended"), "an event Ended with ''; told was nothing"),
            (lambda stage: stage.expect_nothing(), "nothing written"),
        ],
    )
    def test_names_it(self, expectation: Callable[[Stage], Any], message: str):
        with pytest.raises(Unmet) as failure:
            expectation(stage_of())
        assert str(failure.value).splitlines()[0] == f"expected: {message}"

    def test_of_something_that_is_not_there_names_what_is(self):
        stage = stage_of()
        stage.offer("node-1")
        with pytest.raises(LookupError, match="there is no Pod else; there are: mine-o1-0-0, mine-o1-0-1"):
            stage.pod_fails("else")


def changing_pods(change: Callable[[dict[str, Any]], None]) -> Planner:
    """A planner whose pods' template is spoilt."""

    def plan(seen: Seen) -> Plan:
        planned = plan_workers(seen)
        [shape] = planned.shapes
        template = {"metadata": {}, "spec": dict(shape.template["spec"])}
        change(template)
        return dataclasses.replace(planned, shapes=(dataclasses.replace(shape, template=template),))

    return plan


class TestARule:
    def test_of_the_api_server_is_kept_by_a_status(self):
        def plan(seen: Seen) -> Plan:
            return dataclasses.replace(plan_workers(seen), status={"replicas": -1})

        with pytest.raises(BrokenRule, match=r"refuses the status of Framework mine(.|\n)*replicas"):
            stage_of(plan)

    def test_lets_no_pod_take_more_than_was_claimed_for_it(self):
        def larger(template: dict[str, Any]) -> None:
            template["spec"]["containers"] = [{"name": "a", "resources": {"requests": {"cpu": "3"}}}]

        stage = stage_of(changing_pods(larger))
        with pytest.raises(
            BrokenRule, match="takes 3 of cpu on node-1, of which the claim of offer mine-o1 has 2 left"
        ):
            stage.offer("node-1")

    def test_lets_no_pod_be_launched_without_room(self):
        def plan(seen: Seen) -> Plan:
            planned = plan_workers(seen)
            return dataclasses.replace(planned, launches=planned.launches or _launch_of_its_own(seen))

        with pytest.raises(BrokenRule, match=r"names no offer .* takes 1 of cpu on node-1, where Reservations keep 0"):
            stage_of(plan)

    def test_has_what_is_kept_belong_to_the_framework(self):
        def plan(seen: Seen) -> Plan:
            foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
            return dataclasses.replace(plan_workers(seen), keep=(foreign,))

        with pytest.raises(BrokenRule, match="ConfigMap a is not the framework's: give it an ownerReference"):
            stage_of(plan)

    def test_has_only_some_kinds_kept(self):
        def plan(seen: Seen) -> Plan:
            return dataclasses.replace(plan_workers(seen), keep=({"kind": "Secret", "metadata": {"name": "a"}},))

        with pytest.raises(BrokenRule, match="Secret a cannot be kept: the kinds that can are Reservation, "):
            stage_of(plan)


class TestTurnsWithoutAnEnd:
    def test_are_noticed(self):
        def plan(seen: Seen) -> Plan:
            ready = {one.type: one.status for one in seen.framework.status.conditions}.get("Ready")
            state: State = "Reconciling" if ready == "True" else "Ready"
            return dataclasses.replace(plan_workers(seen), state=(state, "Else", "something else"))

        with pytest.raises(Unrest, match="framework mine has taken 100 turns"):
            stage_of(plan)


def _launch_of_its_own(seen: Seen) -> tuple[Launch, ...]:
    owner = seen.framework.metadata
    metadata = {
        "name": "own",
        "namespace": owner.namespace,
        "labels": {"tender.dev/framework": owner.name},
        "ownerReferences": [{"kind": "Framework", "name": owner.name, "uid": owner.uid, "controller": True}],
    }
    container = {"name": "a", "resources": {"requests": {"cpu": "1"}}}
    spec = {"nodeName": "node-1", "containers": [container]}
    return (Launch("", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),)

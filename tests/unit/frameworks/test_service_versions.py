"""Versions of a service: what is recorded, what a rollback brings back (T13), what changes nothing (T8), and pauses."""

from typing import Any

from tests.builders import template
from tests.unit.frameworks.world import ServiceWorld, running

from tender.frameworks.sdk.templates import template_revision

ONE, TWO, THREE = (template(image=f"app:{version}") for version in (1, 2, 3))


def rolled(world: ServiceWorld, *templates: dict[str, Any]) -> ServiceWorld:
    for each in templates:
        world.change(template=each)
        world.settle()
    return world


class TestRecords:
    def test_each_version_is_recorded_under_the_framework_s_name_with_the_next_number(self):
        world = rolled(running(1, ONE), TWO)
        assert world.numbers == [1, 2]
        names = {one.metadata.name for one in world.revisions.values()}
        assert all(name.startswith("web-") and len(name) <= 63 for name in names)
        (owner,) = {one.metadata.owner_references for one in world.revisions.values()}
        assert [(one.kind, one.controller) for one in owner] == [("Framework", True)]

    def test_the_status_names_the_one_that_is_rolled_out(self):
        world = rolled(running(1, ONE), TWO)
        assert (world.service.status.version, world.service.status.revision) == (2, template_revision(TWO))

    def test_a_version_is_asked_to_be_recorded_until_it_is_seen(self):
        world = running(1, ONE)
        world.revisions.clear()
        assert [manifest["kind"] for manifest in world.plan().keep] == ["ControllerRevision"]
        assert "version" not in world.plan().status
        world.step()
        assert world.plan().keep == ()

    def test_a_version_that_comes_back_gets_the_highest_number(self):
        world = rolled(running(1, ONE), TWO, ONE)
        assert world.numbers == [2, 3]
        assert world.service.status.version == 3

    def test_constraints_and_strategies_make_a_version_and_restart_nothing(self):
        world = running(2, ONE)
        pods = set(world.pods)
        world.change(constraints=[{"key": "metadata.name", "operator": "MaxPer", "value": "2"}])
        world.settle()
        assert (world.numbers, set(world.pods)) == ([1, 2], pods)

    def test_the_number_of_replicas_makes_none(self):
        world = running(2, ONE)
        world.change(replicas=3)
        world.settle()
        assert world.numbers == [1]

    def test_only_so_many_former_versions_are_kept(self):
        world = running(1, ONE, revisionHistoryLimit=2)
        rolled(world, *(template(image=f"app:{number}") for number in range(2, 7)))
        assert world.numbers == [4, 5, 6]

    def test_and_never_too_few_to_replace_what_runs(self):
        world = running(2, ONE, revisionHistoryLimit=0, killSelection="OldestFirst")
        world.change(template=TWO)
        world.step()
        world.start_one()
        world.change(template=THREE)
        world.step()
        world.step()
        assert len(world.numbers) == 3
        world.settle()
        world.step()
        assert world.numbers == [3]


class TestT8NothingChanged:
    def test_t8_applying_the_same_again_restarts_nothing(self):
        world = running(3, ONE)
        pods = dict(world.pods)
        world.change(template={"spec": dict(reversed(ONE["spec"].items())), "metadata": ONE["metadata"]})
        plan = world.step()
        assert (world.pods, plan.state[0], world.numbers) == (pods, "Ready", [1])

    def test_t8_nor_do_defaults_that_are_written_out(self):
        world = running(3, ONE)
        pods = dict(world.pods)
        world.change(
            template={
                "apiVersion": "v1",
                "kind": "Pod",
                **ONE,
                "metadata": {**ONE["metadata"], "creationTimestamp": None},
            },
            updateStrategy={"minimumHealth": "100%", "maximumOver": 1},
            backoff={"initial": "1s", "factor": 2, "maximum": "5m"},
            unreachable={"inactiveAfter": "0s", "expungeAfter": "0s"},
            constraints=[],
            paused=False,
            revisionHistoryLimit=10,
            killSelection="YoungestFirst",
        )
        plan = world.step()
        assert (world.pods, plan.state[0], world.numbers, plan.keep) == (pods, "Ready", [1], ())

    def test_t8_nor_fields_that_are_null(self):
        world = running(1, ONE)
        world.change(template={**ONE, "spec": {**ONE["spec"], "affinity": None}})
        assert world.plan().state[0] == "Ready"


class TestT13Rollback:
    def test_t13_brings_the_version_of_that_number_back_in_place_of_what_the_spec_says(self):
        world = rolled(running(3, ONE), TWO)
        world.change(rollbackTo=1)
        assert world.settle().state[0] == "Ready"
        assert world.revisions_of_pods == [template_revision(ONE)] * 3
        assert (world.service.status.version, world.numbers) == (1, [1, 2])

    def test_t13_in_the_middle_of_a_change_keeps_the_pods_that_were_not_exchanged(self):
        world = running(4, ONE)
        before = set(world.pods)
        world.change(template=TWO)
        for _ in range(3):
            world.step()
            world.start_one()
        kept = before & set(world.pods)
        assert 0 < len(kept) < 4
        world.change(rollbackTo=1)
        world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 4
        assert kept <= set(world.pods)

    def test_t13_brings_the_strategies_back_too_but_not_the_replicas(self):
        world = running(2, ONE, constraints=[{"key": "metadata.name", "operator": "MaxPer", "value": "5"}])
        world.change(template=TWO, constraints=None, replicas=3)
        world.settle()
        world.change(rollbackTo=1)
        (shape,) = world.plan().shapes
        assert ([one.operator for one in shape.constraints], world.spec.replicas) == (["MaxPer"], 3)
        world.settle()
        assert len(world.live) == 3

    def test_t13_ends_when_the_field_is_taken_away(self):
        world = rolled(running(2, ONE), TWO)
        world.change(rollbackTo=1)
        world.settle()
        world.change(rollbackTo=None)
        world.settle()
        assert world.revisions_of_pods == [template_revision(TWO)] * 2
        assert world.service.status.version == 2

    def test_t13_to_a_number_that_is_not_there_stalls_and_leaves_what_runs(self):
        world = rolled(running(2, ONE), TWO)
        pods = dict(world.pods)
        world.change(rollbackTo=7)
        plan = world.step()
        assert plan.state[:2] == ("Stalled", "NoSuchVersion")
        assert "there is no version 7, recorded are 1, 2" in plan.state[2]
        assert world.pods == pods

    def test_t13_and_lost_pods_are_replaced_by_what_ran(self):
        world = rolled(running(2, ONE), TWO)
        world.change(rollbackTo=7)
        world.step()
        world.vanish("web-3")
        world.step()
        assert world.revisions_of_pods == [template_revision(TWO)] * 2

    def test_t13_the_version_gone_back_to_is_not_forgotten(self):
        world = running(1, ONE, revisionHistoryLimit=1)
        rolled(world, TWO)
        world.change(rollbackTo=1)
        world.settle()
        assert 1 in world.numbers


class TestPause:
    def paused(self) -> ServiceWorld:
        world = running(3, ONE)
        world.change(template=TWO, paused=True)
        world.step()
        return world

    def test_exchanges_no_pod(self):
        world = self.paused()
        plan = world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 3
        assert plan.state[:2] == ("Reconciling", "Paused")
        assert "spec.service.paused" in plan.state[2]
        assert plan.status["version"] == 1

    def test_lost_pods_are_replaced_by_the_version_that_ran(self):
        world = self.paused()
        for name in list(world.pods):
            world.vanish(name)
        world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 3

    def test_scaling_goes_on_with_it(self):
        world = self.paused()
        world.change(replicas=5)
        world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 5
        world.change(replicas=1)
        world.settle()
        assert len(world.live) == 1

    def test_in_the_midst_of_a_change_the_new_pods_stay_too(self):
        world = running(3, ONE)
        world.change(template=TWO)
        for _ in range(3):
            world.step()
            world.start_one()
        before = dict(world.pods)
        world.change(paused=True)
        world.settle()
        assert world.pods.keys() == before.keys()
        assert len(set(world.revisions_of_pods)) == 2

    def test_ends_where_it_began(self):
        world = self.paused()
        world.change(paused=False)
        assert world.settle().state[0] == "Ready"
        assert world.revisions_of_pods == [template_revision(TWO)] * 3

    def test_does_not_matter_to_a_service_that_is_as_specified(self):
        world = running(2, ONE, paused=True)
        assert world.plan().state[0] == "Ready"

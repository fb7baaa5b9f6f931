"""What a service wants next: replicas, a change rolled out one for one, failures waited out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOON, external, framework, pod, seen, template
from tests.unit.frameworks.world import ServiceWorld, running

from tender.api.names import LABEL_REVISION
from tender.frameworks.sdk import Plan
from tender.frameworks.sdk.templates import template_revision
from tender.frameworks.service import plan_service

OLD, NEW, NEWER = (template(image=f"app:{version}") for version in (1, 2, 3))


def stopped(plan: Plan) -> list[str]:
    return [stop.pod for stop in plan.stops]


def wanted(plan: Plan) -> int:
    (shape,) = plan.shapes
    return shape.count


class TestScale:
    def test_a_new_service_wants_all_its_replicas(self):
        plan = plan_service(seen(framework(replicas=3, service=OLD)))
        (shape,) = plan.shapes
        assert (shape.name, shape.count) == (template_revision(OLD), 3)
        assert shape.requests == {"cpu": 500, "memory": 128 * 1024**2, "pods": 1}

    def test_more_replicas_are_wanted_in_all_and_nothing_is_stopped(self):
        world = running(3, OLD)
        world.change(replicas=5)
        assert (wanted(world.plan()), stopped(world.plan())) == (5, [])

    def test_fewer_replicas_stop_pods_that_are_not_ready_first(self):
        world = running(3, OLD)
        world.change(replicas=4)
        world.step()
        assert world.ready == 3
        world.change(replicas=3)
        assert stopped(world.plan()) == ["web-4"]

    def test_then_the_youngest(self):
        world = running(2, OLD)
        world.now += 60
        world.change(replicas=4)
        world.settle()
        world.change(replicas=1)
        assert set(stopped(world.plan())) > {"web-3", "web-4"}
        assert len(stopped(world.plan())) == 3

    def test_pods_of_the_same_age_go_in_a_fixed_order(self):
        world = running(3, OLD)
        world.change(replicas=1)
        assert stopped(world.plan()) == ["web-3", "web-2"]

    def test_no_replicas_stop_all_and_want_nothing(self):
        world = running(3, OLD)
        world.change(replicas=0)
        assert len(stopped(world.plan())) == 3
        assert wanted(world.plan()) == 0
        world.settle()
        assert world.plan().state[:2] == ("Ready", "AsSpecified")

    def test_pods_being_deleted_are_replaced_at_once_and_not_stopped_again(self):
        leaving = pod(revision=template_revision(OLD), deleted=NOON)
        plan = plan_service(seen(framework(replicas=1, service=OLD), leaving))
        assert (wanted(plan), stopped(plan), plan.status["replicas"]) == (1, [], 0)


def never_more_than_one_extra_nor_fewer_ready(replicas: int):
    def check(world: ServiceWorld) -> None:
        assert len(world.live) <= replicas + 1
        assert world.ready >= replicas

    return check


class TestRollingChange:
    @pytest.mark.parametrize("replicas", [1, 2, 5])
    def test_exchanges_pods_one_for_one(self, replicas):
        world = running(replicas, OLD)
        world.check = never_more_than_one_extra_nor_fewer_ready(replicas)
        world.change(template=NEW)
        world.settle()
        assert world.revisions_of_pods == [template_revision(NEW)] * replicas

    def test_waits_for_a_new_pod_to_be_ready(self):
        world = running(3, OLD)
        world.change(template=NEW)
        world.step()
        assert (wanted(world.plan()), stopped(world.plan()), len(world.live)) == (1, [], 4)

    def test_removes_old_pods_that_are_not_ready_at_once(self):
        world = running(3, OLD)
        world.change(replicas=4)
        world.step()
        world.change(template=NEW)
        assert stopped(world.plan()) == ["web-4"]

    def test_a_second_change_in_its_midst_ends_with_the_newest_pods_only(self):
        world = running(4, OLD)
        world.check = never_more_than_one_extra_nor_fewer_ready(4)
        world.change(template=NEW)
        for _ in range(3):
            world.step()
            world.start_one()
        world.change(template=NEWER)
        world.settle()
        assert world.revisions_of_pods == [template_revision(NEWER)] * 4

    def test_going_back_in_its_midst_keeps_the_pods_that_were_not_exchanged_yet(self):
        world = running(4, OLD)
        before = set(world.pods)
        world.change(template=NEW)
        for _ in range(4):
            world.step()
            world.start_one()
        assert 0 < len(before & set(world.pods)) < 4
        kept = before & set(world.pods)
        world.change(template=OLD)
        world.settle()
        assert world.revisions_of_pods == [template_revision(OLD)] * 4
        assert kept <= set(world.pods)

    @pytest.mark.parametrize("replicas", [0, 1, 7])
    def test_may_be_scaled_in_its_midst(self, replicas):
        world = running(4, OLD)
        world.change(template=NEW)
        for _ in range(3):
            world.step()
            world.start_one()
        world.change(replicas=replicas)
        world.settle()
        assert world.revisions_of_pods == [template_revision(NEW)] * replicas

    def test_labels_and_annotations_are_part_of_the_revision(self):
        changed = template()
        changed["metadata"] = {"labels": {"app": "web"}, "annotations": {"checksum": "1"}}
        assert template_revision(changed) != template_revision(template())

    def test_what_pods_do_not_take_from_the_template_is_not(self):
        filled_in = {"apiVersion": "v1", "kind": "Pod", **template()}
        filled_in["metadata"] = {**filled_in["metadata"], "creationTimestamp": None}
        assert template_revision(filled_in) == template_revision(template())


changes = st.one_of(
    st.tuples(st.just("replicas"), st.integers(0, 5)),
    st.tuples(st.just("template"), st.sampled_from([OLD, NEW, NEWER])),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("step"), st.none()),
    st.tuples(st.just("fail"), st.integers(0, 10)),
)


@settings(deadline=None)
@given(st.lists(changes, max_size=25))
def test_whatever_happens_on_the_way_a_service_ends_as_specified(happenings):
    world = running(3, OLD)
    for what, value in happenings:
        match what:
            case "replicas":
                world.change(replicas=value)
            case "template":
                world.change(template=value)
            case "start":
                world.start_one()
            case "step":
                world.step()
            case "fail" if world.live:
                world.fail(world.live[value % len(world.live)].metadata.name)
        world.now += 0.5
    world.step()
    world.now += 600
    plan = world.settle()
    assert plan.state[:2] == ("Ready", "AsSpecified")
    service = world.service.spec.service
    assert service is not None
    assert world.revisions_of_pods == [template_revision(service.template)] * service.replicas
    assert world.ready == service.replicas


class TestFailures:
    def test_a_failed_pod_is_removed_and_its_replacement_waits_a_second(self):
        world = running(2, OLD)
        world.fail("web-1")
        plan = world.step()
        assert stopped(plan) == ["web-1"]
        assert (plan.hold_until, plan.wake_at) == (world.now + 1, world.now + 1)
        assert len(world.live) == 1
        world.now += 1
        world.step()
        assert len(world.live) == 2

    def test_a_pod_that_succeeds_has_ended_too(self):
        ended = pod(revision=template_revision(OLD), phase="Succeeded")
        assert stopped(plan_service(seen(framework(service=OLD), ended))) == ["web-1"]

    def test_waits_double_up_to_five_minutes(self):
        world = running(1, OLD)
        waits = []
        for _ in range(11):
            world.fail(*world.pods)
            plan = world.step()
            waits.append(plan.hold_until - world.now)
            world.now = plan.hold_until
            world.step()
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]

    def test_pods_that_fail_together_are_one_failure(self):
        world = running(5, OLD)
        world.fail("web-1", "web-2", "web-3")
        world.step()
        world.fail("web-4")
        assert world.step().status["backoff"]["failures"] == 1

    def test_pods_made_before_the_wait_that_fail_after_it_are_the_same_failure(self):
        world = running(3, OLD)
        world.fail("web-1")
        world.step()
        world.now += 1
        world.fail("web-2")
        plan = world.step()
        assert plan.status["backoff"]["failures"] == 1
        assert plan.hold_until == world.now + 1

    def test_a_failed_pod_that_has_to_stay_for_a_while_is_not_counted_again(self):
        world = running(2, OLD)
        world.fail("web-1")
        kept = world.pods["web-1"]
        for _ in range(10):
            world.step()
            world.pods["web-1"] = kept
            world.now += 1
        assert world.step().status["backoff"]["failures"] == 1

    def test_a_new_revision_starts_afresh(self):
        world = running(1, OLD)
        for _ in range(5):
            world.fail(*world.pods)
            world.now = world.step().hold_until
            world.step()
        world.fail(*world.pods)
        assert world.step().hold_until == world.now + 32
        world.change(template=NEW)
        plan = world.step()
        assert plan.hold_until == 0
        assert "backoff" not in plan.status

    def test_an_old_pod_that_fails_during_a_change_does_not_hold_the_new_ones_up(self):
        world = running(3, OLD)
        world.change(template=NEW)
        world.step()
        world.fail("web-1")
        plan = world.step()
        assert (stopped(plan), plan.hold_until, wanted(plan)) == (["web-1"], 0, 2)

    def test_scaling_does_not_start_afresh(self):
        world = running(2, OLD)
        world.fail("web-1")
        world.step()
        world.change(replicas=4)
        assert world.step().hold_until == world.now + 1

    def test_failures_are_forgotten_after_five_quiet_minutes(self):
        world = running(1, OLD)
        world.fail("web-1")
        world.now = world.step().hold_until
        wake_at = world.step().wake_at
        assert wake_at == world.now + 300
        world.now = wake_at
        assert "backoff" not in world.step().status

    def test_a_failure_after_a_long_time_is_the_first_although_nobody_looked_meanwhile(self):
        world = running(1, OLD)
        for _ in range(4):
            world.fail(*world.pods)
            world.now = world.step().hold_until
            world.step()
        world.now += 3600
        world.fail(*world.pods)
        assert world.step().hold_until == world.now + 1

    def test_people_are_told_once_of_a_failure_its_cause_and_the_wait(self):
        world = running(3, OLD)
        world.fail("web-1", "web-2", reason="OutOfcpu")
        (note,) = world.step().notes
        assert (note.reason, note.kind) == ("PodFailed", "Warning")
        assert note.message == "Pod web-1 and 1 more has ended (OutOfcpu); launching again in 1 s"
        world.fail("web-3")
        assert world.step().notes == ()


class TestWhatIsTold:
    def test_the_figures_and_the_selector_that_autoscalers_read(self):
        world = running(3, OLD)
        world.change(template=NEW)
        world.step()
        assert world.plan().status == {
            "replicas": 4,
            "readyReplicas": 3,
            "updatedReplicas": 1,
            "revision": template_revision(NEW),
            "version": 2,
            "settledGeneration": 1,
            "settledReplicas": 3,
            "selector": "tender.dev/framework=web",
        }

    def test_a_service_is_ready_when_all_its_newest_pods_are(self):
        assert running(2, OLD).plan().state == ("Ready", "AsSpecified", "2 of 2 pods are ready")

    def test_until_then_it_says_what_it_is_doing(self):
        world = ServiceWorld(framework(service=OLD, replicas=2))
        assert world.plan().state[:2] == ("Reconciling", "Launching")
        world.step()
        assert world.plan().state[:2] == ("Reconciling", "Starting")
        world.settle()
        world.change(replicas=1)
        assert world.plan().state[:2] == ("Reconciling", "ScalingDown")
        world.change(template=NEW)
        assert world.plan().state[:2] == ("Reconciling", "RollingOut")
        world.fail(*world.pods)
        world.change(template=OLD)
        assert world.plan().state[:2] == ("Reconciling", "BackingOff")


class TestInvalidTemplate:
    @pytest.mark.parametrize(
        ("service", "field"),
        [
            (template(cpu="much"), "container app resources.requests.cpu"),
            (template(nodeSelector={"gpu": True}), "spec.nodeSelector.gpu"),
            (template(tolerations=[{"effect": "Never"}]), "spec.tolerations.0.effect"),
            ({"spec": {"containers": "none"}}, "containers"),
        ],
    )
    def test_stalls_the_service_and_names_the_field(self, service, field):
        plan = plan_service(seen(framework(service=service)))
        assert plan.state[:2] == ("Stalled", "InvalidTemplate")
        assert plan.state[2].startswith("spec.service.template: ")
        assert field in plan.state[2]
        assert (plan.shapes, plan.stops) == ((), ())

    def test_leaves_the_pods_of_the_last_valid_one_running_and_counted(self):
        world = running(3, OLD)
        world.change(template=template(cpu="much"))
        plan = world.plan()
        assert plan.stops == ()
        assert plan.status["replicas"] == plan.status["readyReplicas"] == 3
        assert plan.status["selector"] == "tender.dev/framework=web"


def test_pods_are_told_apart_by_their_revision_label():
    unmarked = pod("web-1")
    assert LABEL_REVISION not in unmarked.metadata.labels
    plan = plan_service(seen(framework(replicas=1, service=OLD), unmarked))
    assert plan.state[:2] == ("Reconciling", "RollingOut")


def test_only_a_service_can_be_planned():
    with pytest.raises(ValueError, match=r"framework spark: spec\.service is not set"):
        plan_service(seen(external()))

"""Services that depend on others (T16): what waits, what does not, and what people are told."""

from typing import Any

from tests.builders import NOON, framework, template, timestamp
from tests.unit.frameworks.world import ServiceWorld, running

from tender.api.framework import Framework
from tender.frameworks.sdk.dependencies import dependencies_of
from tender.frameworks.sdk.templates import template_revision

ONE, TWO = (template(image=f"app:{version}") for version in (1, 2))


def other(name: str = "db", *, ready: str = "True", generation: int = 1, of: int = 1, **fields: Any) -> Framework:
    """A framework that says of a generation whether it is ready."""
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "AsSpecified" if ready == "True" else "Launching",
        "message": "1 of 2 pods are ready",
        "observedGeneration": of,
        "lastTransitionTime": timestamp(NOON),
    }
    return framework(name, generation=generation, status={"conditions": [condition]}, **fields)


def depending(*names: str, **fields: Any) -> Framework:
    return framework("web", dependsOn=[{"name": name} for name in names], **fields)


def message(of: Framework, *others: Framework) -> str:
    return dependencies_of(of, {one.metadata.name: one for one in others}).message


class TestT16WhenAFrameworkIsThere:
    def test_t16_without_dependencies_nothing_is_waited_for(self):
        assert message(framework()) == ""

    def test_t16_ready_at_its_present_generation_is_there(self):
        assert message(depending("db"), other()) == ""

    def test_t16_a_framework_of_no_pods_that_is_ready_is_there(self):
        assert message(depending("db"), other(replicas=0)) == ""

    def test_t16_one_that_is_not_ready_is_named_with_its_reason(self):
        expected = "framework db is not ready (Launching: 1 of 2 pods are ready)"
        assert message(depending("db"), other(ready="False")) == expected

    def test_t16_nor_is_one_that_was_changed_since(self):
        assert "framework db has been changed" in message(depending("db"), other(generation=2))

    def test_t16_nor_one_that_nobody_has_looked_at(self):
        assert "does not say yet" in message(depending("db"), framework("db"))

    def test_t16_nor_one_that_is_being_deleted(self):
        assert message(depending("db"), other(deleted=NOON)) == "framework db is being deleted"

    def test_t16_one_that_is_missing_is_named(self):
        assert message(depending("db", "queue"), other()) == "framework queue does not exist in this namespace"

    def test_t16_all_of_them_are_named(self):
        both = message(depending("db", "queue"), other(ready="False"), other("queue", ready="False"))
        assert "framework db" in both
        assert "framework queue" in both

    def test_t16_a_circle_is_named_whole(self):
        circle = (
            framework("db", dependsOn=[{"name": "queue"}]),
            framework("queue", dependsOn=[{"name": "cache"}, {"name": "web"}]),
            framework("cache"),
        )
        assert dependencies_of(depending("db"), {one.metadata.name: one for one in circle}).cycle == (
            "web",
            "db",
            "queue",
        )
        assert "web -> db -> queue -> web" in message(depending("db"), *circle)

    def test_t16_a_framework_may_not_depend_on_itself(self):
        assert "web -> web" in message(depending("web"))

    def test_t16_a_circle_of_others_is_theirs(self):
        circle = (
            framework("db", dependsOn=[{"name": "queue"}]),
            framework("queue", dependsOn=[{"name": "db"}]),
        )
        assert "does not say yet" in message(depending("db"), *circle)


def waiting(replicas: int = 2, **fields: Any) -> ServiceWorld:
    """A service that is not rolled out, and depends on one that is not ready."""
    world = ServiceWorld(depending("db", replicas=replicas, service=ONE, **fields))
    world.frameworks["db"] = other(ready="False")
    return world


def deployed(replicas: int = 3) -> ServiceWorld:
    """A service that was rolled out, and whose dependency is not ready any more."""
    world = running(replicas, ONE)
    world.depend_on("db")
    world.frameworks["db"] = other()
    world.settle()
    world.frameworks["db"] = other(ready="False")
    return world


class TestT16Launches:
    def test_t16_of_a_new_service_wait_and_say_for_what(self):
        world = waiting()
        plan = world.step()
        assert (plan.shapes[0].count, world.live) == (0, [])
        assert plan.state[:2] == ("Reconciling", "WaitingForDependencies")
        assert "spec.dependsOn: framework db is not ready" in plan.state[2]

    def test_t16_go_ahead_as_soon_as_it_is_ready(self):
        world = waiting()
        world.step()
        world.frameworks["db"] = other()
        assert world.settle().state[0] == "Ready"

    def test_t16_of_a_service_of_no_pods_wait_for_nothing(self):
        assert waiting(0).step().state[0] == "Ready"

    def test_t16_of_a_new_version_wait_and_what_runs_is_kept(self):
        world = deployed()
        world.change(template=TWO)
        plan = world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 3
        assert plan.state[:2] == ("Reconciling", "WaitingForDependencies")
        assert "3 of 3 pods are ready" in plan.state[2]
        world.frameworks["db"] = other()
        world.settle()
        assert world.revisions_of_pods == [template_revision(TWO)] * 3

    def test_t16_beyond_what_there_was_wait(self):
        world = deployed()
        world.change(replicas=5)
        world.settle()
        assert len(world.live) == 3
        assert world.plan().state[1] == "WaitingForDependencies"

    def test_t16_for_lost_pods_do_not(self):
        world = deployed()
        assert world.plan().state[0] == "Ready"
        world.vanish("web-1")
        world.step()
        assert len(world.live) == 3

    def test_t16_nor_while_a_change_waits_and_they_are_of_the_version_that_ran(self):
        world = deployed()
        world.change(template=TWO, replicas=5)
        world.step()
        for name in list(world.pods):
            world.vanish(name)
        world.settle()
        assert world.revisions_of_pods == [template_revision(ONE)] * 3

    def test_t16_scaling_down_does_not_wait(self):
        world = deployed()
        world.change(replicas=1)
        assert world.settle().state[0] == "Ready"
        assert len(world.live) == 1

    def test_t16_a_change_that_touches_no_pod_does_not_wait(self):
        world = deployed()
        world.change(killSelection="OldestFirst")
        assert world.step().state[0] == "Ready"

    def test_t16_a_first_roll_out_that_was_interrupted_keeps_what_it_has(self):
        world = waiting(4)
        world.frameworks["db"] = other()
        world.step()
        for _ in range(2):
            world.vanish(next(iter(world.pods)))
        world.frameworks["db"] = other(ready="False")
        plan = world.settle()
        assert (len(world.live), plan.state[1]) == (2, "WaitingForDependencies")

    def test_t16_in_a_circle_stall_and_what_runs_is_kept(self):
        world = deployed()
        world.frameworks["db"] = framework("db", dependsOn=[{"name": "web"}])
        world.change(template=TWO)
        plan = world.step()
        assert plan.state[:2] == ("Stalled", "DependencyCycle")
        assert "web -> db -> web" in plan.state[2]
        assert world.revisions_of_pods == [template_revision(ONE)] * 3

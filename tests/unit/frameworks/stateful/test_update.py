"""Changes of a stateful service: plans roll them out, unchanged pods stay, and what cannot be done is refused."""

import pytest
from tests.unit.frameworks.stateful.world import World, deployed, never_two_of_one, phase, pod_set, task, template

NEW = template("db:2")


def uids(world: World) -> dict[str, str]:
    return {name: pod.metadata.uid for name, pod in world.pods.items()}


class TestRolling:
    """T20: a change of the configuration rolls in the order of the plan, and unchanged pods are untouched."""

    def test_t20_pods_change_one_after_the_other_in_order(self):
        world = deployed()
        world.check = never_two_of_one
        world.apply(pod_set(template=NEW))
        world.settle()
        assert set(world.images().values()) == {"db:2"}
        assert world.events("stop") == ["stop db-node-0", "stop db-node-1", "stop db-node-2"]

    def test_t20_the_next_pod_changes_only_when_the_one_before_is_ready(self):
        world = deployed()
        world.slow.add("db:2")
        world.apply(pod_set(template=NEW))
        for _ in range(80):
            world.step()
        assert world.images() == {"db-node-0": "db:2", "db-node-1": "db:1", "db-node-2": "db:1"}
        assert "node-0" in world.message()

    def test_t20_pods_of_other_sets_are_untouched(self):
        world = deployed(pod_set("data", 2), pod_set("master", 1))
        before = uids(world)
        world.apply(pod_set("data", 2, template=NEW), pod_set("master", 1))
        world.settle()
        after = uids(world)
        assert after["db-master-0"] == before["db-master-0"]
        assert after["db-data-0"] != before["db-data-0"]

    def test_t20_places_and_volumes_stay(self):
        world = deployed()
        places, volumes = sorted(world.reservations), sorted(world.volume_claims)
        nodes = {name: world.node_of(name) for name in world.pods}
        world.apply(pod_set(template=NEW))
        world.settle()
        assert (sorted(world.reservations), sorted(world.volume_claims)) == (places, volumes)
        assert {name: world.node_of(name) for name in world.pods} == nodes

    def test_t8_applying_the_same_again_does_nothing(self):
        world = deployed(pod_set(tasks=[task("backup")], config={"a": "${pod.name}"}))
        before = uids(world)
        world.apply(pod_set(tasks=[task("backup")], config={"a": "${pod.name}"}))
        world.settle()
        assert uids(world) == before
        assert world.log == []

    def test_a_changed_constraint_or_side_task_restarts_nothing(self):
        world = deployed()
        before = uids(world)
        constraint = {"key": "metadata.name", "operator": "Unique"}
        world.apply(pod_set(constraints=[constraint], tasks=[task("backup")]))
        world.settle()
        assert uids(world) == before
        assert world.place("node-0").spec.amounts["cpu"] == 600

    def test_more_pods_are_added_by_the_same_plan(self):
        world = deployed()
        before = uids(world)
        world.apply(pod_set(count=5))
        world.settle()
        assert len(world.pods) == 5
        assert before.items() <= uids(world).items()

    def test_a_second_change_takes_over_from_the_first(self):
        world = deployed()
        world.broken.add("db:2")
        world.apply(pod_set(template=NEW))
        world.until(lambda world: "BackingOff" in world.words()["node-0"])
        world.apply(pod_set(template=template("db:3")))
        world.settle()
        assert set(world.images().values()) == {"db:3"}

    def test_going_back_to_what_was_before_is_a_change_like_any_other(self):
        world = deployed()
        world.broken.add("db:2")
        before = uids(world)
        world.apply(pod_set(template=NEW))
        world.until(lambda world: "BackingOff" in world.words()["node-0"])
        world.apply(pod_set())
        world.settle()
        assert set(world.images().values()) == {"db:1"}
        after = uids(world)
        assert after["db-node-1"] == before["db-node-1"]
        assert after["db-node-0"] != before["db-node-0"]

    def test_going_back_before_anything_has_begun_restarts_nothing(self):
        world = deployed()
        before = uids(world)
        world.apply(pod_set(template=NEW))
        world.turn()
        world.apply(pod_set())
        world.settle()
        assert uids(world) == before


class TestPlans:
    def test_changes_follow_the_plan_update_where_there_is_one(self):
        plans = [
            {"name": "deploy", "phases": [phase()]},
            {"name": "update", "phases": [phase(strategy="Parallel")]},
        ]
        world = deployed(plans=plans)
        world.apply(pod_set(template=NEW), plans=plans)
        world.settle()
        assert world.events("stop") == ["stop db-node-0", "stop db-node-1", "stop db-node-2"]
        assert world.log[-1].startswith("keep ConfigMap")
        first_stop, last_stop = world.log.index("stop db-node-0"), world.log.index("stop db-node-2")
        assert last_stop - first_stop == 2
        assert world.plan("update") == "Complete"

    def test_the_plan_update_is_not_followed_before_the_first_deployment_is_done(self):
        plans = [{"name": "update", "phases": [phase(indexes=[0])]}]
        world = World().with_nodes()
        world.apply(pod_set(), plans=plans)
        world.until(lambda world: world.steps("deploy").get("node-0") == "Complete")
        world.apply(pod_set(template=NEW), plans=plans)
        world.settle()
        assert world.images() == {"db-node-0": "db:2", "db-node-1": "db:2", "db-node-2": "db:2"}

    def test_a_canary_waits_for_resume_before_and_after_the_first(self):
        plans = [
            {"name": "deploy", "phases": [phase()]},
            {"name": "update", "phases": [phase(strategy="SerialCanary")]},
        ]
        world = deployed(plans=plans)
        world.apply(pod_set(template=NEW), plans=plans)
        world.settle()
        assert set(world.images().values()) == {"db:1"}
        assert world.state() == ("Reconciling", "Paused")
        world.request("Resume", plan="update")
        world.settle()
        assert world.images() == {"db-node-0": "db:2", "db-node-1": "db:1", "db-node-2": "db:1"}
        world.request("Resume", plan="update")
        world.settle()
        assert set(world.images().values()) == {"db:2"}

    def test_a_paused_plan_begins_no_step_and_goes_on_when_it_is_resumed(self):
        world = deployed()
        world.request("Pause", plan="deploy")
        world.settle()
        world.apply(
            pod_set(template=NEW), planRequests=world.frameworks["db"].spec.manifest()["stateful"]["planRequests"]
        )
        world.settle()
        assert set(world.images().values()) == {"db:1"}
        assert world.plan("deploy") == "Waiting"
        world.request("Resume", plan="deploy")
        world.settle()
        assert set(world.images().values()) == {"db:2"}

    def test_restart_does_the_steps_again_in_their_order(self):
        world = deployed()
        before = uids(world)
        request = world.request("Restart", plan="deploy")
        world.check = lambda world: ready_at_least(world, 2)
        world.settle()
        assert world.result(request) == "Done"
        assert not before.items() & uids(world).items()
        assert world.events("stop") == ["stop db-node-0", "stop db-node-1", "stop db-node-2"]

    def test_restart_of_one_step_leaves_the_others(self):
        world = deployed()
        before = uids(world)
        world.request("Restart", plan="deploy", phase="node", step="node-1")
        world.settle()
        assert {name for name in before if uids(world)[name] != before[name]} == {"db-node-1"}

    def test_a_step_taken_for_complete_lets_the_next_begin(self):
        world = deployed()
        world.slow.add("db:2")
        world.apply(pod_set(template=NEW))
        for _ in range(20):
            world.step()
        world.request("ForceComplete", plan="deploy", phase="node", step="node-0")
        for _ in range(30):
            world.step()
        assert world.images() == {"db-node-0": "db:2", "db-node-1": "db:2", "db-node-2": "db:1"}


class TestRefusedTargets:
    """T21: a change that cannot be made is refused, the former target stays, and everything else goes on."""

    def refused(self, world: World, word: str) -> None:
        world.settle()
        assert world.state() == ("Stalled", "InvalidTarget")
        assert word in world.message()
        assert world.plan("deploy") == "Error"
        assert set(world.images().values()) == {"db:1"}
        world.lose_pod("db-node-0")
        world.settle()
        assert world.pods["db-node-0"].ready

    def test_t21_fewer_pods_without_allow_decommission(self):
        world = deployed()
        world.apply(pod_set(count=2, template=NEW))
        self.refused(world, "count is lowered from 3 to 2")
        assert len(world.pods) == 3

    def test_t21_a_set_that_is_gone(self):
        world = deployed(pod_set(), pod_set("extra", 1))
        world.apply(pod_set(template=NEW))
        self.refused(world, "pods[extra] is gone but has pods")
        assert "db-extra-0" in world.pods

    def test_t21_other_volumes(self):
        world = deployed()
        world.apply(pod_set(template=NEW, volumeClaimTemplates=[]))
        self.refused(world, "volumeClaimTemplates is changed")

    def test_t21_another_role_while_it_is_deployed(self):
        world = World().with_nodes()
        world.apply(pod_set())
        world.until(lambda world: len(world.pods) == 2)
        world.apply(pod_set(), role="other")
        world.settle()
        assert world.state() == ("Stalled", "InvalidTarget")
        assert "spec.role is changed from default to other" in world.message()
        assert len(world.pods) == 3

    def test_another_role_is_for_new_places_once_it_is_deployed(self):
        world = deployed()
        world.apply(pod_set(), role="other")
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")
        world.request("Replace", pod="node-1")
        world.settle()
        roles = {name: world.place(name).spec.role for name in ("node-0", "node-1")}
        assert roles == {"node-0": "default", "node-1": "other"}

    @pytest.mark.parametrize(
        ("change", "plans", "words"),
        [
            ({"config": {"f": "${no.such}"}}, [], "${no.such} is not known"),
            ({"nonEssential": ["sidecar"]}, [], "nonEssential names sidecar"),
            ({"onReplace": "seed"}, [], "onReplace names seed"),
            ({"template": {"spec": {"containers": []}}}, [], "containers is empty"),
            ({"template": {"spec": {"containers": [{"name": "db"}]}}}, [], "request no cpu or no memory"),
            ({"template": template("db:2", volumes=[{"name": "data"}])}, [], "which is added to the pods already"),
            ({}, [{"name": "deploy", "phases": [phase("nodes")]}], "names nodes, which is no set"),
            ({}, [{"name": "deploy", "phases": [phase(indexes=[3])]}], "indexes has 3"),
            ({}, [{"name": "deploy", "phases": [phase(task="backup")]}], "task names backup, which is no task"),
            ({}, [{"name": "recovery", "phases": [phase()]}], "made as needed"),
            ({}, [{"name": "deploy", "phases": [phase(dependsOn=["x"])]}], "dependsOn names x"),
            (
                {},
                [{"name": "x", "phases": [phase()], "parameters": {"A-B": "1"}}],
                "no name of an environment variable",
            ),
        ],
    )
    def test_t21_what_is_wrong_in_itself(self, change, plans, words):
        world = deployed()
        world.apply(pod_set(**{"template": NEW, **change}), plans=plans)
        self.refused(world, words)

    def test_t21_phases_that_wait_for_each_other(self):
        world = deployed()
        circle = [phase(dependsOn=["more"]), {**phase(dependsOn=["node"]), "name": "more"}]
        world.apply(pod_set(template=NEW), plans=[{"name": "deploy", "strategy": "Dependency", "phases": circle}])
        self.refused(world, "wait for each other")

    def test_t21_pods_that_could_have_the_names_of_tasks(self):
        world = deployed()
        world.apply(pod_set(template=NEW, tasks=[task("1")]), pod_set("node-0", 2))
        self.refused(world, "could have the names of tasks of node")

    def test_t21_a_good_spec_ends_it(self):
        world = deployed()
        world.apply(pod_set(count=2))
        world.settle()
        world.apply(pod_set(count=4))
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")
        assert len(world.pods) == 4


class TestSizes:
    def test_a_larger_pod_waits_for_its_place_to_grow_and_runs_meanwhile(self):
        world = deployed(pod_set(count=1), nodes=1)
        world.apply(pod_set(count=1, template=template("db:2", cpu="3900m")))
        world.settle()
        assert world.place("node-0").spec.amounts["cpu"] == 3900
        assert world.images() == {"db-node-0": "db:2"}

    def test_a_pod_that_cannot_grow_on_its_node_runs_on_as_it_is_and_says_so(self):
        world = deployed(pod_set(count=1), nodes=1)
        uid = world.pods["db-node-0"].metadata.uid
        world.apply(pod_set(count=1, template=template("db:2", cpu="5")))
        for _ in range(30):
            world.step()
        assert world.pods["db-node-0"].metadata.uid == uid
        assert "to become as large as the new configuration needs: too little is free" in world.message()

    def test_it_comes_back_as_it_was_when_it_is_lost_meanwhile(self):
        world = deployed(pod_set(count=1), nodes=1)
        world.apply(pod_set(count=1, template=template("db:2", cpu="5")))
        for _ in range(30):
            world.step()
        world.apply(pod_set(count=1))
        world.settle()
        world.lose_pod("db-node-0")
        world.settle()
        assert world.images() == {"db-node-0": "db:1"}
        assert world.place("node-0").spec.amounts["cpu"] == 500

    def test_t22_it_comes_back_as_it_was_also_while_its_place_cannot_grow(self):
        world = deployed(pod_set(count=1), nodes=1)
        world.apply(pod_set(count=1, template=template("db:2", cpu="5")))
        for _ in range(20):
            world.step()
        world.lose_pod("db-node-0")
        for _ in range(20):
            world.step()
        assert world.images() == {"db-node-0": "db:1"}
        assert world.pods["db-node-0"].ready

    def test_a_place_shrinks_after_its_pod_did(self):
        world = deployed(pod_set(count=1))
        world.apply(pod_set(count=1, template=template("db:2", cpu="100m")))
        world.settle()
        assert world.place("node-0").spec.amounts["cpu"] == 100

    def test_a_pod_on_a_cordoned_node_is_not_taken_down_for_a_change(self):
        world = deployed(pod_set(count=1))
        world.cordon(world.node_of("db-node-0"))
        world.apply(pod_set(count=1, template=NEW))
        for _ in range(20):
            world.step()
        assert world.images() == {"db-node-0": "db:1"}
        assert world.pods["db-node-0"].ready
        world.cordon(world.node_of("db-node-0"), off=True)
        world.settle()
        assert world.images() == {"db-node-0": "db:2"}


def ready_at_least(world: World, count: int) -> None:
    assert sum(pod.ready and not pod.leaving for pod in world.pods.values()) >= count

"""Side tasks: what plans do beside pods, in their places, once or when something has changed, and with parameters."""

from tests.unit.frameworks.stateful.world import World, deployed, phase, pod_set, task, template

INIT = [{"name": "deploy", "phases": [phase(task="init", indexes=[0]), phase()]}]
AFTER = [{"name": "deploy", "phases": [phase(), phase(task="init", indexes=[0])]}]
BACKUP = [
    {"name": "deploy", "phases": [phase()]},
    {"name": "backup", "phases": [phase(task="backup")], "parameters": {"TO": "here", "LEVEL": "full"}},
]


def runs(world: World, name: str) -> int:
    return world.events("launch").count(f"launch {name}")


class TestGoals:
    """T27: what is to be done once is never done again; what is to finish is, when something has changed."""

    def changed(self, goal: str, plans=AFTER) -> World:
        world = deployed(pod_set(tasks=[task("init", goal)]), plans=plans)
        world.log.clear()
        world.apply(pod_set(tasks=[task("init", goal)], template=template("db:2")), plans=plans)
        world.settle()
        return world

    def test_t27_once_is_not_done_again_when_the_configuration_changes(self):
        world = self.changed("Once")
        assert runs(world, "db-node-0-init") == 0
        assert world.plan("deploy") == "Complete"

    def test_t27_finish_is_done_again_when_the_configuration_changes(self):
        world = self.changed("Finish")
        assert runs(world, "db-node-0-init") == 1

    def test_t27_finish_is_done_again_when_the_task_changes_and_the_pods_stay(self):
        world = deployed(pod_set(tasks=[task("init")]), plans=AFTER)
        uid = world.pods["db-node-0"].metadata.uid
        world.apply(pod_set(tasks=[task("init", image="task:2")]), plans=AFTER)
        world.settle()
        assert runs(world, "db-node-0-init") == 1
        assert world.pods["db-node-0"].metadata.uid == uid

    def test_t27_neither_is_done_again_for_nothing(self):
        world = deployed(pod_set(tasks=[task("init")]), plans=AFTER)
        world.request("Restart", pod="node-0")
        world.settle()
        assert runs(world, "db-node-0-init") == 0

    def test_t27_the_pod_of_a_task_goes_only_when_it_is_recorded_as_done(self):
        world = World().with_nodes()
        world.apply(pod_set(count=1, tasks=[task("init", "Once")]), plans=AFTER)

        def recorded(world: World) -> None:
            gone = "stop db-node-0-init" in world.log
            done = (
                "init" in world.config_maps["db-node-0"].metadata.annotations.get("tender.dev/done", "") if gone else ""
            )
            assert not gone or done

        world.check = recorded
        world.settle()
        assert "db-node-0-init" not in world.pods
        assert runs(world, "db-node-0-init") == 1

    def test_a_task_that_comes_first_runs_in_the_place_before_the_pod_does(self):
        world = World().with_nodes()
        world.apply(pod_set(tasks=[task("init", "Once")]), plans=INIT)
        world.settle()
        assert world.events("launch")[:2] == ["launch db-node-0-init", "launch db-node-0"]
        init = next(one for one in world.manifests.values() if one["metadata"]["name"] == "db-node-0-init")
        claims = [one["persistentVolumeClaim"]["claimName"] for one in init["spec"]["volumes"]]
        assert claims == ["data-db-node-0"]
        assert init["spec"]["restartPolicy"] == "Never"

    def test_a_task_that_fails_is_done_again_after_a_wait(self):
        world = World().with_nodes()
        world.broken.add("task:1")
        world.apply(pod_set(count=1, tasks=[task("init", "Once")]), plans=AFTER)
        world.until(lambda world: world.steps("deploy", "init") == {"node-0": "Delayed"})
        failed = world.now
        world.broken.clear()
        world.settle()
        assert world.plan("deploy") == "Complete"
        assert world.now - failed >= 55
        assert runs(world, "db-node-0-init") == 2

    def test_two_tasks_of_one_pod_run_one_after_the_other(self):
        plans = [
            {
                "name": "deploy",
                "strategy": "Parallel",
                "phases": [phase(), phase(task="a"), phase(task="b")],
            }
        ]
        world = World().with_nodes()
        tasks = [task("a"), task("b")]

        def at_most_one(world: World) -> None:
            side = [name for name in world.live if name.endswith(("-a", "-b"))]
            assert len({name[:9] for name in side}) == len(side)

        world.check = at_most_one
        world.apply(pod_set(count=2, tasks=tasks), plans=plans)
        world.settle()
        assert world.plan("deploy") == "Complete"


class TestRoom:
    def test_room_that_is_kept_for_side_tasks_is_not_taken_for_the_next_pod(self):
        world = deployed(pod_set(tasks=[task("backup")]), nodes=1)
        assert len(world.pods) == 3
        assert {one.spec.amounts["cpu"] for one in world.reservations.values()} == {600}

    def test_a_node_that_has_just_the_room_is_not_asked_for_more_when_no_other_pod_can_be_there(self):
        unique = [{"key": "metadata.name", "operator": "Unique"}]
        world = World().with_nodes(2, cpu="600m")
        world.apply(pod_set(count=2, tasks=[task("backup")], constraints=unique))
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")


class TestCustomPlans:
    """T29: plans for backup and the like, with parameters, are run when they are asked for."""

    def test_t29_a_plan_is_run_on_every_pod_with_its_parameters(self):
        world = deployed(pod_set(tasks=[task("backup")]), plans=BACKUP)
        request = world.request("Start", plan="backup", parameters={"TO": "there"})
        world.settle()
        assert world.result(request) == "Done"
        assert world.plan("backup") == "Complete"
        made = [one for one in world.manifests.values() if one["metadata"]["name"].endswith("-backup")]
        assert len(made) == 3
        environment = {one["name"]: one["value"] for one in made[0]["spec"]["containers"][0]["env"]}
        assert environment == {"TO": "there", "LEVEL": "full"}

    def test_t29_it_is_not_run_without_being_asked_for(self):
        world = deployed(pod_set(tasks=[task("backup")]), plans=BACKUP)
        world.apply(pod_set(tasks=[task("backup")], template=template("db:2")), plans=BACKUP)
        world.settle()
        assert world.plan("backup") == "Pending"
        assert runs(world, "db-node-0-backup") == 0

    def test_t29_each_request_runs_it_once_more(self):
        world = deployed(pod_set(tasks=[task("backup")]), plans=BACKUP)
        for _ in range(2):
            world.request("Start", plan="backup")
            world.settle()
        assert runs(world, "db-node-0-backup") == 2

    def test_t29_a_plan_that_is_stopped_ends_what_runs_of_it(self):
        world = deployed(pod_set(tasks=[task("backup")]), plans=BACKUP)
        world.left.add("task:1")
        world.request("Start", plan="backup")
        world.until(lambda world: "db-node-0-backup" in world.pods)
        world.request("Stop", plan="backup")
        world.settle()
        assert sorted(world.pods) == ["db-node-0", "db-node-1", "db-node-2"]
        assert world.plan("backup") == "Pending"

    def test_t29_a_rollout_and_a_run_of_the_same_task_do_not_undo_each_other(self):
        plans = [{"name": "deploy", "phases": [phase(), phase(task="backup")]}, BACKUP[1]]
        world = deployed(pod_set(count=1, tasks=[task("backup")]), plans=plans)
        world.log.clear()
        world.request("Start", plan="backup")
        world.settle()
        assert runs(world, "db-node-0-backup") == 1
        assert (world.plan("deploy"), world.plan("backup")) == ("Complete", "Complete")

    def test_t29_a_task_survives_the_loss_of_its_pod(self):
        world = deployed(pod_set(count=1, tasks=[task("backup")]), plans=BACKUP)
        world.left.add("task:1")
        world.request("Start", plan="backup")
        world.until(lambda world: "db-node-0-backup" in world.pods)
        world.lose_pod("db-node-0-backup")
        world.left.clear()
        world.settle()
        assert world.plan("backup") == "Complete"

    def test_a_restarted_phase_does_its_tasks_again(self):
        world = deployed(pod_set(count=2, tasks=[task("backup")]), plans=BACKUP)
        world.request("Start", plan="backup")
        world.settle()
        world.log.clear()
        world.request("Restart", plan="backup", phase="backup", step="node-1")
        world.settle()
        assert runs(world, "db-node-1-backup") == 1
        assert runs(world, "db-node-0-backup") == 0

"""Pods that are lost come back: in their places as they were, or elsewhere when their places are given up."""

from tests.unit.frameworks.stateful.world import (
    World,
    deployed,
    moved_at,
    never_two_of_one,
    phase,
    pod_set,
    task,
    template,
)


def two_containers(*names: str, image: str = "db:1"):
    requests = {"cpu": "100m", "memory": "64Mi"}
    containers = [{"name": name, "image": image, "resources": {"requests": requests}} for name in names]
    return {"spec": {"containers": containers}}


class TestRestart:
    """T18: a restart keeps the node and the volume."""

    def test_t18_a_pod_that_is_restarted_keeps_its_node_and_volume(self):
        world = deployed()
        world.check = never_two_of_one
        node, uid = world.node_of("db-node-1"), world.pods["db-node-1"].metadata.uid
        volume = world.volume_claims["data-db-node-1"].metadata.uid
        place = world.place("node-1").metadata.uid
        request = world.request("Restart", pod="node-1")
        world.settle()
        assert world.result(request) == "Done"
        assert world.pods["db-node-1"].metadata.uid != uid
        assert world.node_of("db-node-1") == node
        assert world.volume_claims["data-db-node-1"].metadata.uid == volume
        assert world.place("node-1").metadata.uid == place

    def test_t18_a_pod_that_is_gone_comes_back_in_its_place(self):
        world = deployed()
        node = world.node_of("db-node-1")
        world.lose_pod("db-node-1")
        world.step()
        assert world.steps("recovery") == {"node-1": "Pending"}
        world.settle()
        assert world.node_of("db-node-1") == node
        assert world.plan("recovery") == "Complete"

    def test_t18_a_pod_that_failed_after_it_was_ready_comes_back_at_once(self):
        world = deployed()
        world.fail("db-node-1")
        at = world.now
        world.until(lambda world: "db-node-1" in world.live and world.pods["db-node-1"].ready)
        assert world.now - at < 15

    def test_a_pod_that_fails_again_and_again_waits(self):
        world = deployed(pod_set(count=1))
        world.broken.add("db:1")
        world.fail("db-node-0")
        for _ in range(30):
            world.step()
        assert world.state() == ("Reconciling", "Recovering")
        assert "failed 2 times in a row" in world.message()
        assert len(world.events("launch")) == 1

    def test_the_service_is_not_ready_from_the_moment_that_a_pod_is_to_restart(self):
        world = deployed()
        world.request("Restart", pod="node-1")
        world.turn()
        assert world.state()[0] == "Reconciling"

    def test_a_request_is_carried_out_once(self):
        world = deployed()
        world.request("Restart", pod="node-1")
        world.settle()
        world.request("Restart", pod="node-0")
        world.settle()
        assert world.events("stop") == ["stop db-node-1", "stop db-node-0"]

    def test_a_paused_recovery_brings_back_nothing(self):
        world = deployed()
        world.request("Pause", plan="recovery")
        world.settle()
        world.lose_pod("db-node-1")
        world.settle()
        assert "db-node-1" not in world.pods
        assert "plan recovery is paused" in world.message()
        world.request("Resume", plan="recovery")
        world.settle()
        assert world.pods["db-node-1"].ready


class TestReplace:
    """T19: a replaced pod moves, and its former place and volume are freed."""

    def test_t19_a_replaced_pod_gets_a_new_place_and_volume_and_the_old_ones_are_freed(self):
        world = deployed(pod_set(constraints=[{"key": "metadata.name", "operator": "Unique"}]))
        world.check = never_two_of_one
        volume, place = world.volume_claims["data-db-node-1"].metadata.uid, world.place("node-1").metadata.uid
        request = world.request("Replace", pod="node-1")
        world.settle()
        assert world.result(request) == "Done"
        assert world.volume_claims["data-db-node-1"].metadata.uid != volume
        assert world.place("node-1").metadata.uid != place
        assert len(world.reservations) == len(world.volume_claims) == 3
        order = [line for line in world.log if line.split()[0] in ("gone", "remove", "claim", "launch")]
        assert order[0] == "gone db-node-1"
        assert order[1] == "remove PersistentVolumeClaim data-db-node-1"
        assert order[-1] == "launch db-node-1"

    def test_t19_from_a_node_that_is_silent_the_pod_is_forgotten_at_once(self):
        world = deployed(pod_set(constraints=[{"key": "metadata.name", "operator": "Unique"}]))
        node = world.node_of("db-node-1")
        world.silence(node)
        world.settle()
        assert world.node_of("db-node-1") == node
        world.request("Replace", pod="node-1")
        world.settle()
        assert world.pods["db-node-1"].ready
        assert world.node_of("db-node-1") != node

    def test_the_new_pod_knows_the_address_of_the_one_it_replaces_until_it_is_ready(self):
        world = deployed(pod_set(count=1, config={"seed": "${pod.replaced}"}))
        address = world.pods["db-node-0"].status.pod_ip
        world.slow.add("db:1")
        world.request("Replace", pod="node-0")
        world.until(lambda world: world.events("launch") == ["launch db-node-0"])
        assert world.config_maps["db-node-0"].data["seed"] == address
        world.slow.clear()
        world.settle()
        assert world.config_maps["db-node-0"].data["seed"] == ""

    def test_a_pod_that_was_never_deployed_cannot_be_replaced_or_restarted(self):
        world = World().with_nodes()
        world.slow.add("db:1")
        world.apply(pod_set())
        for _ in range(15):
            world.step()
        request = world.request("Replace", pod="node-9")
        world.settle()
        assert "there is no pod node-9" in world.result(request)


class TestHook:
    """T26: when a pod was replaced, the plan that its set names is started for it."""

    PLANS = [  # noqa: RUF012
        {"name": "deploy", "phases": [phase()]},
        {"name": "seeds", "phases": [phase(task="announce", indexes=[1])], "parameters": {"POD": ""}},
    ]

    def deployed(self) -> World:
        return deployed(pod_set(onReplace="seeds", tasks=[task("announce")]), plans=self.PLANS)

    def test_t26_the_plan_is_started_with_the_pod_as_parameter(self):
        world = self.deployed()
        world.request("Replace", pod="node-0")
        world.until(lambda world: "db-node-1-announce" in world.pods)
        spec = world.manifests[world.pods["db-node-1-announce"].metadata.uid]["spec"]
        assert spec["containers"][0]["env"] == [{"name": "POD", "value": "node-0"}]
        assert world.pods["db-node-0"].ready
        world.settle()
        assert world.plan("seeds") == "Complete"
        assert world.state() == ("Ready", "AsSpecified")

    def test_t26_two_replaced_pods_have_it_run_twice_one_after_the_other(self):
        world = self.deployed()
        world.request("Replace", pod="node-0")
        world.request("Replace", pod="node-2")
        world.settle()
        assert world.events("launch").count("launch db-node-1-announce") == 2
        assert world.state() == ("Ready", "AsSpecified")

    def test_t26_a_plan_about_pods_starts_them_again_one_after_the_other(self):
        plans = [
            {"name": "deploy", "phases": [phase()]},
            {"name": "roll", "phases": [phase()], "parameters": {"POD": ""}},
        ]
        world = deployed(pod_set(onReplace="roll"), plans=plans)
        world.request("Replace", pod="node-2")
        world.settle()
        assert world.events("launch")[-3:] == ["launch db-node-0", "launch db-node-1", "launch db-node-2"]
        assert world.plan("roll") == "Complete"

    def test_a_restart_does_not_start_it(self):
        world = self.deployed()
        world.request("Restart", pod="node-0")
        world.settle()
        assert world.plan("seeds") == "Pending"


class TestCurrentConfiguration:
    """T22: a pod that is lost during a change comes back as it was, and not as it is to become."""

    def test_t22_a_pod_whose_step_has_not_begun_comes_back_with_its_former_configuration(self):
        world = deployed()
        world.slow.add("db:2")
        world.apply(pod_set(template=template("db:2")))
        world.until(lambda world: world.images().get("db-node-0") == "db:2")
        world.lose_pod("db-node-2")
        for _ in range(20):
            world.step()
        assert world.images() == {"db-node-0": "db:2", "db-node-1": "db:1", "db-node-2": "db:1"}
        assert world.pods["db-node-2"].ready

    def test_t22_also_with_its_former_files(self):
        world = deployed(pod_set(config={"f": "one ${pod.name}"}))
        world.slow.add("db:2")
        world.apply(pod_set(template=template("db:2"), config={"f": "two ${pod.name}"}))
        world.until(lambda world: world.images().get("db-node-0") == "db:2")
        world.request("Replace", pod="node-2")
        for _ in range(30):
            world.step()
        assert world.config_maps["db-node-2"].data == {"f": "one db-node-2"}
        assert world.image("db-node-2") == "db:1"

    def test_t22_the_configuration_stays_recorded_as_long_as_a_pod_runs_it(self):
        world = deployed(pod_set(count=2))
        world.slow.update(f"db:{number}" for number in range(2, 20))
        for number in range(2, 20):
            world.apply(pod_set(count=2, template=template(f"db:{number}")))
            for _ in range(8):
                world.step()
        world.lose_pod("db-node-1")
        for _ in range(20):
            world.step()
        assert world.image("db-node-1") == "db:1"
        assert len(world.revisions) <= 13


class TestContainers:
    """T28: an essential container that ends takes its whole pod with it, any other starts again alone."""

    def deployed(self) -> World:
        return deployed(pod_set(template=two_containers("db", "exporter"), nonEssential=["exporter"]))

    def test_t28_the_pod_starts_again_when_an_essential_container_has_ended(self):
        world = self.deployed()
        uid = world.pods["db-node-0"].metadata.uid
        world.end_container("db-node-0", "db")
        world.settle()
        assert world.pods["db-node-0"].metadata.uid != uid
        assert world.pods["db-node-0"].ready

    def test_t28_the_pod_stays_when_another_container_has(self):
        world = self.deployed()
        uid = world.pods["db-node-0"].metadata.uid
        world.end_container("db-node-0", "exporter")
        world.settle()
        assert world.pods["db-node-0"].metadata.uid == uid

    def test_t28_the_only_container_of_a_pod_is_the_kubelets(self):
        world = deployed()
        uid = world.pods["db-node-0"].metadata.uid
        world.end_container("db-node-0", "db")
        world.settle()
        assert world.pods["db-node-0"].metadata.uid == uid


class TestLostNodes:
    def unique(self, **fields) -> World:
        constraint = [{"key": "metadata.name", "operator": "Unique"}]
        return deployed(pod_set(constraints=constraint), **fields)

    def test_a_pod_waits_for_its_node_and_says_so(self):
        world = self.unique()
        node = world.node_of("db-node-1")
        world.silence(node)
        for _ in range(100):
            world.step(seconds=60)
        assert world.state() == ("Reconciling", "Recovering")
        assert f"its node {node} is not ready" in world.message()
        world.restore(node)
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")

    def test_a_node_that_is_gone_is_waited_for_too(self):
        world = self.unique()
        world.destroy(world.node_of("db-node-1"))
        world.settle()
        assert "is gone" in world.message()
        assert len(world.reservations) == 3

    def test_after_replace_after_the_pod_moves_on_its_own(self):
        world = self.unique(recovery={"replaceAfter": "20m"})
        node = world.node_of("db-node-1")
        world.silence(node)
        world.until(lambda world: world.events("remove") != [], seconds=30)
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")
        assert moved_at(world) is not None

    def test_not_before(self):
        world = self.unique(recovery={"replaceAfter": "20m"})
        node = world.node_of("db-node-1")
        world.silence(node)
        for _ in range(38):
            world.step(seconds=30)
        assert world.node_of("db-node-1") == node

    def test_a_node_that_is_gone_counts_from_when_its_place_says_so(self):
        world = self.unique(recovery={"replaceAfter": "20m"})
        world.destroy(world.node_of("db-node-1"))
        for _ in range(50):
            world.step(seconds=30)
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")
        assert len(world.reservations) == 3

    def test_two_lost_nodes_are_given_up_one_after_the_other(self):
        world = self.unique(recovery={"replaceAfter": "20m", "minimumDelay": "15m"}, nodes=5)
        world.silence(world.node_of("db-node-1"))
        world.silence(world.node_of("db-node-2"))
        world.until(lambda world: world.events("remove") != [], seconds=30)
        first = world.now
        world.until(lambda world: world.state() == ("Ready", "AsSpecified"), steps=400, seconds=10)
        second = moved_at(world)
        assert second is not None
        assert second - first >= 14 * 60

    def test_nothing_is_launched_on_a_cordoned_node(self):
        world = self.unique()
        node = world.node_of("db-node-1")
        world.cordon(node)
        world.lose_pod("db-node-1")
        world.settle()
        assert "db-node-1" not in world.pods
        assert f"its node {node} is cordoned" in world.message()


class TestPause:
    def test_a_paused_pod_idles_in_its_place_and_is_not_ready_work(self):
        world = deployed()
        world.request("Pause", pod="node-1")
        world.settle()
        manifest = world.manifests[world.pods["db-node-1"].metadata.uid]
        assert manifest["spec"]["containers"][0]["command"][0] == "sh"
        assert world.words()["node-1"].startswith("Paused")
        world.request("Resume", pod="node-1")
        world.settle()
        manifest = world.manifests[world.pods["db-node-1"].metadata.uid]
        assert "command" not in manifest["spec"]["containers"][0]
        assert world.state() == ("Ready", "AsSpecified")

    def test_probes_are_left_out_meanwhile(self):
        probed = template()
        probed["spec"]["containers"][0] |= {"readinessProbe": {"exec": {}}, "args": ["x"], "command": ["db"]}
        world = deployed(pod_set(template=probed))
        world.request("Pause", pod="node-0")
        world.settle()
        container = world.manifests[world.pods["db-node-0"].metadata.uid]["spec"]["containers"][0]
        assert "readinessProbe" not in container
        assert "args" not in container

    def test_a_pause_outlasts_the_loss_of_the_pod(self):
        world = deployed()
        world.request("Pause", pod="node-1")
        world.settle()
        world.lose_pod("db-node-1")
        world.settle()
        assert world.words()["node-1"].startswith("Paused")

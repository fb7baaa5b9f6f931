"""How a stateful service comes up: names, places, volumes and files of its pods, in the order of its plan."""

from itertools import pairwise

from tests.builders import NOON
from tests.unit.frameworks.stateful.world import World, deployed, phase, pod_set, task, template

UNIQUE = [{"key": "metadata.name", "operator": "Unique"}]


def manifest_of(world: World, pod: str):
    return world.manifests[world.pods[pod].metadata.uid]


class TestNames:
    def test_pods_are_numbered_and_found_by_their_names(self):
        world = deployed()
        assert sorted(world.pods) == ["db-node-0", "db-node-1", "db-node-2"]
        spec = manifest_of(world, "db-node-1")["spec"]
        assert (spec["hostname"], spec["subdomain"]) == ("db-node-1", "db")
        assert "db" in world.services

    def test_pods_carry_the_labels_of_instance_set_role_and_owner(self):
        world = deployed(role="databases")
        labels = world.pods["db-node-0"].metadata.labels
        assert labels["tender.dev/instance"] == "node-0"
        assert labels["tender.dev/set"] == "node"
        assert labels["tender.dev/task"] == "node-0"
        assert labels["tender.dev/role"] == "databases"
        assert labels["app"] == "db"
        assert world.pods["db-node-0"].metadata.owner_references[0].uid == "uid-of-db"

    def test_pods_of_side_tasks_are_not_found_as_pods_of_the_service(self):
        plans = [{"name": "deploy", "phases": [phase(), phase(task="init")]}]
        world = deployed(pod_set(count=1, tasks=[task("init")]), plans=plans)
        parts = {
            one["metadata"]["name"]: one["metadata"]["labels"]["tender.dev/part"] for one in world.manifests.values()
        }
        assert parts == {"db-node-0": "pod", "db-node-0-init": "task"}
        assert world.frameworks["db"].status.selector == "tender.dev/framework=db,tender.dev/part=pod"

    def test_a_framework_that_cannot_name_a_service_is_refused(self):
        world = World().with_nodes()
        world.apply(pod_set(), name="9db")
        world.step()
        assert world.state("9db") == ("Stalled", "InvalidTarget")

    def test_names_that_would_be_too_long_are_refused(self):
        world = World().with_nodes()
        world.apply(pod_set("s" * 20), name="f" * 41)
        world.step()
        assert world.state("f" * 41) == ("Stalled", "InvalidTarget")
        assert "shorten the names" in world.message("f" * 41)


class TestPlaces:
    def test_each_pod_gets_a_reservation_of_its_own_and_runs_in_it(self):
        world = deployed(pod_set(constraints=UNIQUE))
        nodes = {world.node_of(pod) for pod in world.pods}
        assert len(nodes) == 3
        assert {one.spec.node for one in world.reservations.values()} == nodes
        assert world.place("node-0").spec.amounts["cpu"] == 500
        assert world.place("node-0").spec.framework == "db"

    def test_one_pod_after_the_other_by_default(self):
        world = World().with_nodes()
        world.check = lambda world: unready_at_most_one(world)
        world.apply(pod_set(count=4))
        world.settle()
        assert len(world.pods) == 4

    def test_all_at_once_in_parallel_phases(self):
        world = World().with_nodes()
        world.apply(pod_set(), plans=[{"name": "deploy", "phases": [phase(strategy="Parallel")]}])
        world.until(lambda world: len(world.pods) == 3)
        assert not any(pod.ready for pod in world.pods.values())

    def test_of_very_many_pods_places_are_asked_for_by_and_by(self):
        world = World().with_nodes(2, cpu="64", memory="64Gi")
        plans = [{"name": "deploy", "phases": [phase(strategy="Parallel")]}]
        world.apply(pod_set(count=150), plans=plans)
        world.settle(steps=800)
        assert len(world.pods) == 150
        assert world.state() == ("Ready", "AsSpecified")

    def test_the_pod_names_the_offer_only_while_its_claim_stands(self):
        world = deployed()
        world.request("Restart", pod="node-0")
        world.settle()
        assert "tender.dev/offer" not in manifest_of(world, "db-node-0")["metadata"]["labels"]

    def test_pods_are_launched_into_their_places_while_no_master_runs(self):
        world = deployed()
        world.master = False
        world.lose_pod("db-node-2")
        world.settle()
        assert world.pods["db-node-2"].ready

    def test_a_running_pod_whose_reservation_was_deleted_gets_another_where_it_runs(self):
        world = deployed()
        node, uid = world.node_of("db-node-0"), world.pods["db-node-0"].metadata.uid
        del world.reservations[world.place("node-0").metadata.name]
        world.settle()
        assert world.place("node-0").spec.node == node
        assert world.pods["db-node-0"].metadata.uid == uid

    def test_a_pod_that_has_lost_its_place_goes_back_to_where_its_volumes_are(self):
        world = deployed(pod_set(count=1), nodes=4)
        node = world.node_of("db-node-0")
        del world.reservations[world.place("node-0").metadata.name]
        world.lose_pod("db-node-0")
        world.settle()
        assert world.node_of("db-node-0") == node

    def test_what_it_waits_for_is_said_while_no_offer_comes(self):
        world = World().with_nodes(1, cpu="1")
        world.apply(pod_set(count=3))
        for _ in range(60):
            world.step()
        assert sorted(world.pods) == ["db-node-0", "db-node-1"]
        assert world.state() == ("Reconciling", "RollingOut")
        assert "node-2: waiting for an offer" in world.message()

    def test_room_for_the_largest_side_task_is_reserved_too(self):
        big = task("repair")
        big["template"] = template(cpu="700m", memory="64Mi")
        world = deployed(pod_set(count=1, tasks=[task("backup"), big]))
        assert world.place("node-0").spec.amounts["cpu"] == 1200


class TestFiles:
    FILES = {  # noqa: RUF012
        "db.conf": "name=${pod.name}\nindex=${pod.index}\nhost=${pod.host}\nall=${pods.node.hosts}\n",
        "start.sh": "exec run $HOME $$ $1 $${X}\n",
    }

    def test_variables_are_replaced_for_each_pod(self):
        world = deployed(pod_set(count=2, config=self.FILES))
        conf = world.config_maps["db-node-1"].data["db.conf"].splitlines()
        assert conf[:3] == ["name=db-node-1", "index=1", "host=db-node-1.db.shop.svc"]
        assert conf[3] == "all=db-node-0.db.shop.svc,db-node-1.db.shop.svc"

    def test_what_is_not_in_braces_is_left_to_the_shell(self):
        world = deployed(pod_set(count=1, config=self.FILES))
        assert world.config_maps["db-node-0"].data["start.sh"] == "exec run $HOME $$ $1 ${X}\n"

    def test_the_files_are_mounted_as_the_volume_config(self):
        world = deployed(pod_set(count=1, config=self.FILES))
        volumes = {one["name"]: one for one in manifest_of(world, "db-node-0")["spec"]["volumes"]}
        assert volumes["config"]["configMap"]["name"] == "db-node-0"
        assert volumes["data"]["persistentVolumeClaim"]["claimName"] == "data-db-node-0"

    def test_a_variable_that_is_not_known_has_the_target_refused(self):
        world = World().with_nodes()
        world.apply(pod_set(config={"db.conf": "${pod.nmae}"}))
        world.step()
        assert world.state() == ("Stalled", "InvalidTarget")
        assert "file db.conf: ${pod.nmae} is not known" in world.message()

    def test_more_pods_roll_those_whose_files_name_them_all(self):
        world = deployed(pod_set(count=1, config=self.FILES))
        uid = world.pods["db-node-0"].metadata.uid
        world.apply(pod_set(count=2, config=self.FILES))
        world.settle()
        assert world.pods["db-node-0"].metadata.uid != uid
        assert "db-node-1" in world.config_maps["db-node-0"].data["db.conf"]

    def test_more_pods_leave_alone_those_whose_files_do_not(self):
        world = deployed(pod_set(count=1, config={"a": "${pod.name}"}))
        uid = world.pods["db-node-0"].metadata.uid
        world.apply(pod_set(count=2, config={"a": "${pod.name}"}))
        world.settle()
        assert world.pods["db-node-0"].metadata.uid == uid


class TestVolumes:
    def test_the_first_pod_is_pinned_for_kube_scheduler_and_later_ones_are_born_bound(self):
        world = deployed(pod_set(count=1))
        assert "affinity" in manifest_of(world, "db-node-0")["spec"]
        world.request("Restart", pod="node-0")
        world.settle()
        assert manifest_of(world, "db-node-0")["spec"]["nodeName"] == world.place("node-0").spec.node

    def test_a_pod_that_cannot_be_bound_at_its_place_goes_elsewhere(self):
        world = World().with_nodes(2)
        world.unschedulable.add("node-1")
        world.apply(pod_set(count=1))
        world.settle()
        assert world.node_of("db-node-0") == "node-2"
        assert [one.spec.node for one in world.reservations.values()] == ["node-2"]
        assert len(world.volume_claims) == 1

    def test_a_pod_whose_volume_has_data_waits_and_says_so(self):
        world = deployed(pod_set(count=1, volumeClaimTemplates=[volume("data"), volume("log")]), nodes=2)
        node = world.node_of("db-node-0")
        world.unschedulable.add(node)
        del world.volume_claims["log-db-node-0"]
        world.request("Restart", pod="node-0")
        for _ in range(200):
            world.step()
        assert world.place("node-0").spec.node == node
        assert "no volume to bind" in world.words()["node-0"]

    def test_a_pod_without_volumes_is_born_bound(self):
        world = deployed(pod_set(count=1, volumeClaimTemplates=[]))
        assert manifest_of(world, "db-node-0")["spec"]["nodeName"] == "node-1"


class TestDependencies:
    def test_nothing_starts_before_what_it_depends_on_is_ready(self):
        world = World().with_nodes()
        world.apply(pod_set(count=1), dependsOn=[{"name": "zk"}])
        world.step()
        world.step()
        assert world.state() == ("Reconciling", "WaitingForDependencies")
        assert not world.revisions
        world.apply(pod_set(count=1), name="zk")
        world.settle()
        assert world.state() == ("Ready", "AsSpecified")
        assert world.log.index("launch zk-node-0") < world.log.index("launch db-node-0")

    def test_what_runs_already_runs_on(self):
        world = World().with_nodes()
        world.apply(pod_set(count=1), name="zk")
        world.apply(pod_set(count=1), dependsOn=[{"name": "zk"}])
        world.settle()
        world.slow.add("db:1")
        world.lose_pod("zk-node-0")
        world.step()
        world.slow.clear()
        world.lose_pod("db-node-0")
        world.settle("db")
        assert world.pods["db-node-0"].ready


class TestUnknownPods:
    def test_t47_a_pod_of_the_service_that_is_none_of_its_pods_is_stopped(self):
        world = deployed(pod_set(count=1))
        stray = dict(manifest_of(world, "db-node-0"))
        stray["metadata"] = {**stray["metadata"], "name": "db-node-7x", "labels": {"tender.dev/framework": "db"}}
        world._launch(stray)
        world.settle()
        assert sorted(world.pods) == ["db-node-0"]

    def test_t47_a_pod_that_was_made_before_the_record_was_lost_is_taken_over(self):
        world = deployed(pod_set(count=1))
        uid = world.pods["db-node-0"].metadata.uid
        world.config_maps.clear()
        world.settle()
        assert world.pods["db-node-0"].metadata.uid == uid
        assert "db-node-0" in world.config_maps
        assert world.state() == ("Ready", "AsSpecified")


class TestFailures:
    def test_a_pod_that_fails_while_it_is_deployed_is_tried_again_after_a_minute(self):
        world = World().with_nodes()
        world.broken.add("db:1")
        world.apply(pod_set(count=1))
        world.until(lambda world: world.steps("deploy") == {"node-0": "Delayed"})
        assert "failed once" in world.message()
        failed_at = world.now
        world.broken.clear()
        world.until(lambda world: world.state() == ("Ready", "AsSpecified"))
        assert 55 <= world.now - failed_at <= 75

    def test_the_wait_grows_up_to_five_minutes(self):
        world = World().with_nodes()
        world.broken.add("db:1")
        world.apply(pod_set(count=1))
        launches = []
        for _ in range(4000):
            before = len(world.events("launch"))
            world.step()
            if len(world.events("launch")) > before:
                launches.append(world.now)
        gaps = [later - sooner for sooner, later in pairwise(launches)]
        assert 58 <= gaps[0] <= 70
        assert gaps == sorted(gaps) or all(abs(a - b) <= 4 for a, b in zip(gaps, sorted(gaps), strict=True))
        assert 295 <= gaps[-1] <= 315

    def test_the_next_step_does_not_begin(self):
        world = World().with_nodes()
        world.slow.add("db:1")
        world.apply(pod_set())
        for _ in range(60):
            world.step()
        assert sorted(world.pods) == ["db-node-0"]
        assert world.now > NOON


def volume(name: str):
    return {"name": name, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def unready_at_most_one(world: World) -> None:
    assert sum(not pod.ready for pod in world.live.values()) <= 1

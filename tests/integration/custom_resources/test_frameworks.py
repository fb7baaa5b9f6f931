"""The API server takes the frameworks that can run, and refuses the others with the fix."""

import pytest
import yaml
from tests.integration.custom_resources.objects import (
    MANY_RESOURCES,
    ApiServer,
    Manifest,
    Objects,
    container,
    framework,
    refusal,
)

from tender.api import Framework


class TestAFramework:
    def test_is_taken_with_a_template_as_in_a_deployment(self, objects: Objects):
        pod = {
            "containers": [container() | {"env": [{"name": "A", "value": "b"}]}],
            "terminationGracePeriodSeconds": 5,
        }
        created = objects.create(framework(pod))
        assert created["spec"]["service"]["template"]["spec"] == pod
        assert created["spec"]["role"] == "default"
        assert Framework.read(created).spec.service is not None

    def test_runs_one_pod_unless_it_says_otherwise(self, objects: Objects):
        written = framework()
        del written["spec"]["service"]["replicas"]
        assert objects.create(written)["spec"]["service"]["replicas"] == 1

    def test_is_taken_with_a_controller_elsewhere(self, objects: Objects):
        assert objects.create(framework(external={}))["spec"]["external"] == {}

    def test_is_refused_without_a_workload(self, objects: Objects):
        message = refusal(objects.create, framework(role="shops"))
        assert "spec: Invalid value: the framework has no workload: set spec.service" in message

    def test_is_refused_with_two_workloads(self, objects: Objects):
        message = refusal(objects.create, framework(external={}, **framework()["spec"]))
        assert "set only one of spec.service, spec.stateful and spec.external" in message

    def test_is_refused_with_fewer_than_no_replicas(self, objects: Objects):
        message = refusal(objects.create, framework(replicas=-1))
        assert "spec.service.replicas in body should be greater than or equal to 0" in message

    @pytest.mark.parametrize("role", ["Shops", "a.b", "-a", "a" * 64])
    def test_is_refused_with_a_role_that_is_no_label(self, objects: Objects, role: str):
        assert "spec.role" in refusal(objects.create, framework(role=role, external={}))

    def test_is_taken_with_further_roles_and_capabilities(self, objects: Objects):
        roles, capabilities = [f"role-{index}" for index in range(16)], ["nvidia.com/gpu", "cpu", "example.com/a_b.C-1"]
        created = objects.create(framework(role="shops", roles=roles, capabilities=capabilities, external={}))
        spec = Framework.read(created).spec
        assert spec.all_roles == ("shops", *roles)
        assert spec.capabilities == tuple(capabilities)

    @pytest.mark.parametrize(("spec", "repeated"), [({"role": "shops"}, "shops"), ({}, "default")])
    def test_is_refused_with_its_role_among_the_further_ones(self, objects: Objects, spec: Manifest, repeated: str):
        message = refusal(objects.create, framework(**spec, roles=["bakers", repeated], external={}))
        assert "spec.roles: Invalid value: spec.roles repeats spec.role: name only further roles there" in message

    @pytest.mark.parametrize("field", ["roles", "capabilities"])
    def test_is_refused_with_something_named_twice(self, objects: Objects, field: str):
        spec: Manifest = {"external": {}, field: ["bakers", "bakers"]}
        message = refusal(objects.create, framework(**spec))
        assert f"spec.{field}[1]: Duplicate value" in message

    @pytest.mark.parametrize(
        ("field", "named", "expected"),
        [
            ("roles", ["Shops"], "spec.roles[0] in body should match"),
            ("roles", [f"role-{index}" for index in range(17)], "spec.roles: Too many: 17: must have at most 16 items"),
            ("capabilities", ["nvidia.com/"], "spec.capabilities[0] in body should match"),
            ("capabilities", ["a gpu"], "spec.capabilities[0] in body should match"),
        ],
    )
    def test_is_refused_with_what_is_no_name(self, objects: Objects, field: str, named: list[str], expected: str):
        spec: Manifest = {"external": {}, field: named}
        assert expected in refusal(objects.create, framework(**spec))

    def test_is_refused_with_a_field_that_does_not_exist(self, api_server: ApiServer, objects: Objects):
        written = yaml.safe_dump(framework(external={}, replica=3))
        done = api_server.kubectl("create", "--dry-run=server", "--filename=-", input=written, check=False)
        assert done.returncode != 0
        assert 'unknown field "spec.replica"' in done.stderr

    def test_is_scaled_by_kubectl(self, api_server: ApiServer, objects: Objects, namespace: str):
        objects.create(framework(replicas=3))
        api_server.kubectl("scale", "framework", "web", "--replicas=7", f"--namespace={namespace}")
        assert objects.get("Framework", "web")["spec"]["service"]["replicas"] == 7

    def test_shows_its_further_roles_in_a_wide_list(self, api_server: ApiServer, objects: Objects, namespace: str):
        objects.create(framework(role="shops", roles=["bakers"], external={}))
        listed = api_server.kubectl("get", "framework", f"--namespace={namespace}", "--output=wide").stdout
        assert "FURTHER ROLES" in listed
        assert '["bakers"]' in listed

    def test_shows_its_pods_to_an_autoscaler(self, objects: Objects):
        objects.create(framework(replicas=3))
        status = {"replicas": 2, "selector": "tender.dev/framework=web"}
        objects.patch("Framework", "web", {"status": status}, "status")
        assert objects.get("Framework", "web/scale")["status"] == status

    def test_keeps_the_parts_of_its_status_apart_by_writer(self, objects: Objects):
        written = framework(external={})
        objects.create(written)
        base = {key: written[key] for key in ("apiVersion", "kind", "metadata")}
        demand = [{"name": "web", "requests": {"cpu": "1"}, "count": 1000}]
        objects.apply({**base, "status": {"demand": demand}}, "tender-service", "status")
        objects.apply({**base, "status": {"allocation": {"dominantShare": "0.1"}}}, "tender-master", "status")
        status = Framework.read(objects.get("Framework", "web")).status
        assert status.demand is not None
        assert status.demand[0].amounts == {"cpu": 1000}
        assert status.allocation is not None
        assert status.allocation.dominant_share == "0.1"

    def test_can_need_nothing(self, objects: Objects):
        objects.create(framework(external={}))
        objects.patch("Framework", "web", {"status": {"demand": []}}, "status")
        assert Framework.read(objects.get("Framework", "web")).status.demand == ()

    def test_is_taken_with_the_largest_demand(self, objects: Objects):
        objects.create(framework(external={}))
        demand = [
            {
                "name": f"task-{index}",
                "requests": dict.fromkeys(MANY_RESOURCES, "1"),
                "count": 2**31 - 1,
                "nodeSelector": {f"key-{key}": "v" * 63 for key in range(32)},
                "maxPerNode": 1,
            }
            for index in range(128)
        ]
        objects.patch("Framework", "web", {"status": {"demand": demand}}, "status")


class TestAPodTemplate:
    @pytest.mark.parametrize(
        ("pod", "expected"),
        [
            ({"containers": []}, "spec.containers in body should have at least 1 items"),
            ({}, "template.spec.containers: Required value"),
            (
                {"containers": [container(), {"name": "side", "image": "side"}]},
                "each of spec.containers needs resources.requests.cpu and resources.requests.memory",
            ),
            (
                {"containers": [container(cpu="1")]},
                "each of spec.containers needs resources.requests.cpu and",
            ),
            (
                {"containers": [container()], "initContainers": [container("init", memory="1Gi")]},
                "each of spec.initContainers needs resources.requests.cpu and",
            ),
            (
                {"containers": [container(cpu="-1", memory="1Gi")]},
                "containers[0].resources.requests: Invalid value: an amount is negative: write",
            ),
            (
                {"containers": [container(cpu=-1, memory="1Gi")]},
                "containers[0].resources.requests: Invalid value: an amount is negative: write",
            ),
            (
                {"containers": [container(cpu="one", memory="1Gi")]},
                "containers[0].resources.requests.cpu",
            ),
            (
                {"containers": [container()], "nodeName": "node-1"},
                "remove nodeName: the offer decides the node",
            ),
        ],
    )
    def test_is_refused_when_no_pod_could_be_placed_by_it(self, objects: Objects, pod: Manifest, expected: str):
        written = framework()
        written["spec"]["service"]["template"]["spec"] = pod
        message = refusal(objects.create, written)
        assert expected in message
        assert "spec.service.template.spec" in message

    def test_may_have_its_requests_at_the_pod(self, objects: Objects):
        requests = {"requests": {"cpu": "1", "memory": "1Gi"}}
        objects.create(framework({"containers": [{"name": "app", "image": "app"}], "resources": requests}))

    def test_is_refused_with_metadata_that_no_pod_could_have(self, objects: Objects):
        written = framework()
        written["spec"]["service"]["template"]["metadata"] = {"labels": {"app": "not a label"}}
        assert "spec.service.template.metadata.labels" in refusal(objects.create, written)

    def test_may_be_large(self, objects: Objects):
        many = [container(f"c{index}") for index in range(32)]
        objects.create(framework({"containers": many, "initContainers": many}))


class TestTheDemandOfAFramework:
    """Absent means "everything", empty means "nothing": the API server must keep the two apart."""

    def test_stays_empty_when_it_is_applied_empty(self, objects: Objects):
        objects.create(framework())
        for demand in ([entry("a")], []):
            written = objects.apply(status_of(demand), "tender-service", "status")
            assert written["status"]["demand"] == demand

    def test_goes_when_it_is_left_out(self, objects: Objects):
        objects.create(framework())
        objects.apply(status_of([]), "tender-service", "status")
        manifest = status_of([])
        manifest["status"] = {"replicas": 0}
        assert "demand" not in objects.apply(manifest, "tender-service", "status")["status"]

    def test_is_refused_with_two_entries_of_one_name(self, objects: Objects):
        objects.create(framework())
        message = refusal(objects.apply, status_of([entry("a"), entry("a")]), "tender-service", "status")
        assert "two entries of the same name" in message

    def test_may_have_128_entries(self, objects: Objects):
        objects.create(framework())
        objects.apply(status_of([entry(f"{'shape' * 11}-{index}") for index in range(128)]), "tender-service", "status")


def entry(name: str) -> Manifest:
    return {"name": name, "requests": {"cpu": "1"}, "count": 1}


def status_of(demand: list[Manifest]) -> Manifest:
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": framework()["metadata"]["name"]},
        "status": {"demand": demand},
    }

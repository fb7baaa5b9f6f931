"""What the chart renders: safe pods, probes, names and labels, whatever the values."""

from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from tests.chart.helm import CHART, COMPONENTS, PREVIOUS, VALUES, Helm, Manifest, Rendered

import tender
from tender.allocation import Settings
from tender.cli import main
from tender.cli.allocation import allocation_options

PROBES = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}


ALLOCATION = {
    "sorter": "random",
    "unsharedResources": ["pods", "ephemeral-storage"],
    "scarceResources": ["nvidia.com/gpu", "amd.com/gpu"],
    "minimumOffer": [{"cpu": 1.5, "memory": 33_554_432}, {"nvidia.com/gpu": "1"}],
}


def allocation(rendered: Rendered) -> Settings:
    """The settings that the master of a rendered chart allocates by."""
    given: list[Settings] = []

    @click.command(context_settings={"ignore_unknown_options": True})
    @allocation_options
    @click.argument("others", nargs=-1)
    def command(cycle: Settings, others: tuple[str, ...]) -> None:
        given.append(cycle)

    CliRunner().invoke(command, rendered.container("master")["args"], catch_exceptions=False)
    return given[0]


@pytest.fixture(scope="module", params=VALUES, ids=lambda path: path.stem)
def rendered(helm: Helm, request: pytest.FixtureRequest) -> Rendered:
    """The chart rendered with each of the values files."""
    return helm.template(values=request.param)


@pytest.fixture(scope="module")
def default(helm: Helm) -> Rendered:
    return helm.template()


class TestTheChart:
    def test_has_the_version_of_the_program(self):
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        assert (chart["version"], chart["appVersion"]) == (tender.__version__, tender.__version__)

    @pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
    def test_passes_helm_lint_without_a_warning(self, helm: Helm, values: Path):
        helm.run("lint", "--strict", str(CHART), f"--values={values}")

    def test_is_the_same_when_packaged(self, helm: Helm, default: Rendered, tmp_path: Path):
        helm.run("package", str(CHART), f"--destination={tmp_path}")
        assert helm.template(chart=tmp_path / f"tender-{tender.__version__}.tgz").objects == default.objects

    def test_uses_no_hooks(self, rendered: Rendered):
        assert "helm.sh/hook" not in rendered.text


class TestAfterTheLastRelease:
    def test_every_value_still_counts(self, helm: Helm, tmp_path: Path):
        former = tmp_path / "former.yaml"
        former.write_text(helm.run("show", "values", str(PREVIOUS)).stdout)
        helm.template(values=former)

    def test_deployments_can_be_changed_in_place(self, helm: Helm, default: Rendered):
        former = dict(helm.template(chart=PREVIOUS).deployments())
        for component, deployment in default.deployments():
            assert deployment["metadata"]["name"] == former[component]["metadata"]["name"]
            assert deployment["spec"]["selector"] == former[component]["spec"]["selector"]


class TestEveryObject:
    def test_has_its_own_name_and_kind(self, rendered: Rendered):
        names = [
            (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendered.objects
        ]
        assert len(names) == len(set(names))

    def test_carries_the_recommended_labels(self, rendered: Rendered):
        recommended = {
            f"app.kubernetes.io/{word}" for word in ("name", "instance", "version", "part-of", "managed-by")
        } | {"helm.sh/chart"}
        for each in rendered.objects:
            assert recommended <= each["metadata"]["labels"].keys(), each["metadata"]["name"]

    @pytest.mark.parametrize(
        ("release", "prefix"),
        [("tender", "tender"), ("tender-blue", "tender-blue"), ("blue", "blue-tender"), ("a" * 53, "a" * 40)],
    )
    def test_is_named_after_the_release(self, helm: Helm, release: str, prefix: str):
        names = {each["metadata"]["name"] for each in helm.template(release=release).of("Deployment")}
        assert names == {f"{prefix}-{component}" for component in COMPONENTS}


class TestEveryPod:
    def test_is_the_only_one_of_its_component(self, rendered: Rendered):
        for _, deployment in rendered.deployments():
            assert deployment["spec"]["replicas"] == 1
            assert deployment["spec"]["strategy"] == {"type": "Recreate"}
            assert "topologySpreadConstraints" not in deployment["spec"]["template"]["spec"]
        assert not rendered.of("PodDisruptionBudget")

    def test_is_selected_by_labels_that_tell_the_components_apart(self, rendered: Rendered):
        selectors = []
        for _, deployment in rendered.deployments():
            selector = deployment["spec"]["selector"]["matchLabels"]
            assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
            selectors.append(selector)
        assert all(one != other for one in selectors for other in selectors if one is not other)

    def test_runs_as_somebody_with_no_rights_on_its_node(self, rendered: Rendered):
        for component, deployment in rendered.deployments():
            pod = deployment["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
            assert not any("hostPath" in volume for volume in pod.get("volumes", []))
            assert rendered.container(component)["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }

    def test_is_probed_where_the_program_answers(self, rendered: Rendered):
        for component, _ in rendered.deployments():
            container = rendered.container(component)
            [port] = container["ports"]
            assert f"--port={port['containerPort']}" in container["args"]
            for probe, path in PROBES.items():
                assert container[probe]["httpGet"] == {"path": path, "port": port["name"]}

    def test_has_requests_and_a_memory_limit(self, rendered: Rendered):
        for component, _ in rendered.deployments():
            resources = rendered.container(component)["resources"]
            assert resources["requests"].keys() == {"cpu", "memory"}
            assert "memory" in resources["limits"]

    def test_is_started_with_arguments_that_the_program_knows(self, rendered: Rendered):
        for component, _ in rendered.deployments():
            result = CliRunner().invoke(main, [*rendered.container(component)["args"], "--help"])
            assert result.exit_code == 0, result.output

    def test_uses_a_service_account_of_its_own(self, rendered: Rendered):
        used = [
            deployment["spec"]["template"]["spec"]["serviceAccountName"] for _, deployment in rendered.deployments()
        ]
        assert len(used) == len(set(used))
        assert "default" not in used


class TestSeveralReplicas:
    ELECTED = ("master.replicas=2",)

    @pytest.mark.parametrize("setting", ["master.replicas=2", "master.strategy.type=RollingUpdate"])
    def test_are_refused_where_none_of_them_is_elected(self, helm: Helm, setting: str):
        alone = "master.extraArgs={--no-leader-elect}"
        assert "master: several replicas, or a strategy other than Recreate, need leader election" in helm.refusal(
            setting, alone
        )

    def test_are_replaced_one_by_one_and_drained_one_by_one(self, helm: Helm):
        rendered = helm.template(*self.ELECTED)
        spec = rendered.one("Deployment", "tender-master")["spec"]
        assert spec["replicas"] == 2
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
        }
        [budget] = rendered.of("PodDisruptionBudget")
        assert budget["metadata"]["name"] == "tender-master"
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"] == spec["selector"]

    def test_are_spread_over_nodes(self, helm: Helm):
        spec = helm.template(*self.ELECTED).one("Deployment", "tender-master")["spec"]
        [by_node] = spec["template"]["spec"]["topologySpreadConstraints"]
        assert by_node["topologyKey"] == "kubernetes.io/hostname"
        assert by_node["whenUnsatisfiable"] == "ScheduleAnyway"
        assert by_node["labelSelector"] == spec["selector"]

    def test_are_spread_as_is_asked_for(self, helm: Helm):
        first = "master.topologySpreadConstraints[0]"
        rendered = helm.template(
            *self.ELECTED,
            f"{first}.maxSkew=1",
            f"{first}.topologyKey=topology.kubernetes.io/zone",
            f"{first}.whenUnsatisfiable=DoNotSchedule",
            f"{first}.labelSelector.matchLabels.app=all",
        )
        template = rendered.one("Deployment", "tender-master")["spec"]["template"]
        assert template["spec"]["topologySpreadConstraints"] == [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "all"}},
            }
        ]

    def test_can_do_without_a_budget(self, helm: Helm):
        rendered = helm.template(*self.ELECTED, "master.podDisruptionBudget.create=false")
        assert not rendered.of("PodDisruptionBudget")


class TestTheDefaults:
    def test_run_with_a_priority_that_what_they_place_has_not(self, default: Rendered):
        for _, deployment in default.deployments():
            assert deployment["spec"]["template"]["spec"]["priorityClassName"] == "system-cluster-critical"

    def test_run_the_master_and_the_controller(self, default: Rendered):
        assert [component for component, _ in default.deployments()] == ["controller", "master"]

    def test_offer_all_nodes_and_run_the_frameworks_of_all_namespaces(self, default: Rendered):
        assert default.container("controller")["args"] == [
            "controller",
            "--port=8080",
            "--log-level=info",
            "--leader-elect",
            "--lease-namespace=tender-system",
            "--lease-name=tender-controller",
            "--reserve-discipline=0",
        ]
        assert not [one for one in default.container("master")["args"] if one.startswith("--node-selector")]

    def test_allocate_as_the_program_does_without_arguments(self, default: Rendered):
        assert allocation(default) == Settings()

    def test_take_the_image_of_the_charts_version(self, default: Rendered):
        for component in COMPONENTS:
            assert default.container(component)["image"] == f"tender.dev/tender:{tender.__version__}"

    def test_make_metrics_easy_to_find(self, default: Rendered):
        for component, deployment in default.deployments():
            service = default.one("Service", f"tender-{component}-metrics")["spec"]
            assert service["clusterIP"] == "None"
            assert service["selector"] == deployment["spec"]["selector"]["matchLabels"]
            assert [port["name"] for port in service["ports"]] == ["metrics"]
            annotations = deployment["spec"]["template"]["metadata"]["annotations"]
            assert annotations["prometheus.io/scrape"] == "true"


class TestAValue:
    def test_image_tag_and_digest(self, helm: Helm):
        digest = f"sha256:{'0' * 64}"
        tagged = helm.template("image.repository=a/b", "image.tag=v7")
        pinned = helm.template("image.repository=a/b", "image.tag=v7", f"image.digest={digest}")
        assert tagged.container("master")["image"] == "a/b:v7"
        assert pinned.container("master")["image"] == f"a/b@{digest}"

    def test_offered_nodes_are_not_where_the_master_runs(self, helm: Helm):
        rendered = helm.template("master.offeredNodes=pool=shared", "master.nodeSelector.pool=control")
        master = dict(rendered.deployments())["master"]
        assert "--node-selector=pool=shared" in rendered.container("master")["args"]
        assert master["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "control"}

    def test_allocation_reaches_the_master(self, helm: Helm, tmp_path: Path):
        values = tmp_path / "values.yaml"
        values.write_text(yaml.safe_dump({"master": {"allocation": ALLOCATION}}))
        assert allocation(helm.template(values=values)) == Settings(
            sorter="random",
            unshared_resources=frozenset({"pods", "ephemeral-storage"}),
            scarce_resources=frozenset({"nvidia.com/gpu", "amd.com/gpu"}),
            minimum_offer=({"cpu": 1500, "memory": 33_554_432}, {"nvidia.com/gpu": 1}),
        )

    def test_empty_lists_switch_the_rules_off(self, helm: Helm, tmp_path: Path):
        values = tmp_path / "values.yaml"
        empty: dict[str, list[str]] = {"unsharedResources": [], "scarceResources": [], "minimumOffer": []}
        values.write_text(yaml.safe_dump({"master": {"allocation": empty}}))
        assert allocation(helm.template(values=values)) == Settings(
            unshared_resources=frozenset(), scarce_resources=frozenset(), minimum_offer=()
        )

    def test_reserve_discipline_is_the_program_s(self, helm: Helm):
        rendered = helm.template("controller.reserveDiscipline=2")
        assert "--reserve-discipline=2" in rendered.container("controller")["args"]

    @pytest.mark.parametrize(
        ("settings", "namespaces"),
        [
            (["controller.namespace=shop"], ["shop"]),
            (["controller.namespaces={shop,bank}"], ["shop", "bank"]),
            (["controller.namespaces={shop}", "controller.namespace=bank"], ["shop", "bank"]),
            (["controller.namespaces={shop}", "controller.namespace=shop"], ["shop"]),
        ],
    )
    def test_controller_namespaces_limit_the_program_and_its_rights(
        self, helm: Helm, settings: list[str], namespaces: list[str]
    ):
        rendered = helm.template(*settings)
        given = [one for one in rendered.container("controller")["args"] if one.startswith("--namespace")]
        assert given == [f"--namespace={namespace}" for namespace in namespaces]
        for kind in ("Role", "RoleBinding"):
            found = {(each["metadata"]["name"], each["metadata"]["namespace"]) for each in rendered.of(kind)}
            assert {one for one in found if not one[0].endswith("-lease")} == {
                ("tender-controller", namespace) for namespace in namespaces
            }

    def test_switched_off_components_leave_nothing(self, helm: Helm):
        rendered = helm.template("master.enabled=false", "controller.enabled=false", "crds.install=false")
        assert rendered.objects == []

    def test_runs_a_controller_of_its_own_without_cluster_wide_rights_but_to_see_nodes(self, helm: Helm):
        rendered = helm.template(values=CHART.parents[1] / "tests" / "chart" / "values" / "own-namespaces.yaml")
        [role] = rendered.of("ClusterRole")
        assert [rule["resources"] for rule in role["rules"]] == [["nodes"]]
        [binding] = rendered.of("ClusterRoleBinding")
        assert binding["roleRef"]["name"] == role["metadata"]["name"]

    def test_pod_details_reach_their_component_only(self, helm: Helm):
        rendered = helm.template(
            "master.priorityClassName=high",
            "controller.priorityClassName=",
            "master.podLabels.tier=control",
            "master.extraEnv[0].name=A",
            "master.extraEnv[0].value=b",
            "master.extraEnvFrom[0].configMapRef.name=proxy",
            "master.extraVolumes[0].name=certificates",
            "master.extraVolumes[0].secret.secretName=proxy",
            "master.extraVolumeMounts[0].name=certificates",
            "master.extraVolumeMounts[0].mountPath=/certificates",
            "master.terminationGracePeriodSeconds=30",
            "master.probes.startup.failureThreshold=900",
        )
        pods = {component: each["spec"]["template"] for component, each in rendered.deployments()}
        assert pods["master"]["spec"]["priorityClassName"] == "high"
        assert pods["master"]["metadata"]["labels"]["tier"] == "control"
        assert "priorityClassName" not in pods["controller"]["spec"]
        assert "tier" not in pods["controller"]["metadata"]["labels"]
        assert pods["master"]["spec"]["volumes"] == [{"name": "certificates", "secret": {"secretName": "proxy"}}]
        assert pods["master"]["spec"]["terminationGracePeriodSeconds"] == 30
        container = rendered.container("master")
        assert container["env"] == [{"name": "A", "value": "b"}]
        assert container["envFrom"] == [{"configMapRef": {"name": "proxy"}}]
        assert container["volumeMounts"] == [{"name": "certificates", "mountPath": "/certificates"}]
        assert container["startupProbe"]["failureThreshold"] == 900
        assert container["startupProbe"]["periodSeconds"] == 2
        assert not {"env", "envFrom", "volumeMounts"} & rendered.container("controller").keys()
        assert "volumes" not in pods["controller"]["spec"]

    def test_a_priority_class_of_its_own_is_that_of_both_components(self, helm: Helm):
        rendered = helm.template("priorityClass.create=true", "priorityClass.value=900000")
        [own] = rendered.of("PriorityClass")
        assert (own["metadata"]["name"], own["value"]) == ("tender-tender-system", 900_000)
        for _, deployment in rendered.deployments():
            assert deployment["spec"]["template"]["spec"]["priorityClassName"] == "tender-tender-system"


class TestNetworkPolicies:
    def test_are_there_when_asked_for_one_for_each_component(self, helm: Helm, default: Rendered):
        assert default.of("NetworkPolicy") == []
        rendered = helm.template("networkPolicy.enabled=true")
        for component, deployment in rendered.deployments():
            policy = rendered.one("NetworkPolicy", f"tender-{component}")["spec"]
            assert policy["podSelector"] == deployment["spec"]["selector"]
            assert policy["policyTypes"] == ["Ingress", "Egress"]

    def test_let_in_nobody_who_is_not_named_and_out_to_the_api_server_alone(self, helm: Helm):
        for policy in helm.template("networkPolicy.enabled=true").of("NetworkPolicy"):
            assert policy["spec"]["ingress"] == []
            ports = [{"port": port, "protocol": "TCP"} for port in (443, 6443)]
            assert policy["spec"]["egress"] == [{"ports": ports}]

    def test_let_those_who_are_named_read_metrics_and_the_components_reach_what_is_named(self, helm: Helm):
        values = CHART.parents[1] / "tests" / "chart" / "values" / "guarded.yaml"
        given = yaml.safe_load(values.read_text())["networkPolicy"]
        rendered = helm.template(values=values)
        for component, _ in rendered.deployments():
            policy = rendered.one("NetworkPolicy", f"tender-{component}")["spec"]
            [port] = rendered.container(component)["ports"]
            assert policy["ingress"] == [
                {"ports": [{"port": port["name"], "protocol": "TCP"}], "from": given["metricsFrom"]}
            ]
            to_api_server, to_dns = policy["egress"]
            assert to_api_server == {"ports": [{"port": 6443, "protocol": "TCP"}], "to": given["apiServer"]["to"]}
            assert {port["port"] for port in to_dns["ports"]} == {53}
            assert to_dns["to"] == given["dns"]["to"]


class TestAdmissionPolicies:
    KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")

    def added(self, rendered: Rendered, default: Rendered) -> list[list[Manifest]]:
        """Policies and bindings beside those that are always there."""
        always = {each["metadata"]["name"] for kind in self.KINDS for each in default.of(kind)}
        return [[each for each in rendered.of(kind) if each["metadata"]["name"] not in always] for kind in self.KINDS]

    def test_are_there_when_asked_for_each_with_a_binding(self, helm: Helm, default: Rendered):
        for value, name in (("claim", "claims"), ("bind", "binding"), ("role", "roles")):
            [policy], [binding] = self.added(helm.template(f"admission.{value}Policy.enabled=true"), default)
            assert policy["metadata"]["name"] == binding["metadata"]["name"] == f"tender-{name}"
            assert binding["spec"] == {"policyName": f"tender-{name}", "validationActions": ["Deny"]}

    def test_let_nothing_pass_when_they_fail(self, helm: Helm):
        rendered = helm.template(values=CHART.parents[1] / "tests" / "chart" / "values" / "guarded.yaml")
        assert {each["spec"]["failurePolicy"] for each in rendered.of("ValidatingAdmissionPolicy")} == {"Fail"}

    def test_are_for_the_namespaces_that_are_chosen(self, helm: Helm, default: Rendered):
        rendered = helm.template("admission.claimPolicy.enabled=true", "admission.namespaceSelector.matchLabels.a=b")
        _, [binding] = self.added(rendered, default)
        assert binding["spec"]["matchResources"] == {"namespaceSelector": {"matchLabels": {"a": "b"}}}

"""ServiceMonitor, alerts and dashboard: rendered when asked for, about metrics that there are, and right as promtool
sees it.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.chart.helm import CHART, COMPONENTS, Helm, Rendered
from tests.chart.monitoring import DASHBOARD, alerts, panel_expressions, selectors

from cluster import tools
from cluster.testing import unavailable
from tender.cluster.metrics.declared import METRICS, Kind

HERE = Path(__file__).parent
WATCHED = HERE / "values" / "watched.yaml"
TESTS = HERE / "alerts" / "tests.yaml"
KINDS = ("ServiceMonitor", "PrometheusRule", "ConfigMap")
OF_TARGETS = {"namespace", "job"}
"""Labels that Prometheus gives its targets."""


@pytest.fixture(scope="module")
def promtool() -> Path:
    program: Path = tools.location("promtool")
    if not program.exists():
        unavailable("not there yet: promtool; run `python3 hack/cluster build promtool`")
    return program


@pytest.fixture(scope="module")
def watched(helm: Helm) -> Rendered:
    return helm.template(values=WATCHED)


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Rendered:
    return helm.template("metrics.monitor.enabled=true", "metrics.rules.enabled=true")


@pytest.fixture
def rules(rendered: Rendered, tmp_path: Path) -> Path:
    """The rules of the defaults in a file, as Prometheus loads them."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rendered.of("PrometheusRule")[0]["spec"]))
    return path


def run(program: Path, *arguments: str | Path) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class TestTheDefaults:
    def test_need_no_kinds_of_the_prometheus_operator(self, helm: Helm):
        kinds = {each["kind"] for each in helm.template().objects}
        assert not kinds & set(KINDS)


class TestTheServiceMonitor:
    def test_selects_the_services_of_both_components(self, watched: Rendered):
        [monitor] = watched.of("ServiceMonitor")
        spec = monitor["spec"]
        assert spec["namespaceSelector"] == {"matchNames": ["tender-system"]}
        [expression] = spec["selector"]["matchExpressions"]
        for component in COMPONENTS:
            service = watched.one("Service", f"tender-{component}-metrics")
            labels = service["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()
            assert labels[expression["key"]] in expression["values"]
            assert spec["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}

    def test_is_as_the_values_say(self, watched: Rendered):
        [monitor] = watched.of("ServiceMonitor")
        [endpoint] = monitor["spec"]["endpoints"]
        assert monitor["metadata"]["labels"]["release"] == "monitoring"
        assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("15s", "10s")
        assert endpoint["relabelings"][0]["targetLabel"] == "node"
        assert endpoint["metricRelabelings"][0]["action"] == "drop"

    def test_leaves_frameworks_their_namespace(self, rendered: Rendered):
        assert rendered.of("ServiceMonitor")[0]["spec"]["endpoints"][0]["honorLabels"] is True

    def test_sends_a_token_where_one_is_asked_for(self, rendered: Rendered, watched: Rendered):
        of_others, own = (each.of("ServiceMonitor")[0]["spec"]["endpoints"][0] for each in (rendered, watched))
        assert "bearerTokenFile" not in of_others
        assert own["bearerTokenFile"] == "/var/run/secrets/kubernetes.io/serviceaccount/token"
        assert all("--metrics-auth" in watched.container(component)["args"] for component in COMPONENTS)

    def test_needs_the_services(self, helm: Helm):
        message = helm.refusal("metrics.monitor.enabled=true", "metrics.service=false")
        assert "metrics.monitor.enabled needs metrics.service" in message


class TestAuthentication:
    def test_takes_rights_of_the_components_and_gives_one_to_readers(self, watched: Rendered):
        asks = [
            {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
            {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
        ]
        for component in COMPONENTS:
            name = f"tender-system-tender-{component}-authentication"
            assert watched.one("ClusterRole", name)["rules"] == asks
            binding = watched.one("ClusterRoleBinding", name)
            assert binding["roleRef"]["name"] == name
            assert [subject["name"] for subject in binding["subjects"]] == [f"tender-{component}"]
        reader = watched.one("ClusterRole", "tender-metrics-reader")
        assert reader["rules"] == [{"nonResourceURLs": ["/metrics", "/reasons"], "verbs": ["get"]}]

    def test_is_in_the_document_of_rights(self, watched: Rendered):
        document = (CHART.parents[1] / "docs" / "rbac.md").read_text()
        for name in ("tender-metrics-reader", "NAMESPACE-tender-master-authentication"):
            assert f"`{name}`" in document


class TestTheAlerts:
    def test_are_as_prometheus_takes_them(self, promtool: Path, rules: Path):
        run(promtool, "check", "rules", "--lint-fatal", rules)

    def test_fire_and_do_not(self, promtool: Path, rules: Path):
        shutil.copy(TESTS, rules.parent)
        run(promtool, "test", "rules", rules.parent / TESTS.name)

    def test_are_each_tested_to_fire_and_not_to(self, rendered: Rendered):
        cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
        every = {alert["alert"] for alert in alerts(rendered)}
        assert {case["alertname"] for case in cases if case["exp_alerts"]} == every
        assert {case["alertname"] for case in cases if not case["exp_alerts"]} == every

    def test_say_what_it_is_and_where_to_read_on(self, watched: Rendered):
        for alert in alerts(watched):
            assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
            assert alert["annotations"]["runbook_url"] == f"https://wiki.example.com/tender#{alert['alert'].lower()}"
            assert alert["labels"]["severity"] in {"critical", "warning"}
            assert alert["labels"]["team"] == "platform"

    def test_have_the_thresholds_of_the_values(self, watched: Rendered):
        by_name = {alert["alert"]: alert for alert in alerts(watched)}
        assert by_name["TenderCycleSlow"]["expr"].endswith("> 0.25")
        assert by_name["TenderGuaranteeNotMet"]["for"] == "60s"
        assert not re.search(r"<\w+>", watched.text.split("kind: PrometheusRule")[1].split("\n---")[0])

    @pytest.mark.parametrize("component", COMPONENTS)
    def test_of_a_component_go_with_it(self, helm: Helm, component: str):
        rendered = helm.template("metrics.rules.enabled=true", f"{component}.enabled=false")
        names = {alert["alert"] for alert in alerts(rendered)}
        assert f"Tender{component.capitalize()}Absent" not in names
        assert {"TenderNoLeader", "TenderApiErrors"} <= names


class TestEveryExpression:
    @pytest.fixture
    def expressions(self, rendered: Rendered) -> list[str]:
        return [alert["expr"] for alert in alerts(rendered)] + [expression for _, expression in panel_expressions()]

    def test_looks_at_metrics_and_labels_that_there_are(self, expressions: list[str]):
        for expression in expressions:
            assert selectors(expression), expression
            for name, matchers in selectors(expression):
                metric = METRICS.get(name) or METRICS[name.removesuffix("_bucket")]
                assert name == metric.name or metric.kind is Kind.HISTOGRAM
                assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= set(metric.labels), expression

    def test_groups_by_labels_that_there_are(self, expressions: list[str]):
        for expression in expressions:
            labels = {
                label for name, _ in selectors(expression) for label in METRICS[name.removesuffix("_bucket")].labels
            }
            grouped = {label.strip() for part in re.findall(r"by \(([^)]*)\)", expression) for label in part.split(",")}
            added = set(re.findall(r'label_replace\(.*?, "(\w+)"', expression))
            assert grouped <= labels | added | OF_TARGETS | {"le"}, expression


class TestTheDashboard:
    def test_is_a_config_map_that_the_sidecar_finds(self, watched: Rendered):
        [found] = watched.of("ConfigMap")
        assert found["metadata"]["labels"]["grafana_dashboard"] == "true"
        assert found["metadata"]["annotations"] == {"grafana_folder": "Scheduling"}
        assert yaml.safe_load(found["data"]["tender.json"]) == DASHBOARD

    def test_asks_for_the_data_source_and_has_no_two_panels_in_one_place(self):
        panels = DASHBOARD["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
        sources = {str(panel["datasource"]["uid"]) for panel in panels if panel["type"] != "row"}
        assert sources == {"${datasource}"}

    def test_shows_every_metric(self, rendered: Rendered):
        shown = {name for _, expression in panel_expressions() for name, _ in selectors(expression)}
        seen = {name.removesuffix("_bucket") for name in shown}
        assert METRICS.keys() - seen == {
            "tender_cache_failures_total",
            "tender_cache_reconnects_total",
            "tender_census_corrections_total",
            "tender_role_weight",
        }

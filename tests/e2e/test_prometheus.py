"""A real Prometheus finds master and controller by the chart's ServiceMonitor, and everything that the alerts and the
dashboard ask for is there.

An alert's expression is tried without what makes it an alert: comparisons are left out and `absent` becomes `count`. So
data that would be missing when it matters is missed here, whatever the thresholds are.
"""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chart.helm import CHART, Rendered
from tests.chart.monitoring import alerts, panel_expressions, selectors
from tests.e2e.prometheus import Prometheus
from tests.e2e.release import COMPONENTS, NAMESPACE, Release
from tests.e2e.services import ON_FAKE_NODES, Namespace, external, role, service, template
from tests.e2e.waiting import eventually

from cluster import LocalCluster

COMPARISON = re.compile(r"\s[<>]=?\s*[0-9.eE+]+")
OF_GRAFANA = {"$__rate_interval": "1m", "$role": ".*", "$resource": "cpu"}


@pytest.fixture(scope="module")
def rendered(cluster: LocalCluster) -> Rendered:
    asked = ("--set=metrics.monitor.enabled=true,metrics.rules.enabled=true", f"--namespace={NAMESPACE}")
    return Rendered(cluster.helm("template", "tender", str(CHART), *asked).stdout)


@pytest.fixture
def prometheus(cluster: LocalCluster, tender: Release, rendered: Rendered, tmp_path: Path) -> Iterator[Prometheus]:
    [monitor], [rules] = rendered.of("ServiceMonitor"), rendered.of("PrometheusRule")
    with Prometheus(cluster, monitor, rules, tmp_path) as prometheus:
        eventually("both parts are scraped", lambda: len(prometheus.query("up == 1")) == len(COMPONENTS))
        yield prometheus


@pytest.fixture
def at_work(prometheus: Prometheus, namespace: Namespace) -> Iterator[Namespace]:
    """A service that runs in a role with a guarantee, one that waits, and a framework that does not answer."""
    name = f"r{secrets.token_hex(4)}"
    silent = external("silent", offers={"timeout": "1s"})
    namespace.apply(
        role(name, quota={"guarantee": {"cpu": "1"}}),
        service("runs", 2, template("true"), role=name, **ON_FAKE_NODES),
        service("waits", 1, template("true", cpu="900"), role=name, **ON_FAKE_NODES),
        silent,
    )
    namespace.wait_for("Ready", "framework/runs")
    first = f'tender_offers_total{{namespace="{namespace.name}", framework="runs"}}'
    eventually("its first offer is counted", lambda: prometheus.query(first))
    namespace.kubectl("scale", "framework/runs", "--replicas=3")  # a second one, so that there is an increase
    yield namespace
    namespace.kubectl("delete", "frameworkrole", name)


def _expressions(rendered: Rendered) -> dict[str, str]:
    """What has to give data, by what it is: alerts, panels, and every metric with its matchers by itself."""
    found = {
        alert["alert"]: COMPARISON.sub("", alert["expr"]).replace("absent(", "count(") for alert in alerts(rendered)
    }
    for number, (title, expression) in enumerate(panel_expressions()):
        for variable, value in OF_GRAFANA.items():
            expression = expression.replace(variable, value)
        found[f"{title}, {number}"] = expression
    alone = {"".join(selector) for expression in found.values() for selector in selectors(expression)}
    return found | {selector: selector for selector in alone}


def test_prometheus_has_what_alerts_and_dashboard_ask_for(
    prometheus: Prometheus, rendered: Rendered, at_work: Namespace
):
    missing = _expressions(rendered)

    def all_is_there() -> bool:
        for title in [title for title, expression in missing.items() if prometheus.query(expression)]:
            del missing[title]
        return not missing

    try:
        eventually("data for every expression", all_is_there, seconds=45)
    except AssertionError:
        assert missing == {}, prometheus.log()

    frameworks = prometheus.query(f'tender_framework_dominant_share{{namespace="{at_work.name}"}}')
    assert {labels["framework"] for labels, _ in frameworks} == {"runs", "waits", "silent"}
    assert {labels["pod"].split("-")[1] for labels, _ in frameworks} == {"master"}
    leaders = prometheus.query(f'tender_leader{{namespace="{NAMESPACE}"}}')
    assert {(labels["component"], value) for labels, value in leaders} == {("master", 1.0), ("controller", 1.0)}

    rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {alert["alert"] for alert in alerts(rendered)}
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []
    urgent = {rule["name"] for rule in rules if rule["labels"]["severity"] == "critical" and rule["alerts"]}
    assert urgent == set(), "nothing is absent, leaderless or stale"

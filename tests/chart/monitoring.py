"""What the chart has for Prometheus and Grafana, as values for tests: rules, panels, and the metrics they look at."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.chart.helm import CHART, Manifest, Rendered

DASHBOARD: dict[str, Any] = json.loads((CHART / "files" / "dashboards" / "tender.json").read_text())
METRIC = re.compile(r"\b(tender_\w+)(\{[^}]*\})?")


def alerts(rendered: Rendered) -> list[Manifest]:
    """The alerting rules of a rendered chart."""
    [rule] = rendered.of("PrometheusRule")
    return [alert for group in rule["spec"]["groups"] for alert in group["rules"]]


def panel_expressions() -> Iterator[tuple[str, str]]:
    """Title and expression of every query of the dashboard."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def selectors(expression: str) -> list[tuple[str, str]]:
    """The metrics that an expression looks at, each with its matchers in braces."""
    return METRIC.findall(expression)

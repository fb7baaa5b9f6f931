"""Writes docs/metrics.md from the declarations: `python -m tender.cluster.metrics.document docs/metrics.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tender.cluster.metrics.declared import BOTH, SECTIONS, Metric

_HEAD = """\
# Metrics

Made from `operator/tender/cluster/metrics/declared.py` by `make metrics`; change it there.

Master and controller serve `/metrics` on port 8080, in Prometheus' formats. The
[chart](../charts/tender/README.md) finds them for Prometheus (`metrics.monitor`, or annotations), and brings alerts
(`metrics.rules`) and a dashboard (`metrics.dashboards`). Amounts are in cores, bytes and counts, times in seconds.

With `metrics.authentication` whoever reads them needs a token and the right to `get` the
non-resource URL `/metrics`, as ClusterRole `tender-metrics-reader` has it, and for the master's reasons `/reasons`; not
even the API server's proxy can read them then, as it does not hand tokens on.

Frameworks have the labels `namespace` and `framework`. Prometheus gives its targets a label `namespace` as well, and
theirs must not win: `honor_labels`, which the chart's ServiceMonitor sets. A framework's series end when it is gone.
No label names a pod, a node or an offer.
"""


def document() -> str:
    """The page."""
    return "\n".join([_HEAD, *(line for name, metrics in SECTIONS.items() for line in _section(name, metrics))])


def _section(name: str, metrics: tuple[Metric, ...]) -> Iterator[str]:
    yield from (f"## {name}", "", "| metric | type | unit | of | meaning | labels |", "|---|---|---|---|---|---|")
    for metric in metrics:
        of = "both" if metric.parts == BOTH else ", ".join(metric.parts)
        labels = "; ".join(f"`{label}`: {meaning}" for label, meaning in metric.labels.items()) or "none"
        yield f"| `{metric.name}` | {metric.kind} | {metric.unit} | {of} | {metric.help} | {labels} |"
    yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document())

"""The declarations: of one style, bounded, written down as they are."""

from pathlib import Path

import pytest

from tender.allocation import Reason
from tender.cluster.metrics.declared import (
    CONTROLLER,
    FRAMEWORK_NOT_OFFERED,
    FRAMEWORK_WAITING_TASKS,
    MASTER,
    METRICS,
    OFFERS_RESCINDED,
    SECTIONS,
    Kind,
    Metric,
)
from tender.cluster.metrics.document import document
from tender.frameworks.sdk.funnel import REASONS
from tender.master.dues import Cause

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
UNBOUNDED = {"pod", "node", "offer", "uid", "task", "message"}
EVERY = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)


@EVERY
class TestEveryMetric:
    def test_has_the_prefix_and_the_suffix_of_its_type_and_unit(self, metric: Metric):
        assert metric.name.startswith("tender_")
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.name.endswith("_seconds") == metric.unit.startswith("seconds")

    def test_has_buckets_if_it_is_a_histogram(self, metric: Metric):
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.buckets) == sorted(set(metric.buckets))

    def test_has_bounded_labels(self, metric: Metric):
        assert not metric.labels.keys() & UNBOUNDED
        assert ("framework" in metric.labels) == ("namespace" in metric.labels)

    def test_says_what_it_is_in_a_sentence(self, metric: Metric):
        assert metric.help[0].isupper()
        assert metric.help.endswith(".")
        assert all(metric.labels.values())
        assert set(metric.parts) <= {MASTER, CONTROLLER}


class TestTheDocument:
    def test_is_made_from_the_declarations(self):
        assert DOCUMENT.read_text() == document(), "run `make metrics`"

    def test_has_every_metric_once(self):
        listed = [metric.name for section in SECTIONS.values() for metric in section]
        assert len(listed) == len(METRICS)


class TestValuesOfLabels:
    def test_are_those_that_the_code_has(self):
        for reason in Reason:
            assert reason.value in FRAMEWORK_NOT_OFFERED.labels["reason"]
        for word in REASONS:
            assert word in FRAMEWORK_WAITING_TASKS.labels["reason"]
        for cause in Cause:
            assert f"{cause.value} (" in OFFERS_RESCINDED.labels["cause"]

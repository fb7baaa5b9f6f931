"""What is made of declarations: series that begin at 0 together, and end with what they are of."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.unit.figures import series

from tender.cluster.metrics import TrafficMetrics, declared
from tender.cluster.metrics.instruments import PerFramework, counter, gauge, histogram, new_registry


class TestTheSeriesOfAFramework:
    def test_begin_together_and_end_when_it_is_gone(self):
        registry = CollectorRegistry()
        launches = PerFramework(counter(registry, declared.LAUNCHES), declared.LAUNCH_OUTCOMES)
        launches.inc("shop/web", "failed")
        launches.inc("shop/jobs", "created")
        launches.inc("shop/web", "failed")
        assert series(registry, "tender_launches_total") == {
            ("shop", "web", "created"): 0,
            ("shop", "web", "failed"): 2,
            ("shop", "jobs", "created"): 1,
            ("shop", "jobs", "failed"): 0,
        }
        launches.forget("shop/web")
        launches.forget("shop/never-counted")
        assert {name for _, name, _ in series(registry, "tender_launches_total")} == {"jobs"}

    def test_begin_anew_for_a_later_one_of_the_same_name(self):
        registry = CollectorRegistry()
        launches = PerFramework(counter(registry, declared.LAUNCHES), declared.LAUNCH_OUTCOMES)
        launches.inc("shop/web", "created")
        launches.forget("shop/web")
        launches.inc("shop/web", "failed")
        assert series(registry, "tender_launches_total")[("shop", "web", "created")] == 0


class TestTraffic:
    def test_has_series_for_failures_before_there_are_any(self):
        registry = CollectorRegistry()
        traffic = TrafficMetrics(registry)
        traffic.request("create", "pods", 201, 0.01)
        traffic.cache("pods", "relist", "initial")
        assert series(registry, "tender_api_requests_total") == {
            ("create", "pods", "201"): 1,
            ("create", "pods", "0"): 0,
        }
        relists = series(registry, "tender_cache_relists_total")
        assert relists == {("pods", reason): float(reason == "initial") for reason in declared.RELIST_REASONS}

    def test_times_reads_and_writes_but_not_watches(self):
        registry = CollectorRegistry()
        traffic = TrafficMetrics(registry)
        for verb in ("get", "patch", "watch"):
            traffic.request(verb, "pods", 200, 0.01)
        assert series(registry, "tender_api_request_duration_seconds_count").keys() == {
            ("get", "pods"),
            ("patch", "pods"),
        }
        assert series(registry, "tender_api_writes_total") == {("patch", "pods"): 1}


def test_a_metric_is_made_of_its_declared_type_alone():
    registry = CollectorRegistry()
    for make, metric in ((counter, declared.NODES), (gauge, declared.OFFERS), (histogram, declared.STOPS)):
        with pytest.raises(ValueError, match=f"{metric.name} is declared as a {metric.kind.value}"):
            make(registry, metric)


def test_when_a_series_began_is_not_told():
    registry = new_registry()
    counter(registry, declared.STOPS).inc()
    assert b"_created" not in generate_latest(registry)

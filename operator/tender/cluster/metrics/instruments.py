"""Makes of declarations the objects that Prometheus' client collects; the only place that names its classes for it."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily

from tender import __version__
from tender.cluster.metrics.declared import BUILD_INFO, LEADER, Kind, Metric


def new_registry() -> CollectorRegistry:
    """A registry for one part. When each series began is not told: that would be as many series again."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


def counter(registry: CollectorRegistry, metric: Metric) -> Counter:
    """A counter. The client puts _total behind the name itself."""
    _check(metric, Kind.COUNTER)
    return Counter(metric.name.removesuffix("_total"), metric.help, tuple(metric.labels), registry=registry)


def histogram(registry: CollectorRegistry, metric: Metric) -> Histogram:
    """A histogram with the declared buckets."""
    _check(metric, Kind.HISTOGRAM)
    return Histogram(metric.name, metric.help, tuple(metric.labels), buckets=metric.buckets, registry=registry)


def gauge(registry: CollectorRegistry, metric: Metric) -> Gauge:
    """A gauge that is set when something happens."""
    _check(metric, Kind.GAUGE)
    return Gauge(metric.name, metric.help, tuple(metric.labels), registry=registry)


def gauge_family(metric: Metric) -> GaugeMetricFamily:
    """A gauge of one moment, for collectors."""
    _check(metric, Kind.GAUGE)
    return GaugeMetricFamily(metric.name, metric.help, labels=tuple(metric.labels))


def name_part(registry: CollectorRegistry, part: str) -> Gauge:
    """Expose the version of a part; the gauge that says whether it works, 0 until it is set."""
    gauge(registry, BUILD_INFO).labels(__version__, part).set(1)
    return gauge(registry, LEADER).labels(part)


class PerFramework:
    """A counter by framework and by one more label, of `values`.

    The series of a framework begin together, at 0, so that a rate is right from the first thing counted; `forget` ends
    them when the framework is gone.
    """

    def __init__(self, counted: Counter, values: Sequence[str]) -> None:
        self._counter = counted
        self._values = values
        self._children: dict[str, dict[str, Counter]] = {}

    def inc(self, framework: str, value: str) -> None:
        """Count one for a framework, which is "namespace/name"."""
        children = self._children.get(framework)
        if children is None:
            namespace, _, name = framework.partition("/")
            children = {each: self._counter.labels(namespace, name, each) for each in self._values}
            self._children[framework] = children
        children[value].inc()

    def forget(self, framework: str) -> None:
        """The framework is gone."""
        namespace, _, name = framework.partition("/")
        for value in self._children.pop(framework, ()):
            self._counter.remove(namespace, name, value)


def _check(metric: Metric, kind: Kind) -> None:
    if metric.kind is not kind:
        raise ValueError(f"{metric.name} is declared as a {metric.kind.value}, not as a {kind.value}")

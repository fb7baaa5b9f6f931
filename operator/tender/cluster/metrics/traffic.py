"""Records the traffic with the API server, the same for every part of Tender."""

from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Histogram

from tender.cluster.metrics import declared
from tender.cluster.metrics.instruments import counter, histogram

M = TypeVar("M", Counter, Histogram)
READS = frozenset({"get", "list", "watch"})


class TrafficMetrics:
    """Counts requests and cache events; `request` and `cache` are the observers of `Client` and `ListWatch`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._children: dict[tuple[object, ...], Counter | Histogram] = {}
        self._requests = counter(registry, declared.API_REQUESTS)
        self._seconds = histogram(registry, declared.API_SECONDS)
        self._writes = counter(registry, declared.API_WRITES)
        self._events = counter(registry, declared.CACHE_EVENTS)
        self._relists = counter(registry, declared.CACHE_RELISTS)
        self._reconnects = counter(registry, declared.CACHE_RECONNECTS)
        self._failures = counter(registry, declared.CACHE_FAILURES)

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """One attempt of a request."""
        self._child(self._requests, verb, resource, str(code)).inc()
        self._child(self._requests, verb, resource, "0")  # so that the first request without answer makes a rate
        if verb != "watch":
            self._child(self._seconds, verb, resource).observe(seconds)
        if verb not in READS:
            self._child(self._writes, verb, resource).inc()

    def cache(self, resource: str, what: str, detail: str) -> None:
        """Something happened to a cache."""
        if what == "event":
            self._child(self._events, resource, detail).inc()
        elif what == "reconnect":
            self._child(self._reconnects, resource, detail).inc()
        elif what == "relist":
            for reason in declared.RELIST_REASONS:
                self._child(self._relists, resource, reason)  # likewise
            self._child(self._relists, resource, detail).inc()
        else:
            self._child(self._failures, resource, what).inc()

    def _child(self, metric: M, *labels: str) -> M:
        """The metric with these labels, looked up once: thousands of events a second are counted."""
        key = (id(metric), *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return cast("M", child)

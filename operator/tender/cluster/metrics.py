"""Metrics of the traffic with the API server, the same for every part of Tender."""

from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Histogram

M = TypeVar("M", Counter, Histogram)
READS = frozenset({"get", "list", "watch"})


class TrafficMetrics:
    """Counts requests and cache events; `request` and `cache` are the observers of `Client` and `ListWatch`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._children: dict[tuple[object, ...], Counter | Histogram] = {}
        self._requests = Counter(
            "tender_api_requests",
            "Requests to the API server by verb, resource and HTTP code (0: no answer).",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tender_api_write_duration_seconds",
            "How long writes to the API server take.",
            ["verb", "resource"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
            registry=registry,
        )
        self._writes = Counter(
            "tender_api_writes", "Writes to the API server, tries included.", ["verb", "resource"], registry=registry
        )
        self._events = Counter(
            "tender_cache_events", "Events that the caches have received.", ["resource", "event"], registry=registry
        )
        self._relists = Counter(
            "tender_cache_relists",
            "Times that a cache listed afresh, by reason.",
            ["resource", "reason"],
            registry=registry,
        )
        self._reconnects = Counter(
            "tender_cache_reconnects", "Times that a watch ended, by reason.", ["resource", "reason"], registry=registry
        )
        self._failures = Counter(
            "tender_cache_failures",
            "Objects that a cache could not read or hand on.",
            ["resource", "failure"],
            registry=registry,
        )

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """One attempt of a request."""
        self._child(self._requests, verb, resource, str(code)).inc()
        if verb not in READS:
            self._child(self._writes, verb, resource).inc()
            self._child(self._seconds, verb, resource).observe(seconds)

    def cache(self, resource: str, what: str, detail: str) -> None:
        """Something happened to a cache."""
        counter = {"event": self._events, "relist": self._relists, "reconnect": self._reconnects}.get(what)
        if counter is None:
            self._child(self._failures, resource, what).inc()
        else:
            self._child(counter, resource, detail).inc()

    def _child(self, metric: M, *labels: str) -> M:
        """The metric with these labels, looked up once: thousands of events a second are counted."""
        key = (id(metric), *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return cast("M", child)

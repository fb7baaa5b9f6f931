"""Metrics: `declared` says what there is, `instruments` makes Prometheus' objects of it, `traffic` and `caches` record
what every part does with the API server, and `document` writes docs/metrics.md. What is a part's own is recorded where
it happens, in `master` and `controller`.
"""

from tender.cluster.metrics.caches import CacheFigures
from tender.cluster.metrics.traffic import TrafficMetrics

__all__ = ["CacheFigures", "TrafficMetrics"]

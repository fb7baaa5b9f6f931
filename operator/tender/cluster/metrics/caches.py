"""Gauges of the caches: how much is in them, and for how long they have heard nothing."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tender.cluster.listwatch import ListWatch
from tender.cluster.metrics import declared
from tender.cluster.metrics.instruments import gauge_family


class CacheFigures(Collector):
    """Looks at the caches at the time of a scrape; registers itself. A cache that has heard nothing yet is silent since
    this was made.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        caches: Iterable[ListWatch[Any]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caches = tuple(caches)
        self._clock = clock
        self._born = clock()
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of this moment."""
        objects, silence = gauge_family(declared.CACHE_OBJECTS), gauge_family(declared.CACHE_SILENCE)
        now = self._clock()
        for cache in self._caches:
            labels = [cache.resource.plural]
            objects.add_metric(labels, len(cache.objects))
            silence.add_metric(labels, now - (self._born if cache.last_contact is None else cache.last_contact))
        yield from (objects, silence)

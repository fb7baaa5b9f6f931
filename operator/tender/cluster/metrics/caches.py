"""Gauges of the caches: how much is in them, and for how long they have heard nothing."""

import time
from collections import Counter
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
    this was made. Those of one resource, each of a namespace, count as one: as silent as the most silent of them.
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
        counts: Counter[str] = Counter()
        longest: dict[str, float] = {}
        for cache in self._caches:
            resource = cache.resource.plural
            counts[resource] += len(cache.objects)
            silent = now - (self._born if cache.last_contact is None else cache.last_contact)
            longest[resource] = max(silent, longest.get(resource, 0.0))
        for resource, seconds in longest.items():
            objects.add_metric([resource], counts[resource])
            silence.add_metric([resource], seconds)
        yield from (objects, silence)

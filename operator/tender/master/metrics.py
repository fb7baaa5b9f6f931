"""What the master records when it happens. Gauges of the state are in `figures`."""

from prometheus_client import CollectorRegistry

from tender.cluster.metrics import declared
from tender.cluster.metrics.instruments import PerFramework, counter, histogram, name_part
from tender.master.dues import Cause


class MasterMetrics:
    """The master's counters and histograms, in one registry. `leader` is 1 while it allocates."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.offers = PerFramework(counter(registry, declared.OFFERS), declared.OUTCOMES)
        self.rescinded = counter(registry, declared.OFFERS_RESCINDED)
        for cause in Cause:
            self.rescinded.labels(cause.value)
        self.answer_seconds = histogram(registry, declared.OFFER_ANSWER_SECONDS)
        for answer in ("claimed", "declined"):
            self.answer_seconds.labels(answer)
        self.cycle_seconds = histogram(registry, declared.CYCLE_SECONDS)
        self.queue_seconds = histogram(registry, declared.QUEUE_SECONDS)
        self.launches_missed = counter(registry, declared.LAUNCHES_MISSED)
        self.census_corrections = counter(registry, declared.CENSUS_CORRECTIONS)
        self.leader = name_part(registry, declared.MASTER)

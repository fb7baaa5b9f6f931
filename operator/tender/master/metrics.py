"""The master's counters: one prefix, base units, labels of bounded number. Gauges of the state are in `figures`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tender import __version__


class MasterMetrics:
    """All metrics of the master, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.offers = Counter(
            "tender_offers",
            "Offers by outcome: made, claimed, declined, rescinded, expired.",
            ["outcome"],
            registry=registry,
        )
        self.cycle_seconds = Histogram(
            "tender_cycle_duration_seconds",
            "How long an allocation cycle takes.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
            registry=registry,
        )
        self.launches_missed = Counter(
            "tender_launches_missed", "Claimed tasks that were not launched in time.", registry=registry
        )
        self.census_corrections = Counter(
            "tender_census_corrections",
            "Custom resources that were gone without the watch telling, found by listing.",
            ["resource"],
            registry=registry,
        )
        Gauge("tender_build_info", "Version of Tender, always 1.", ["version", "component"], registry=registry).labels(
            __version__, "master"
        ).set(1)

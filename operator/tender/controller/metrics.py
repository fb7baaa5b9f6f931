"""The controller's metrics: one prefix, base units, labels of bounded number."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tender import __version__


class ControllerMetrics:
    """All metrics of the controller, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.answers = Counter(
            "tender_answers",
            "Answers to offers: claimed, declined, or lost to somebody who was first.",
            ["answer"],
            registry=registry,
        )
        self.launches = Counter("tender_launches", "Pods launched, by outcome.", ["outcome"], registry=registry)
        self.stops = Counter("tender_stops", "Pods stopped.", registry=registry)
        self.turn_seconds = Histogram(
            "tender_turn_duration_seconds",
            "How long a framework's turn takes, its writes included.",
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
            registry=registry,
        )
        self.turns_failed = Counter("tender_turns_failed", "Turns that failed and are tried again.", registry=registry)
        Gauge("tender_build_info", "Version of Tender, always 1.", ["version", "component"], registry=registry).labels(
            __version__, "controller"
        ).set(1)

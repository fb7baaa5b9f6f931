"""What the controller records when it happens."""

from prometheus_client import CollectorRegistry

from tender.cluster.metrics import declared
from tender.cluster.metrics.instruments import PerFramework, counter, histogram, name_part


class ControllerMetrics:
    """The controller's counters and histograms, in one registry. `leader` is 1 while it runs frameworks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.answers = counter(registry, declared.ANSWERED)
        for answer in declared.ANSWERS:
            self.answers.labels(answer)
        self.launches = PerFramework(counter(registry, declared.LAUNCHES), declared.LAUNCH_OUTCOMES)
        self.launch_failures = counter(registry, declared.LAUNCHES_FAILED)
        for reason in declared.LAUNCH_FAILURES:
            self.launch_failures.labels(reason)
        self.stops = counter(registry, declared.STOPS)
        self.turn_seconds = histogram(registry, declared.TURN_SECONDS)
        self.turns_failed = counter(registry, declared.TURNS_FAILED)
        self.queue_seconds = histogram(registry, declared.QUEUE_SECONDS)
        self.leader = name_part(registry, declared.CONTROLLER)

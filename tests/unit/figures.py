"""Reading metrics from a registry."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry


def total(registry: CollectorRegistry, name: str, labels: Mapping[str, str]) -> float:
    """The sum of a metric's samples that have these labels, whatever others they have; 0 when there is none."""
    return sum(
        sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def series(registry: CollectorRegistry, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one name by the values of their labels, in the order in which the labels are declared."""
    return {
        tuple(sample.labels.values()): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == name
    }

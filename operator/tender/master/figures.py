"""Gauges that are computed when Prometheus asks: shares, amounts, nodes and offers, straight from the ledger."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tender.allocation import Ledger, Settings
from tender.allocation.shares import dominant_share
from tender.master.offerbook import OfferBook
from tender.master.role_figures import role_figures


class Figures(Collector):
    """Collects from the ledger and the offer book at the time of a scrape; registers itself."""

    def __init__(self, registry: CollectorRegistry, ledger: Ledger, book: OfferBook, settings: Settings) -> None:
        self._ledger = ledger
        self._book = book
        self._settings = settings
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of this moment."""
        yield from self._of_roles()
        capacity = GaugeMetricFamily(
            "tender_cluster_allocatable", "What all nodes have (cores, bytes, counts).", labels=["resource"]
        )
        for resource, amount in self._ledger.totals.items():
            capacity.add_metric([resource], _in_base_units(resource, amount))
        yield capacity
        nodes = GaugeMetricFamily("tender_nodes", "Nodes, by whether they can be offered.", labels=["available"])
        available = sum(not node.unavailable for node in self._ledger.nodes.values())
        nodes.add_metric(["true"], available)
        nodes.add_metric(["false"], len(self._ledger.nodes) - available)
        yield nodes
        yield GaugeMetricFamily(
            "tender_frameworks", "Frameworks that the master knows.", value=len(self._ledger.frameworks)
        )
        throttled = GaugeMetricFamily(
            "tender_frameworks_throttled", "Frameworks that are throttled now, by reason.", labels=["reason"]
        )
        for reason, count in self._book.throttle.counts().items():
            throttled.add_metric([reason], count)
        yield throttled
        standing = GaugeMetricFamily("tender_offers_standing", "Offers that exist now, by phase.", labels=["phase"])
        for phase, count in self._book.phases().items():
            standing.add_metric([phase], count)
        yield standing

    def _of_roles(self) -> Iterator[GaugeMetricFamily]:
        ledger = self._ledger
        share = GaugeMetricFamily(
            "tender_role_dominant_share", "Dominant share of a role, not divided by its weight.", labels=["role"]
        )
        weight = GaugeMetricFamily("tender_role_weight", "Weight of a role.", labels=["role"])
        allocated = GaugeMetricFamily(
            "tender_role_allocated",
            "What a role's frameworks hold in pods and claims (cores, bytes, counts).",
            labels=["role", "resource"],
        )
        quota = GaugeMetricFamily(
            "tender_role_quota",
            "What a role is guaranteed, may have, consumes (pods, claims and all that is reserved) and is offered.",
            labels=["role", "resource", "kind"],
        )
        for name, figures in role_figures(ledger).items():
            role = ledger.role_of(name)
            share.add_metric([name], dominant_share(figures.held, ledger.totals, self._settings.unshared_resources))
            weight.add_metric([name], role.weight)
            for resource, amount in figures.allocated.items():
                allocated.add_metric([name, resource], _in_base_units(resource, amount))
            kinds = {"guarantee": role.guarantee, "limit": role.limit}
            for kind, amounts in {**kinds, "consumed": figures.consumed, "offered": figures.offered}.items():
                for resource, amount in amounts.items():
                    quota.add_metric([name, resource, kind], _in_base_units(resource, amount))
        yield from (share, weight, allocated, quota)


def _in_base_units(resource: str, amount: int) -> float:
    return amount / 1000 if resource == "cpu" else float(amount)

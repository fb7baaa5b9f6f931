"""Gauges that are computed when Prometheus asks, straight from what the master knows: the ledger (shares, amounts,
nodes), the offer book, the frameworks' statuses and the last cycle.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tender.allocation import CycleResult, Ledger, Settings
from tender.allocation.shares import dominant_share
from tender.allocation.soundness import unmet_guarantees
from tender.api.conditions import READY, RECONCILING, STALLED
from tender.api.framework import Framework, Waiting
from tender.cluster.metrics import declared
from tender.cluster.metrics.instruments import gauge_family
from tender.frameworks.sdk.funnel import REASONS
from tender.master.fair_shares import FairShares, fair_shares
from tender.master.offerbook import OfferBook
from tender.master.role_figures import role_figures

_STATES = (READY, RECONCILING, STALLED)


class Figures(Collector):
    """Collects at the time of a scrape; registers itself. `frameworks` by "namespace/name", `latest` the last cycle."""

    def __init__(
        self,
        registry: CollectorRegistry,
        ledger: Ledger,
        book: OfferBook,
        frameworks: Mapping[str, Framework],
        latest: Callable[[], CycleResult],
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self._book = book
        self._frameworks = frameworks
        self._latest = latest
        self._settings = settings
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of this moment."""
        fair = fair_shares(self._ledger)
        yield from self._of_roles(fair)
        yield from self._of_frameworks(fair)
        yield from self._of_statuses()
        capacity, nodes = gauge_family(declared.ALLOCATABLE), gauge_family(declared.NODES)
        for resource, amount in self._ledger.totals.items():
            capacity.add_metric([resource], _in_base_units(resource, amount))
        available = sum(not node.unavailable for node in self._ledger.nodes.values())
        nodes.add_metric(["true"], available)
        nodes.add_metric(["false"], len(self._ledger.nodes) - available)
        throttled = gauge_family(declared.FRAMEWORKS_THROTTLED)
        for reason, count in self._book.throttle.counts().items():
            throttled.add_metric([reason], count)
        standing = gauge_family(declared.OFFERS_STANDING)
        for phase, count in self._book.phases().items():
            standing.add_metric([phase], count)
        yield from (capacity, nodes, throttled, standing)

    def _of_roles(self, fair: FairShares) -> Iterator[GaugeMetricFamily]:
        ledger = self._ledger
        share, fair_share = gauge_family(declared.ROLE_SHARE), gauge_family(declared.ROLE_FAIR_SHARE)
        weight, allocated = gauge_family(declared.ROLE_WEIGHT), gauge_family(declared.ROLE_ALLOCATED)
        quota, lacking = gauge_family(declared.ROLE_QUOTA), gauge_family(declared.ROLE_UNMET)
        of_roles = role_figures(ledger)
        unmet = unmet_guarantees(ledger, {name: figures.held for name, figures in of_roles.items()})
        for name, figures in of_roles.items():
            role = ledger.role_of(name)
            share.add_metric([name], dominant_share(figures.held, ledger.totals, self._settings.unshared_resources))
            fair_share.add_metric([name], fair.roles.get(name, 0.0))
            weight.add_metric([name], role.weight)
            for resource, amount in figures.allocated.items():
                allocated.add_metric([name, resource], _in_base_units(resource, amount))
            kinds = {"guarantee": role.guarantee, "limit": role.limit}
            for kind, amounts in {**kinds, "consumed": figures.consumed, "offered": figures.offered}.items():
                for resource, amount in amounts.items():
                    quota.add_metric([name, resource, kind], _in_base_units(resource, amount))
            for resource in role.guarantee:
                lack = unmet.get(name, {}).get(resource, 0)
                lacking.add_metric([name, resource], _in_base_units(resource, lack))
        yield from (share, fair_share, weight, allocated, quota, lacking)

    def _of_frameworks(self, fair: FairShares) -> Iterator[GaugeMetricFamily]:
        """What the ledger and the last cycle say of frameworks."""
        ledger, latest = self._ledger, self._latest()
        share, fair_share = gauge_family(declared.FRAMEWORK_SHARE), gauge_family(declared.FRAMEWORK_FAIR_SHARE)
        not_offered = gauge_family(declared.FRAMEWORK_NOT_OFFERED)
        for name in ledger.frameworks:
            labels = _labels(name)
            held = dominant_share(ledger.held(name), ledger.totals, self._settings.unshared_resources)
            share.add_metric(labels, held)
            fair_share.add_metric(labels, fair.frameworks.get(name, 0.0))
            for one in latest.not_offered.get(name, ()):
                not_offered.add_metric([*labels, one.reason.value], one.nodes)
        yield from (share, fair_share, not_offered)

    def _of_statuses(self) -> Iterator[GaugeMetricFamily]:
        """What the frameworks' own controllers say."""
        states = gauge_family(declared.FRAMEWORKS)
        tasks, since = gauge_family(declared.FRAMEWORK_WAITING_TASKS), gauge_family(declared.FRAMEWORK_WAITING_SINCE)
        counts: Counter[str] = Counter()
        for name, framework in self._frameworks.items():
            counts[_state(framework)] += 1
            waiting = framework.status.waiting
            if waiting is not None:
                labels = _labels(name)
                tasks.add_metric([*labels, _main_reason(waiting)], waiting.tasks)
                since.add_metric(labels, waiting.since.timestamp())
        for state in (*_STATES, "Unknown"):
            states.add_metric([state], counts[state])
        yield from (states, tasks, since)


def _labels(framework: str) -> list[str]:
    namespace, _, name = framework.partition("/")
    return [namespace, name]


def _state(framework: Framework) -> str:
    conditions = framework.status.conditions
    true = {one.type for one in conditions if one.status == "True"}
    return next((state for state in _STATES if state in true), "Unknown")


def _main_reason(waiting: Waiting) -> str:
    """What was in the way of the most nodes. A status may say anything, so words that are not known count as one."""
    if not waiting.reasons:
        return declared.NO_OFFER
    most = max(waiting.reasons, key=lambda one: one.nodes).reason
    return most if most in REASONS else declared.OTHER


def _in_base_units(resource: str, amount: int) -> float:
    return amount / 1000 if resource == "cpu" else float(amount)

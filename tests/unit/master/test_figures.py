"""What Prometheus is told of roles and frameworks at the time of a scrape."""

from prometheus_client import CollectorRegistry
from tests.builders import role
from tests.unit.figures import series
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import CycleResult, Ledger, Reservation, Settings
from tender.api.framework import Framework
from tender.master.figures import Figures
from tender.master.offerbook import OfferBook

NOTHING = CycleResult((), {})


def samples(
    ledger: Ledger, name: str, *frameworks: Framework, latest: CycleResult = NOTHING
) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    known = {f"{one.metadata.namespace}/{one.metadata.name}": one for one in frameworks}
    Figures(registry, ledger, OfferBook(ledger), known, lambda: latest, Settings())
    return series(registry, name)


class TestTheQuotaOfARole:
    def test_is_a_gauge_by_resource_and_kind_in_base_units(self):
        one = role("shops", quota={"guarantee": {"cpu": "1500m"}, "limit": {"cpu": "3", "memory": "1Gi"}})
        ledger = ledger_of(one, frameworks={"web": "shops"})
        ledger.put_reservation("kept", Reservation("node-1", {"cpu": 1000}, "shops"))
        charge(ledger, "web", cpu=500)
        charge(ledger, "web", cpu=750, offered=True)
        assert samples(ledger, "tender_role_quota") == {
            ("shops", "cpu", "guarantee"): 1.5,
            ("shops", "cpu", "limit"): 3,
            ("shops", "memory", "limit"): 1024**3,
            ("shops", "cpu", "consumed"): 1,
            ("shops", "pods", "consumed"): 1,
            ("shops", "cpu", "offered"): 0.75,
            ("shops", "pods", "offered"): 1,
        }
        assert samples(ledger, "tender_role_allocated")[("shops", "cpu")] == 0.5

    def test_of_a_role_that_only_a_name_stands_for_is_what_it_consumes(self):
        ledger = ledger_of(frameworks={"web": "implicit"})
        charge(ledger, "web", cpu=500)
        assert samples(ledger, "tender_role_quota") == {
            ("implicit", "cpu", "consumed"): 0.5,
            ("implicit", "pods", "consumed"): 1,
        }

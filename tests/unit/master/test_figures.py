"""What Prometheus is told of roles and frameworks at the time of a scrape."""

from prometheus_client import CollectorRegistry
from tests.builders import demand, external, framework, role
from tests.unit.figures import series
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import CycleResult, Ledger, NotOffered, Reason, Reservation, Settings
from tender.api.framework import Framework
from tender.master.figures import Figures
from tender.master.offerbook import OfferBook
from tender.master.reading import read_framework

NOTHING = CycleResult((), {})
NOW = "2026-05-01T12:00:00Z"


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


class TestAGuarantee:
    def test_that_is_not_met_shows_what_is_lacking_of_what_is_wanted(self):
        ledger = ledger_of(role("shops", quota={"guarantee": {"cpu": "1500m", "memory": "1Gi"}}))
        ledger.put_framework(read_framework(external("web", role="shops", demand=[demand(requests={"cpu": "1"})])))
        charge(ledger, "web", cpu=500)
        assert samples(ledger, "tender_role_guarantee_unmet") == {("shops", "cpu"): 1, ("shops", "memory"): 0}


class TestAFramework:
    def test_counts_under_the_condition_that_is_true(self):
        def in_state(name: str, **conditions: str) -> Framework:
            listed = [
                {"type": kind, "status": status, "reason": "Tested", "lastTransitionTime": NOW}
                for kind, status in conditions.items()
            ]
            return framework(name, external={}, status={"conditions": listed})

        known = (
            in_state("a", Ready="True", Stalled="False"),
            in_state("b", Ready="False", Stalled="True"),
            in_state("c", Reconciling="True"),
            in_state("d"),
            in_state("e", Ready="True"),
        )
        assert samples(ledger_of(), "tender_frameworks", *known) == {
            ("Ready",): 2,
            ("Reconciling",): 1,
            ("Stalled",): 1,
            ("Unknown",): 1,
        }

    def test_has_a_dominant_and_a_fair_share(self):
        ledger = ledger_of(frameworks={"web": "shops", "jobs": "batch"})
        charge(ledger, "web", cpu=1000)
        assert samples(ledger, "tender_framework_dominant_share") == {("shop", "web"): 0.25, ("shop", "jobs"): 0}
        assert samples(ledger, "tender_framework_fair_share") == {("shop", "web"): 0.5, ("shop", "jobs"): 0.5}

    def test_shows_the_nodes_it_was_not_offered_by_reason(self):
        latest = CycleResult((), {"shop/web": (NotOffered(Reason.QUOTA, 3, "…"), NotOffered(Reason.TAINTED, 1, "…"))})
        found = samples(ledger_of(frameworks={"web": "a"}), "tender_framework_not_offered_nodes", latest=latest)
        assert found == {("shop", "web", "Quota"): 3, ("shop", "web", "Tainted"): 1}


class TestTasksThatWait:
    def waiting(self, *reasons: tuple[str, int]) -> Framework:
        listed = [{"reason": reason, "nodes": nodes} for reason, nodes in reasons]
        return framework("web", external={}, status={"waiting": {"since": NOW, "tasks": 4, "reasons": listed}})

    def tasks(self, *reasons: tuple[str, int]) -> dict[tuple[str, ...], float]:
        return samples(ledger_of(), "tender_framework_waiting_tasks", self.waiting(*reasons))

    def test_count_under_what_is_in_the_way_of_the_most_nodes(self):
        assert self.tasks(("Role", 2), ("Memory", 7)) == {("shop", "web", "Memory"): 4}

    def test_count_as_without_an_offer_where_none_was_refused(self):
        assert self.tasks() == {("shop", "web", "NoOffer"): 4}

    def test_count_as_others_where_the_word_is_not_known(self):
        assert self.tasks(("Moon phase", 2)) == {("shop", "web", "Other"): 4}

    def test_say_since_when_and_only_while_they_wait(self):
        name = "tender_framework_waiting_since_timestamp_seconds"
        found = samples(ledger_of(), name, self.waiting(), framework("jobs", external={}))
        assert found == {("shop", "web"): 1777636800}

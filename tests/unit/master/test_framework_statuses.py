"""What the master tells people of frameworks."""

from random import Random

from tests.builders import NOON, demand, external
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import CycleResult, Ledger, NotOffered, Reason, Settings, run_cycle
from tender.api.framework import FrameworkStatus
from tender.master.framework_statuses import framework_status
from tender.master.reading import read_framework

SETTINGS = Settings()
NOTHING = CycleResult((), {})


class TestAFramework:
    def test_is_told_its_share_and_what_it_holds_apart_from_what_is_on_offer(self):
        ledger = ledger_of(frameworks={"spark": "batch"})
        charge(ledger, "spark", cpu=500)
        charge(ledger, "spark", cpu=1500, offered=True)
        assert framework_status("shop/spark", ledger, NOTHING, SETTINGS)["allocation"] == {
            "dominantShare": "0.5000",
            "allocated": {"cpu": "500m", "pods": "1"},
            "offered": {"cpu": "1500m", "pods": "1"},
        }

    def test_is_told_why_it_was_not_offered_more(self):
        result = CycleResult((), {"shop/spark": (NotOffered(Reason.TAINTED, 3, "taint gpu is not tolerated"),)})
        (why,) = framework_status("shop/spark", ledger_of(), result, SETTINGS)["allocation"]["notOffered"]
        assert why == {"reason": "Tainted", "nodes": 3, "message": "taint gpu is not tolerated"}

    def test_is_told_no_more_than_the_schema_allows(self):
        result = CycleResult((), {"shop/spark": (NotOffered(Reason.QUOTA, 1, "x" * 5000),)})
        FrameworkStatus.model_validate(framework_status("shop/spark", ledger_of(), result, SETTINGS))

    def test_that_holds_nothing_is_told_its_share_only_since_an_empty_map_that_is_applied_becomes_null(self):
        assert framework_status("shop/spark", Ledger(), NOTHING, SETTINGS) == {
            "allocation": {"dominantShare": "0.0000"}
        }

    def test_is_told_the_reasons_of_a_real_cycle_in_a_form_that_the_schema_takes(self):
        ledger = ledger_of()
        ledger.put_framework(read_framework(external(demand=[demand("a", 99, requests={"cpu": "3"})])))
        result = run_cycle(ledger, SETTINGS, NOON, Random(1))
        told = framework_status("shop/spark", ledger, result, SETTINGS)
        status = FrameworkStatus.model_validate(told)
        assert status.allocation is not None
        assert [(one.reason, one.nodes) for one in status.allocation.not_offered] == [("Exhausted", 1)]

"""What roles hold: pods, claims, offers and reservations, told apart and summed up the tree."""

from tests.builders import role
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import Charge, Framework, Ledger, Reservation
from tender.master.role_figures import role_figures


def company(**frameworks: str) -> Ledger:
    """The roles company and, below it, shops; frameworks by name with their roles."""
    return ledger_of(role("company"), role("shops", parent="company"), frameworks=frameworks)


def reserve(ledger: Ledger, cpu: int, of: str = "shops") -> None:
    ledger.put_reservation(("kept", of), Reservation("node-1", {"cpu": cpu}, of))


def cpu_of(ledger: Ledger, name: str = "shops") -> dict[str, int]:
    figures = role_figures(ledger)[name]
    amounts = {
        "allocated": figures.allocated,
        "consumed": figures.consumed,
        "offered": figures.offered,
        "held": figures.held,
    }
    return {kind: amount.get("cpu", 0) for kind, amount in amounts.items()}


class TestARole:
    def test_consumes_what_its_frameworks_hold_but_not_what_they_are_offered(self):
        ledger = company(web="shops")
        charge(ledger, "web", cpu=1000)
        charge(ledger, "web", cpu=500, offered=True)
        for name in ("shops", "company"):
            assert cpu_of(ledger, name) == {"allocated": 1000, "consumed": 1000, "offered": 500, "held": 1500}

    def test_consumes_what_is_reserved_for_it_and_not_used(self):
        ledger = company()
        reserve(ledger, 2000)
        for name in ("shops", "company"):
            assert cpu_of(ledger, name) == {"allocated": 0, "consumed": 2000, "offered": 0, "held": 2000}

    def test_consumes_what_is_reserved_and_used_once(self):
        ledger = company(web="shops")
        reserve(ledger, 2000)
        charge(ledger, "web", cpu=500)
        assert cpu_of(ledger) == {"allocated": 500, "consumed": 2000, "offered": 0, "held": 2000}
        charge(ledger, "web", cpu=2500)
        assert cpu_of(ledger) == {"allocated": 3000, "consumed": 3000, "offered": 0, "held": 3000}

    def test_consumes_what_is_reserved_also_while_that_is_on_offer(self):
        ledger = company(web="shops")
        reserve(ledger, 2000)
        charge(ledger, "web", cpu=1500, offered=True)
        assert cpu_of(ledger) == {"allocated": 0, "consumed": 2000, "offered": 1500, "held": 2000}

    def test_consumes_nothing_of_a_reservation_of_the_role_above_that_it_does_not_use(self):
        ledger = company(web="shops")
        reserve(ledger, 2000, of="company")
        charge(ledger, "web", cpu=500)
        assert cpu_of(ledger)["consumed"] == 500
        assert cpu_of(ledger, "company")["consumed"] == 2000

    def test_is_charged_with_offers_that_are_made_in_it_though_it_is_not_the_framework_s_first(self):
        ledger = company(web="company")
        ledger.put_framework(Framework("shop/web", "company", further_roles=("shops",)))
        ledger.put_charge("offer", Charge("node-1", {"cpu": 500}, "shop/web", offered=True, role="shops"))
        assert cpu_of(ledger)["offered"] == 500
        assert [role_figures(ledger)[name].members for name in ("company", "shops")] == [1, 1]

    def test_counts_what_is_left_of_a_framework_that_is_gone_no_more(self):
        ledger = company(web="shops")
        charge(ledger, "web", cpu=500, offered=True)
        ledger.remove_framework("shop/web")
        assert cpu_of(ledger) == {"allocated": 0, "consumed": 0, "offered": 0, "held": 0}

    def test_exists_as_soon_as_a_framework_or_a_reservation_names_it(self):
        ledger = ledger_of(frameworks={"web": "implicit"})
        reserve(ledger, 1000, of="kept")
        assert role_figures(ledger).keys() == {"implicit", "kept"}

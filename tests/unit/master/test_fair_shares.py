"""What weights come to."""

import pytest
from tests.builders import demand, external, role
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import Ledger
from tender.api.role import FrameworkRole
from tender.master.fair_shares import fair_shares
from tender.master.reading import read_framework


def ledger(*roles: FrameworkRole, **frameworks: str) -> Ledger:
    """Frameworks by name, in one role or several (separated by blanks), which all want something."""
    made = ledger_of(*roles)
    for name, of in frameworks.items():
        first, *further = of.split()
        made.put_framework(read_framework(external(name, demand=[demand()], role=first, roles=further)))
    return made


class TestFairShares:
    def test_of_one_framework_is_everything(self):
        shares = fair_shares(ledger(web="shop"))
        assert (shares.roles, shares.frameworks) == ({"shop": 1}, {"shop/web": 1})

    def test_of_siblings_are_by_weight(self):
        shares = fair_shares(ledger(role("shop", weight=3), web="shop", jobs="batch", more="batch"))
        assert shares.roles == {"shop": 0.75, "batch": 0.25}
        assert shares.frameworks == {"shop/web": 0.75, "shop/jobs": 0.125, "shop/more": 0.125}

    def test_divide_what_is_above_them(self):
        tree = (role("shop"), role("front", parent="shop", weight=3), role("back", parent="shop"))
        shares = fair_shares(ledger(*tree, web="front", store="back", jobs="batch"))
        assert shares.roles == {"shop": 0.5, "front": 0.375, "back": 0.125, "batch": 0.5}

    def test_of_frameworks_beside_child_roles_are_those_of_one_more_child(self):
        shares = fair_shares(ledger(role("shop"), role("front", parent="shop", weight=3), web="front", store="shop"))
        assert shares.frameworks == {"shop/web": 0.75, "shop/store": 0.25}

    def test_of_a_framework_in_several_roles_add_up(self):
        shares = fair_shares(ledger(web="shop batch", jobs="batch"))
        assert shares.frameworks == {"shop/web": 0.75, "shop/jobs": 0.25}

    def test_go_by_who_takes_part(self):
        made = ledger(web="shop")
        made.put_framework(read_framework(external("idle", demand=[], role="batch")))
        assert fair_shares(made).roles == {"shop": 1}
        charge(made, "idle", cpu=500)
        assert fair_shares(made).roles == {"shop": 0.5, "batch": 0.5}

    def test_of_all_frameworks_make_up_the_cluster(self):
        tree = (role("a", weight=2.5), role("b", parent="a"), role("c", parent="a", weight=0.5))
        shares = fair_shares(ledger(*tree, one="a", two="b", three="b", four="c", five="d", six="c d"))
        assert sum(shares.frameworks.values()) == pytest.approx(1)


def test_nobody_has_a_share_where_nobody_takes_part():
    assert fair_shares(ledger()).roles == {}

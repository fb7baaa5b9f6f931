"""Offers are taken back when quotas or nodes change, and just enough of them."""

from tests.unit.allocation.builders import amounts, framework, ledger, node, role, tainted, tolerating

from tender.allocation import Charge, Ledger, Reservation, Role, Settings, Taint
from tender.allocation.take_back import after_role_change, on_node

SETTINGS = Settings()


def offer(cpu: int, name: str = "f1", where: str = "n1") -> Charge:
    return Charge(where, amounts(cpu=cpu), name, offered=True)


def change(on: Ledger, changed: Role, **options):
    before = on.roles.get(changed.name)
    on.put_role(changed)
    return after_role_change(on, SETTINGS, before, changed, **options)


class TestALoweredLimit:
    def facts(self, *charges: Charge) -> Ledger:
        made = ledger(node(cpu=10_000), role("a"), role("b", "a"), framework("f1", "b"), framework("f2", "c"))
        for number, charge in enumerate(charges):
            made.put_charge(f"o{number}", charge)
        return made

    def test_takes_nothing_back_that_still_fits(self):
        assert change(self.facts(offer(1000)), role("a", limit=amounts(cpu=1000))) == []

    def test_takes_back_as_little_as_will_do(self):
        one = self.facts(offer(4000), offer(1000), offer(2000))
        assert change(one, role("a", limit=amounts(cpu=6000))) == ["o1"]

    def test_leaves_alone_what_a_larger_one_makes_needless(self):
        one = self.facts(offer(4000), offer(1000), offer(1000))
        assert change(one, role("a", limit=amounts(cpu=2000))) == ["o0"]

    def test_leaves_other_roles_alone(self):
        one = self.facts(offer(1000), offer(1000, "f2"))
        assert change(one, role("a", limit=amounts(cpu=0) | {"cpu": 0})) == ["o0"]

    def test_takes_no_claim_back(self):
        one = self.facts(Charge("n1", amounts(cpu=3000), "f1"), offer(1000))
        assert change(one, role("a", limit=amounts(cpu=1000))) == ["o1"]

    def test_takes_bundles_back_as_a_whole(self):
        one = self.facts(offer(1000), offer(1000), offer(3000))
        bundles = {"o0": "small", "o1": "small", "o2": "large"}
        taken = change(one, role("a", limit=amounts(cpu=4000)), bundle=lambda key: bundles[str(key)])
        assert taken == ["o0", "o1"]

    def test_is_found_when_the_limit_of_a_new_parent_binds(self):
        one = self.facts(offer(1000))
        one.put_role(role("tight", limit={"cpu": 0}))
        assert change(one, role("b", "tight")) == ["o0"]

    def test_is_one_only_if_a_limit_is_lower_than_before(self):
        one = self.facts(offer(3000))
        one.put_role(role("a", limit=amounts(cpu=1000)))
        assert change(one, role("a", weight=3, limit=amounts(cpu=2000))) == []


class TestARaisedGuarantee:
    def facts(self, *charges: Charge) -> Ledger:
        made = ledger(node(cpu=4000), role("prod"), framework("f1", "a"), framework("f2", "prod"))
        for number, charge in enumerate(charges):
            made.put_charge(f"o{number}", charge)
        return made

    def test_takes_nothing_back_while_enough_is_free(self):
        assert change(self.facts(offer(2000)), role("prod", guarantee=amounts(cpu=2000))) == []

    def test_takes_back_as_little_as_will_do(self):
        one = self.facts(offer(3000), offer(1000))
        assert change(one, role("prod", guarantee=amounts(cpu=1000))) == ["o1"]

    def test_does_not_take_back_what_the_role_itself_is_offered(self):
        one = self.facts(offer(2000, "f2"), offer(2000))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o1"]

    def test_takes_back_what_helps_though_it_is_not_enough(self):
        one = self.facts(Charge("n1", amounts(cpu=3000), "f1"), offer(1000))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o1"]

    def test_leaves_nodes_alone_that_could_not_serve_it(self):
        one = self.facts(offer(4000))
        one.put_node(tainted("n2"))
        one.put_charge("elsewhere", offer(4000, where="n2"))
        assert change(one, role("prod", guarantee=amounts(cpu=4000))) == ["o0"]

    def test_does_not_take_back_reserved_offers(self):
        one = self.facts()
        one.put_role(role("a"))
        one.put_reservation("r", Reservation("n1", amounts(cpu=4000), "a"))
        one.put_charge("o0", offer(4000))
        assert change(one, role("prod", guarantee=amounts(cpu=1000))) == []


class TestANode:
    def test_takes_everything_back_when_nothing_may_start_there(self):
        one = ledger(node(unavailable="cordoned"), framework(), offer(1000), Charge("n1", amounts(cpu=1000), "f1"))
        assert on_node(one, SETTINGS, "n1") == [2]

    def test_takes_back_what_does_not_tolerate_its_taints(self):
        one = ledger(
            node(taints=(Taint("dedicated"),)),
            framework("f1"),
            framework("f2", tolerations=tolerating()),
            offer(1000, "f1"),
            offer(1000, "f2"),
        )
        assert on_node(one, SETTINGS, "n1") == [3]

    def test_takes_back_just_enough_when_others_use_more(self):
        one = ledger(node(), framework(), offer(1000), offer(2000), Charge("n1", amounts(cpu=2000)))
        assert on_node(one, SETTINGS, "n1") == [2]

    def test_takes_back_what_stands_in_the_way_of_a_reservation(self):
        one = ledger(
            node(),
            role("a"),
            framework("f1", "a"),
            framework("f2"),
            offer(2000, "f1"),
            offer(2000, "f2"),
            Reservation("n1", amounts(cpu=3000), "a"),
        )
        assert on_node(one, SETTINGS, "n1") == [5]

    def test_takes_nothing_back_that_fits(self):
        assert on_node(ledger(node(), framework(), offer(4000)), SETTINGS, "n1") == []

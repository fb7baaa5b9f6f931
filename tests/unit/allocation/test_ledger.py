"""The ledger counts every fact once, whatever order facts come in and however often they are told."""

from itertools import permutations

from tests.unit.allocation.builders import Fact, amounts, framework, ledger, node, put, role, wanting

from tender.allocation import Charge, Ledger, Refusal, Reservation, Role, Settings
from tender.allocation.model import Member

POD = Charge("n1", amounts(cpu=500, memory=512), "f1", {"task": 1})


class TestTheSameFactTwice:
    def test_counts_once_for_a_charge(self):
        told_twice = ledger(node(), framework(), POD)
        told_twice.put_charge(2, POD)
        assert told_twice.held("f1") == POD.resources
        assert told_twice.free("n1") == amounts(cpu=3500, memory=3584)
        assert told_twice.tasks("f1", "task") == {"n1": 1}

    def test_counts_once_for_a_node(self):
        assert ledger(node(), node()).totals == node().allocatable

    def test_counts_once_for_a_reservation(self):
        kept = Reservation("n1", amounts(cpu=500), "a")
        one = ledger(node(), role("a"), kept)
        one.put_reservation(2, kept)
        assert one.role_holdings() == {"a": amounts(cpu=500)}

    def test_ends_once_for_a_charge(self):
        one = ledger(node(), framework(), POD)
        one.remove_charge(2)
        one.remove_charge(2)
        assert one.held("f1") == {}
        assert one.free("n1") == node().allocatable


class TestAnyOrderOfFacts:
    FACTS: tuple[Fact, ...] = (node(), framework(role="a"), role("a"), POD, Reservation("n1", amounts(cpu=1000), "a"))

    def test_gives_the_same_ledger(self):
        results = []
        for order in permutations(enumerate(self.FACTS)):
            made = Ledger()
            for key, fact in order:
                put(made, key, fact)
            results.append((made.free("n1"), made.held("f1"), made.role_holdings(), made.unused("n1"), made.totals))
        assert all(result == results[0] for result in results)
        assert results[0][2] == {"a": amounts(cpu=1000, memory=512)}

    def test_lets_a_pod_be_known_before_its_node(self):
        late = ledger(framework(), POD)
        assert late.held("f1") == {}
        late.put_node(node())
        assert late.held("f1") == POD.resources


class TestWhatGoes:
    def test_counts_no_longer_with_its_node_and_again_when_it_returns(self):
        one = ledger(node(), framework(), POD)
        one.remove_node("n1")
        assert (one.held("f1"), one.totals, one.tasks("f1", "task")) == ({}, {}, {})
        one.put_node(node())
        assert one.held("f1") == POD.resources

    def test_counts_as_outside_use_with_its_framework(self):
        one = ledger(node(), framework(role="a"), role("a"), POD)
        one.remove_framework("f1")
        assert one.role_holdings() == {"a": {}}
        assert one.free("n1") == amounts(cpu=3500, memory=3584)

    def test_moves_with_a_replaced_charge(self):
        one = ledger(node(), node("n2"), framework(), POD)
        one.put_charge(3, Charge("n2", amounts(cpu=100), "f1"))
        assert one.free("n1") == node().allocatable
        assert one.free("n2")["cpu"] == 3900

    def test_ends_past_allocations_with_a_framework(self):
        one = ledger(framework())
        one.note_allocation("f1")
        one.remove_framework("f1")
        assert one.allocations(Member("f1", "role-of-f1")) == 0

    def test_ends_what_a_framework_refused_with_it(self):
        one = ledger(node(), framework(), Refusal("f1", 10.0, {"n1": amounts(cpu=1000)}))
        one.remove_framework("f1")
        one.remove_framework("f1")
        one.put_framework(framework())
        assert one.refusals("f1", now=0.0) == {}

    def test_takes_what_is_reserved_on_a_node_with_it(self):
        one = ledger(node(), role("a"), Reservation("n1", amounts(cpu=1000), "a"))
        assert one.role_holdings() == {"a": amounts(cpu=1000)}
        one.remove_node("n1")
        assert (one.role_holdings(), one.unused("n1")) == ({"a": {}}, {})
        one.put_node(node())
        assert one.role_holdings() == {"a": amounts(cpu=1000)}

    def test_does_not_matter_if_it_was_never_there(self):
        one = ledger(node(), framework(), POD)
        one.remove_node("n2")
        one.remove_framework("f2")
        one.remove_role("a")
        one.remove_reservation("r")
        one.remove_charge("c")
        assert one.held("f1") == POD.resources
        assert one.totals == node().allocatable

    def test_is_on_offer_no_longer(self):
        offer = Charge("n1", amounts(cpu=500), "f1", offered=True)
        one = ledger(node(), framework(), offer, POD)
        assert list(one.offers()) == [(2, offer)]
        one.remove_node("n1")
        assert list(one.offers()) == []
        one.put_node(node())
        one.remove_charge(2)
        assert list(one.offers()) == []


class TestWhatChanges:
    def test_counts_in_its_new_size(self):
        one = ledger(node(), POD)
        one.put_node(node(cpu=9000))
        assert one.totals == amounts(cpu=9000, memory=4096)
        assert one.free("n1")["cpu"] == 8500

    def test_keeps_a_reservation_under_one_key_once(self):
        one = ledger(node(), node("n2"), role("a"), Reservation("n1", amounts(cpu=1000), "a"))
        assert one.role_holdings() == {"a": amounts(cpu=1000)}
        one.put_reservation(3, Reservation("n2", amounts(cpu=500), "a"))
        assert one.role_holdings() == {"a": amounts(cpu=500)}
        assert (one.unused("n1"), one.unused("n2")) == ({}, {("a", None): amounts(cpu=500)})

    def test_adds_further_reservations_to_those_that_are_known(self):
        one = ledger(node(), role("a"), Reservation("n1", amounts(cpu=1000), "a"))
        assert one.unused("n1") == {("a", None): amounts(cpu=1000)}
        one.put_reservation("more", Reservation("n1", amounts(cpu=500), "a"))
        assert one.unused("n1") == {("a", None): amounts(cpu=1500)}
        assert one.role_holdings() == {"a": amounts(cpu=1500)}

    def test_moves_what_is_held_with_the_role_of_the_framework(self):
        one = ledger(node(), framework(role="a"), POD)
        assert one.role_holdings() == {"a": POD.resources}
        one.put_framework(framework(role="b"))
        assert one.role_holdings() == {"b": POD.resources}

    def test_moves_what_is_held_with_the_parent_of_the_role(self):
        one = ledger(node(), role("a"), role("b"), role("c", "a"), framework(role="c"), POD)
        assert one.role_holdings()["a"] == POD.resources
        one.put_role(role("c", "b"))
        assert (one.role_holdings()["a"], one.role_holdings()["b"]) == ({}, POD.resources)
        one.remove_role("b")
        assert one.role_holdings() == {"a": {}, "c": POD.resources}

    def test_uses_reservations_anew_when_a_framework_changes_its_role(self):
        one = ledger(node(), framework(role="a"), Reservation("n1", amounts(cpu=500), "a"), POD)
        assert one.unused("n1") == {("a", None): {}}
        one.put_framework(framework(role="b"))
        assert one.unused("n1") == {("a", None): amounts(cpu=500)}


class TestSeveralRoles:
    """What a framework holds counts for the role that it is charged to."""

    def facts(self) -> Ledger:
        return ledger(
            node(),
            framework(role="a", further_roles=("b",)),
            Charge("n1", amounts(cpu=1000), "f1"),
            Charge("n1", amounts(cpu=500), "f1", role="b", offered=True),
            Charge("n1", amounts(cpu=200), "f1", role="left"),
        )

    def test_hold_each_their_own(self):
        one = self.facts()
        assert one.held("f1") == amounts(cpu=1700)
        assert one.held_by_role("f1") == {"a": amounts(cpu=1000), "b": amounts(cpu=500), "left": amounts(cpu=200)}
        assert one.role_holdings() == one.held_by_role("f1")

    def test_are_offered_each_their_own(self):
        one = self.facts()
        one.put_charge("first", Charge("n1", amounts(memory=1), "f1", offered=True))
        assert one.offered("f1") == amounts(cpu=500, memory=1)
        assert one.offered_by_role("f1") == {"a": amounts(memory=1), "b": amounts(cpu=500)}
        assert (one.offered("f2"), one.held("f2")) == ({}, {})

    def test_are_members_each(self):
        one = self.facts()
        assert one.member_holdings(Member("f1", "a")) == amounts(cpu=1000)
        assert one.member_holdings(Member("f1", "b")) == amounts(cpu=500)
        assert one.member_holdings(Member("f1", "other")) == {}
        assert one.member_of(Charge("n1", {}, "f1", role="b")) == Member("f1", "b")
        assert one.member_of(Charge("n1", {}, "f1")) == Member("f1", "a")
        assert one.member_of(Charge("n1", {}, "unknown")) is None
        assert one.member_of(Charge("n1", {})) is None

    def test_have_the_unused_reservations_that_name_the_framework(self):
        one = self.facts()
        one.put_reservation("ra", Reservation("n1", amounts(memory=1), "a", "f1"))
        one.put_reservation("rb", Reservation("n1", amounts(memory=2), "b", "f1"))
        one.put_reservation("rc", Reservation("n1", amounts(memory=4), "c", "f1"))
        assert one.reserved_for("f1") == {"a": amounts(memory=1), "b": amounts(memory=2), "c": amounts(memory=4)}
        assert one.member_holdings(Member("f1", "a")) == amounts(cpu=1000, memory=5)
        assert one.member_holdings(Member("f1", "b")) == amounts(cpu=500, memory=2)
        for key in ("ra", "rb", "rc"):
            one.remove_reservation(key)
        assert one.reserved_for("f1") == {}
        assert one.member_holdings(Member("f1", "a")) == amounts(cpu=1000)


class TestPastAllocations:
    def test_are_counted_by_framework_and_role(self):
        one = ledger(framework(role="a", further_roles=("b",)))
        for role_of in (None, "a", "b", "b", "b"):
            one.note_allocation("f1", role_of)
        assert [one.allocations(Member("f1", name)) for name in ("a", "b", "c")] == [2, 3, 0]

    def test_of_who_is_unknown_count_only_with_a_role(self):
        one = ledger()
        one.note_allocation("f1")
        one.note_allocation("f1", "a")
        assert one.allocations(Member("f1", "a")) == 1
        assert one.allocations_of_roles() == {"a": 1}

    def test_of_roles_hold_those_below(self):
        one = ledger(role("a"), role("b", "a"), framework("f1", "a"), framework("f2", "b"))
        one.note_allocation("f1")
        one.note_allocation("f2")
        one.note_allocation("f2")
        assert one.allocations_of_roles() == {"a": 3, "b": 2}


class TestMoreHeldThanThereIs:
    def test_leaves_less_than_nothing_free(self):
        one = ledger(node(cpu=1000), Charge("n1", amounts(cpu=1500)))
        assert one.free("n1")["cpu"] == -500


class TestRolesAbove:
    def lines(self, *roles: Role) -> dict[str, list[str]]:
        made = ledger(*roles)
        return {name: [one.name for one in made.lineage(name)] for name in made.roles}

    def test_are_followed_to_the_top(self):
        assert self.lines(role("a"), role("b", "a"), role("c", "b"))["c"] == ["c", "b", "a"]

    def test_end_at_a_parent_that_is_not_there(self):
        assert self.lines(role("b", "nowhere")) == {"b": ["b"]}

    def test_end_at_a_circle_for_all_roles_alike(self):
        assert self.lines(role("a", "b"), role("b", "a"), role("c", "a")) == {"a": ["a"], "b": ["b"], "c": ["c", "a"]}

    def test_are_found_when_they_come_later(self):
        made = ledger(role("b", "a"))
        assert len(made.lineage("b")) == 1
        made.put_role(role("a"))
        assert len(made.lineage("b")) == 2


class TestFilters:
    REFUSAL = Refusal("f1", 10.0, {"n1": amounts(cpu=1000)})

    def test_stand_until_their_time_is_reached(self):
        one = ledger(node(), framework(), self.REFUSAL)
        assert one.refusals("f1", now=9.9) == {"n1": [amounts(cpu=1000)]}
        assert one.refusals("f1", now=10.0) == {}

    def test_end_when_the_labels_of_the_node_change(self):
        one = ledger(node(), framework(), self.REFUSAL)
        one.put_node(node(cpu=2000))
        assert one.refusals("f1", now=0.0)
        one.put_node(node(labels={"disk": "ssd"}))
        assert one.refusals("f1", now=0.0) == {}

    def test_end_when_the_demand_changes(self):
        one = ledger(node(), wanting(count=1), self.REFUSAL)
        one.put_framework(wanting(count=1))
        assert one.refusals("f1", now=0.0)
        one.put_framework(wanting(count=2))
        assert one.refusals("f1", now=0.0) == {}

    def test_end_when_the_framework_revives(self):
        one = ledger(node(), framework(), framework("f2"), self.REFUSAL, Refusal("f2", 10.0, {"n1": {}}))
        one.revive("f1")
        assert one.refusals("f1", now=0.0) == {}
        assert one.refusals("f2", now=0.0) == {"n1": [{}]}

    def test_end_one_by_one(self):
        one = ledger(node(), framework(), self.REFUSAL, Refusal("f1", 10.0, {"n1": amounts(cpu=5)}))
        one.remove_refusal(2)
        one.remove_refusal(2)
        assert one.refusals("f1", now=0.0) == {"n1": [amounts(cpu=5)]}


class TestShares:
    def test_are_the_largest_fraction_of_any_shared_resource(self):
        one = ledger(node(cpu=4000, memory=4096), framework(), Charge("n1", amounts(cpu=1000, memory=2048), "f1"))
        assert one.shares(Settings()).frameworks == {"f1": 0.5}

    def test_leave_out_what_is_not_shared(self):
        one = ledger(node(gpu=1), framework(), Charge("n1", amounts(cpu=1000, gpu=1), "f1"))
        settings = Settings(unshared_resources=frozenset({"nvidia.com/gpu"}))
        assert one.shares(settings).frameworks == {"f1": 0.25}

    def test_are_divided_by_the_weight_of_a_role(self):
        one = ledger(node(), role("a", weight=2), framework(role="a"), Charge("n1", amounts(cpu=2000), "f1"))
        assert one.shares(Settings()).roles == {"a": 0.25}

    def test_of_a_role_hold_everything_below_it(self):
        one = ledger(
            node(),
            role("a"),
            role("b", "a"),
            framework("f1", "a"),
            framework("f2", "b"),
            Charge("n1", amounts(cpu=1000), "f1"),
            Charge("n1", amounts(cpu=2000), "f2"),
        )
        assert one.shares(Settings()).roles == {"a": 0.75, "b": 0.5}

    def test_are_zero_in_an_empty_cluster(self):
        assert ledger(framework(role="a")).shares(Settings()).roles == {"a": 0.0}

    def test_count_a_reservation_for_its_role_also_while_it_is_unused(self):
        kept = Reservation("n1", amounts(cpu=2000), "a")
        one = ledger(node(), role("a"), framework(role="a"), kept)
        assert one.shares(Settings()).roles == {"a": 0.5}
        assert one.shares(Settings()).frameworks == {"f1": 0.0}
        one.put_charge("pod", Charge("n1", amounts(cpu=1500), "f1"))
        assert one.shares(Settings()).roles == {"a": 0.5}
        assert one.shares(Settings()).frameworks == {"f1": 0.375}

    def test_count_a_reservation_for_the_framework_that_it_names(self):
        one = ledger(node(), role("a"), framework(role="a"), Reservation("n1", amounts(cpu=2000), "a", "f1"))
        assert one.shares(Settings()).frameworks == {"f1": 0.5}

"""Reservations are offered to their role and those below it, and to nobody else."""

from tests.unit.allocation.builders import (
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    reasons,
    role,
    settle,
    tasks_granted,
    wanting,
)

from tender.allocation import Charge, Ledger, Reservation
from tender.allocation.reservations import Reservations

ALL = node().allocatable
HALF = amounts(cpu=2000, memory=2048)
TREE = (role("a"), role("b", "a"), role("c", "a"))


def kept(for_role: str, resources=HALF, **fields) -> Reservation:
    return Reservation("n1", resources, for_role, **fields)


class TestWhoIsOffered:
    def test_the_role_gets_its_part_and_what_is_free(self):
        assert offered(cycle(ledger(node(), *TREE, kept("a"), framework(role="a")))) == {"f1": {"n1": ALL}}

    def test_the_roles_below_get_it_too(self):
        assert offered(cycle(ledger(node(), *TREE, kept("a"), framework(role="b")))) == {"f1": {"n1": ALL}}

    def test_the_roles_above_and_beside_get_the_rest(self):
        for home in ("a", "c", "elsewhere"):
            one = ledger(node(), *TREE, kept("b"), framework(role=home))
            assert offered(cycle(one)) == {"f1": {"n1": HALF}}

    def test_only_the_framework_that_is_named_gets_it(self):
        facts = (node(), *TREE, kept("a", framework="f1"))
        assert offered(cycle(ledger(*facts, framework("f1", "a")))) == {"f1": {"n1": ALL}}
        assert offered(cycle(ledger(*facts, framework("f2", "a")))) == {"f2": {"n1": HALF}}

    def test_everybody_gets_it_when_the_reservation_ends(self):
        one = ledger(node(), *TREE, kept("a"), framework(role="elsewhere"))
        one.remove_reservation(4)
        assert offered(cycle(one)) == {"f1": {"n1": ALL}}

    def test_tasks_are_placed_on_it_as_well(self):
        facts = (node(), *TREE, kept("a", ALL))
        assert tasks_granted(cycle(ledger(*facts, wanting(count=9, role="a")))) == {"f1": 4}
        assert tasks_granted(cycle(ledger(*facts, wanting(count=9)))) == {}

    def test_a_task_may_take_of_both_parts(self):
        one = ledger(node(), *TREE, kept("a", amounts(cpu=500)), wanting(count=9, role="a", memory=1))
        assert tasks_granted(cycle(one)) == {"f1": 4}


class TestUse:
    def test_goes_to_the_reservation_first(self):
        one = ledger(node(), *TREE, kept("a"), framework(role="a"), Charge("n1", amounts(cpu=1000), "f1"))
        assert one.unused("n1") == {("a", None): amounts(cpu=1000, memory=2048)}

    def test_goes_to_the_nearest_role_and_then_up(self):
        one = ledger(
            node(),
            *TREE,
            kept("a", amounts(cpu=1000)),
            kept("b", amounts(cpu=1000)),
            framework(role="b"),
            Charge("n1", amounts(cpu=1500), "f1"),
        )
        assert one.unused("n1") == {("b", None): {}, ("a", None): amounts(cpu=500)}

    def test_goes_to_the_one_that_names_the_framework_before_any_other(self):
        one = ledger(
            node(),
            *TREE,
            kept("b", amounts(cpu=1000)),
            kept("a", amounts(cpu=1000), framework="f1"),
            framework(role="b"),
            Charge("n1", amounts(cpu=1500), "f1"),
        )
        assert one.unused("n1") == {("a", "f1"): {}, ("b", None): amounts(cpu=500)}

    def test_leaves_alone_what_names_another_framework(self):
        one = ledger(node(), *TREE, kept("a", framework="f2"), framework(role="a"), Charge("n1", HALF, "f1"))
        assert one.unused("n1") == {("a", "f2"): HALF}

    def test_of_the_last_one_leaves_nothing(self):
        gpu = amounts(gpu=1)
        one = ledger(node(gpu=1), *TREE, kept("a", gpu), framework(role="a"), Charge("n1", gpu, "f1"))
        assert one.unused("n1") == {("a", None): {}}

    def test_goes_to_the_role_that_it_is_charged_to(self):
        one = ledger(
            node(),
            *TREE,
            kept("b"),
            kept("c"),
            framework(role="b", further_roles=("c",)),
            Charge("n1", amounts(cpu=500), "f1", role="c"),
        )
        assert one.unused("n1") == {("b", None): HALF, ("c", None): amounts(cpu=1500, memory=2048)}

    def test_can_be_seen_without_some_of_it(self):
        one = ledger(node(), *TREE, kept("a"), framework(role="a"), Charge("n1", HALF, "f1"))
        assert one.unused("n1") == {("a", None): {}}
        assert one.unused("n1", without=[6]) == {("a", None): HALF}
        assert one.unused("n1") == {("a", None): {}}

    def test_by_others_leaves_it_as_it_is(self):
        one = ledger(node(), *TREE, kept("a"), framework(), Charge("n1", HALF, "f1"))
        assert one.unused("n1") == {("a", None): HALF}


class TestQuota:
    def test_counts_a_reservation_while_it_is_unused(self):
        one = ledger(
            node(), node("n2"), role("a", limit=HALF), kept("a"), framework(role="a"), Charge("n1", HALF, "f1")
        )
        assert offered(cycle(one)) == {}

    def test_does_not_count_a_reservation_twice_when_it_is_offered(self):
        one = ledger(node(), node("n2"), role("a", limit=ALL), kept("a"), framework(role="a"))
        made = offered(cycle(one))["f1"]
        assert sum(amounts["cpu"] for amounts in made.values()) == 4000

    def test_of_a_role_below_binds_what_it_takes_of_a_reservation_above(self):
        one = ledger(
            node(),
            role("a"),
            role("b", "a", limit=amounts(cpu=1000, memory=1024)),
            kept("a", ALL),
            framework(role="b"),
        )
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=1000, memory=1024)}}

    def test_of_a_role_below_binds_both_parts_together(self):
        one = ledger(
            node(),
            role("a"),
            role("b", "a", limit=amounts(cpu=1000, memory=1024)),
            kept("a", HALF),
            framework(role="b"),
        )
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=1000, memory=1024)}}

    def test_of_the_role_counts_of_a_node_only_what_was_not_reserved_there(self):
        one = ledger(node("n1"), node("n2"), role("a", limit=amounts(cpu=6000)), kept("a"), framework(role="a"))
        for seed in range(4):
            made = offered(cycle(one, seed=seed))["f1"]
            assert sum(amounts["cpu"] for amounts in made.values()) == 6000
            assert sum(amounts["memory"] for amounts in made.values()) == 2 * ALL["memory"]

    def test_of_the_role_lets_those_below_use_what_is_reserved_for_it(self):
        one = ledger(node(), role("a", limit=ALL), role("b", "a"), kept("a"), framework(role="b"))
        assert offered(cycle(one)) == {"f1": {"n1": ALL}}

    def test_is_met_by_what_is_reserved_and_what_is_not(self):
        one = ledger(
            node(cpu=3000),
            role("a", guarantee=amounts(cpu=3000)),
            kept("a", amounts(cpu=1000)),
            framework(role="a"),
            framework("f2"),
        )
        assert offered(cycle(one))["f1"] == {"n1": amounts(cpu=3000, memory=4096)}

    def test_is_met_by_a_reservation(self):
        one = ledger(
            node(),
            node("n2"),
            role("a", guarantee=HALF, limit=HALF),
            kept("a"),
            framework("f2"),
        )
        made = offered(cycle(one))["f2"]
        assert made == {"n1": HALF, "n2": ALL}


class TestRoomThatIsNotThere:
    def test_is_not_offered_though_it_is_reserved(self):
        one = ledger(node(), *TREE, kept("a", ALL), framework(role="a"), Charge("n1", amounts(cpu=3000, memory=1024)))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=1000, memory=3072)}}

    def test_goes_to_the_reservation_as_it_becomes_free(self):
        one = ledger(node(), *TREE, kept("a", ALL), framework("f2"), Charge("n1", HALF))
        one.remove_charge(6)
        assert offered(cycle(one)) == {}

    def test_is_shared_out_among_the_reservations_there(self):
        one = ledger(node(), *TREE, kept("a"), kept("b"), framework(role="b"), Charge("n1", amounts(cpu=1000)))
        assert offered(cycle(one)) == {"f1": {"n1": amounts(cpu=3000, memory=4096)}}
        assert offered(cycle(ledger(node(), *TREE, kept("a"), kept("b"), framework(role="c")))) == {"f1": {"n1": HALF}}

    def test_is_told_as_reserved_for_another(self):
        one = ledger(node(), *TREE, kept("a", ALL), framework())
        assert reasons(cycle(one)) == {"Reserved": 1}


class TestAGrant:
    def test_uses_the_reservation_up_so_that_others_get_the_rest(self):
        for seed in range(4):
            one = ledger(node(), *TREE, kept("a"), wanting("f1", 2, "a"), wanting("f2", 4))
            assert tasks_granted(cycle(one, seed=seed)) == {"f1": 2, "f2": 2}

    def test_uses_the_reservation_up_also_if_its_role_comes_first(self):
        one = ledger(node(), role("a", weight=9), kept("a"), wanting("f1", 2, "a"), wanting("f2", 4))
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 2}
        one.put_framework(wanting("f1", 9, "a"))
        one.put_role(role("a", weight=9, limit=HALF))
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 2}

    def test_may_be_of_reservations_for_several_roles_above(self):
        nodes = node("n1"), node("n2"), node("n3")
        for last in ("a", "b"):
            first = "b" if last == "a" else "a"
            held = Reservation("n1", ALL, first), Reservation("n2", ALL, last), Reservation("n3", ALL, "c")
            assert tasks_granted(cycle(ledger(*nodes, *TREE, *held, wanting("f1", 99, "b")))) == {"f1": 8}
            assert offered(cycle(ledger(*nodes, *TREE, *held, framework("f1", "b"))))["f1"] == {"n1": ALL, "n2": ALL}

    def test_is_made_of_one_reservation_to_several_frameworks_but_once(self):
        one = ledger(node(), *TREE, kept("a", ALL), wanting("f1", 9, "a"), wanting("f2", 9, "b"), wanting("f3", 9))
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 2}

    def test_leaves_what_is_reserved_for_others_alone_task_by_task(self):
        one = ledger(node(), *TREE, kept("b"), wanting("f1", 9, "a"), wanting("f2", 9, "c"), wanting("f3", 9, "b"))
        granted = tasks_granted(cycle(one))
        assert sum(granted.values()) == 4
        assert granted["f3"] >= 2

    def test_of_a_whole_node_leaves_what_is_reserved_for_others(self):
        one = ledger(node(), *TREE, kept("b", amounts(cpu=1000)), framework("f1"), framework("f2", "b"))
        made = offered(cycle(one))
        assert sum(amounts["n1"]["cpu"] for amounts in made.values()) == 4000
        assert made["f2"]["n1"]["cpu"] >= 1000

    def test_from_a_reservation_is_no_larger_share_of_its_role(self):
        one = ledger(
            node("n1", cpu=2000),
            node("n2", cpu=2000),
            *TREE,
            kept("a", amounts(cpu=2000)),
            wanting("f1", 9, "a", memory=0),
            wanting("f2", 9, memory=0),
        )
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 2}

    def test_from_a_reservation_leaves_its_role_where_it_was_in_the_order(self):
        nodes = node("n1", cpu=2000), node("n2", cpu=6000)
        for seed in range(4):
            one = ledger(
                *nodes,
                *TREE,
                kept("a", amounts(cpu=2000)),
                wanting("f1", 9, "a", memory=0),
                wanting("f2", 9, memory=0),
            )
            assert tasks_granted(cycle(one, seed=seed)) == {"f1": 4, "f2": 4}

    def test_from_a_reservation_of_a_parent_counts_for_the_child_alone(self):
        nodes = node("n1", cpu=2000), node("n2", cpu=6000)
        for seed in range(4):
            one = ledger(
                *nodes,
                *TREE,
                kept("a", amounts(cpu=2000)),
                wanting("f1", 9, "b", memory=0),
                wanting("f2", 9, "c", memory=0),
                wanting("f3", 9, memory=0),
            )
            assert tasks_granted(cycle(one, seed=seed)) == {"f1": 2, "f2": 2, "f3": 4}

    def test_from_a_reservation_that_names_it_leaves_a_framework_where_it_was(self):
        nodes = node("n1", cpu=2000), node("n2", cpu=6000)
        for seed in range(4):
            one = ledger(
                *nodes,
                role("a"),
                kept("a", amounts(cpu=2000), framework="f1"),
                wanting("f1", 9, "a", memory=0),
                wanting("f2", 9, "a", memory=0),
            )
            assert tasks_granted(cycle(one, seed=seed)) == {"f1": 4, "f2": 4}

    def test_from_a_reservation_counts_for_the_framework_itself(self):
        one = ledger(
            node("n1", cpu=2000),
            node("n2", cpu=2000),
            role("a"),
            kept("a", amounts(cpu=2000)),
            wanting("f1", 9, "a", memory=0),
            wanting("f2", 9, "a", memory=0),
        )
        assert tasks_granted(cycle(one)) == {"f1": 2, "f2": 2}

    def test_does_not_come_again_once_it_is_charged(self):
        one = ledger(node(), *TREE, kept("a"), framework(role="a"))
        settle(one, cycle(one))
        assert cycle(one).grants == ()
        assert one.unused("n1") == {("a", None): {}}


class TestAPartOfAReservation:
    """A Reservation may be refined: a part of it is kept for a role below."""

    PART = amounts(cpu=500, memory=512)

    def facts(self, part: Reservation, whole: Reservation | None = None) -> Ledger:
        one = ledger(node("n1"), node("n2"), *TREE, role("d", "b"))
        one.put_reservation("whole", whole or kept("a"))
        one.put_reservation("part", part)
        return one

    def test_is_kept_there_and_not_in_the_whole(self):
        one = self.facts(kept("b", self.PART, refines="whole"))
        assert one.unused("n1") == {("a", None): amounts(cpu=1500, memory=1536), ("b", None): self.PART}

    def test_may_be_for_a_role_far_below(self):
        one = self.facts(kept("d", self.PART, refines="whole"))
        assert one.unused("n1")["a", None] == amounts(cpu=1500, memory=1536)

    def test_is_there_again_when_the_part_ends(self):
        one = self.facts(kept("b", self.PART, refines="whole"))
        one.remove_reservation("part")
        assert one.unused("n1") == {("a", None): HALF}

    def test_is_one_of_several(self):
        one = self.facts(kept("b", self.PART, refines="whole"))
        one.put_reservation("other", kept("c", self.PART, refines="whole"))
        assert one.unused("n1")["a", None] == amounts(cpu=1000, memory=1024)

    def test_may_itself_have_a_part(self):
        one = self.facts(kept("b", HALF, refines="whole"))
        one.put_reservation("other", kept("d", self.PART, refines="part"))
        assert one.unused("n1") == {
            ("a", None): {},
            ("b", None): amounts(cpu=1500, memory=1536),
            ("d", None): self.PART,
        }

    def test_takes_no_more_off_the_whole_than_there_is(self):
        one = self.facts(kept("b", ALL, refines="whole"))
        assert one.unused("n1") == {("a", None): {}, ("b", None): ALL}

    def test_takes_only_of_resources_that_the_whole_has(self):
        one = self.facts(kept("b", self.PART, refines="whole"), kept("a", amounts(cpu=2000)))
        assert one.unused("n1")["a", None] == amounts(cpu=1500)

    def test_takes_nothing_off_one_that_it_is_no_part_of(self):
        whole = {("a", None): HALF}
        for part in (
            kept("a", self.PART, refines="whole", framework="f1"),
            kept("elsewhere", self.PART, refines="whole"),
            kept("b", self.PART, refines="unknown"),
            kept("b", self.PART, refines="part"),
            kept("b", self.PART),
        ):
            one = self.facts(part)
            assert {group: amounts for group, amounts in one.unused("n1").items() if group in whole} == whole
        assert self.facts(kept("a", self.PART, refines="whole"), kept("b")).unused("n1")["b", None] == HALF
        assert self.facts(Reservation("n2", self.PART, "b", refines="whole")).unused("n1") == whole


class TestReservationsOfANode:
    def test_are_none_at_first(self):
        made = Reservations()
        assert not made.any_on("n1")
        assert made.on("n1", lambda role: [role]) == {}
        assert (made.get("r"), made.places(), list(made.nodes())) == (None, {}, [])

    def test_are_summed_by_whom_they_are_for(self):
        made = Reservations()
        for key, one in enumerate((kept("a"), kept("a"), kept("a", framework="f1"), kept("b"))):
            made.put(key, one)
        assert made.on("n1", lambda role: [role]) == {
            ("a", None): ALL,
            ("a", "f1"): HALF,
            ("b", None): HALF,
        }

    def test_move_with_their_key(self):
        made = Reservations()
        made.put("r", kept("a"))
        made.put("r", Reservation("n2", HALF, "a"))
        assert (made.any_on("n1"), made.any_on("n2")) == (False, True)
        assert made.places() == {("a", None): {"n2"}}

    def test_end_one_by_one(self):
        made = Reservations()
        made.put(1, kept("a"))
        made.put(2, kept("b"))
        assert made.places() == {("a", None): {"n1"}, ("b", None): {"n1"}}
        made.remove(1)
        made.remove("unknown")
        assert made.any_on("n1")
        assert made.on("n1", lambda role: [role]) == {("b", None): HALF}
        assert made.places() == {("b", None): {"n1"}}
        made.remove(2)
        assert not made.any_on("n1")
        assert list(made.nodes()) == []

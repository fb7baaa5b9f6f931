"""Reservations are offered to their role and those below it, and to nobody else."""

from tests.unit.allocation.builders import (
    amounts,
    cycle,
    framework,
    ledger,
    node,
    offered,
    role,
    tasks_granted,
    wanting,
)

from tender.allocation import Charge, Reservation

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

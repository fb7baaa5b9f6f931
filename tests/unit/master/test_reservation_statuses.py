"""What the master tells people of reservations."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from tests.builders import NOON, node, reservation, role, timestamp
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import Charge, Ledger
from tender.api.conditions import find_condition
from tender.api.quantities import parse_resources
from tender.api.reservation import Reservation, ReservationStatus
from tender.master.reading import read_node, read_reservation, read_role
from tender.master.registry import key_of
from tender.master.reservation_statuses import ReservationStatuses

TREE = (role("shops"), role("web", parent="shops"), role("bank"))
FRAMEWORKS = {"shop-1": "shops", "web-1": "web", "bank-1": "bank"}


def ledger_with(*reservations: Reservation) -> Ledger:
    """A node of 4 CPU, with what is reserved on it."""
    ledger = ledger_of(*TREE, frameworks=FRAMEWORKS)
    for one in reservations:
        ledger.put_reservation(key_of(one), read_reservation(one))
    return ledger


def told(ledger: Ledger, *reservations: Reservation, now: float = NOON) -> dict[str, ReservationStatus]:
    """What is told of each reservation, by its name."""
    statuses = ReservationStatuses(ledger).of({key_of(one): one for one in reservations}, now)
    return {one.metadata.name: ReservationStatus.model_validate(status) for one, status in statuses}


def told_of(one: Reservation, *others: Reservation, ledger: Ledger | None = None, **options: Any) -> ReservationStatus:
    return told(ledger or ledger_with(one, *others), one, *others, **options)[one.metadata.name]


def state(status: ReservationStatus) -> tuple[str, str, str]:
    """Which condition holds, its reason and its message."""
    [held] = [one for one in status.conditions if one.status == "True"]
    return held.type, held.reason, held.message


def cpu(amounts: Iterable[dict[str, str]]) -> list[int]:
    return [parse_resources(one).get("cpu", 0) for one in amounts]


class TestAReservation:
    def test_that_fits_is_kept(self):
        status = told_of(reservation(resources={"cpu": "4"}))
        assert state(status) == ("Ready", "Kept", "kept for role shops and the roles below it")
        assert status.observed_generation == 1

    def test_for_one_framework_says_so(self):
        status = told_of(reservation(framework="shop-1"))
        assert state(status) == ("Ready", "Kept", "kept for framework shop-1 in role shops or below")

    def test_that_is_too_large_says_what_its_node_lacks(self):
        status = told_of(reservation(resources={"cpu": "5", "memory": "1Gi"}))
        why = "spec.resources: node node-1 lacks 1 cpu for all that is reserved and used there; reserve less"
        assert state(status) == ("Stalled", "NotKept", why)

    def test_that_has_grown_into_what_others_use_says_what_its_node_lacks(self):
        one = reservation(resources={"cpu": "3500m"})
        ledger = ledger_with(one)
        charge(ledger, "bank-1", cpu=1000)
        assert "lacks 500m cpu" in state(told_of(one, ledger=ledger))[2]

    def test_keeps_the_time_of_its_state_while_that_stays(self):
        one = reservation()
        first = told_of(one)
        later = one.model_copy(update={"status": first})
        assert told_of(later, now=NOON + 60) == first


class TestTheFigures:
    def test_tell_what_is_used_and_what_is_not(self):
        one = reservation(resources={"cpu": "2", "memory": "1Gi"})
        ledger = ledger_with(one)
        charge(ledger, "shop-1", cpu=500)
        charge(ledger, "web-1", cpu=250)
        status = told_of(one, ledger=ledger)
        assert status.used == {"cpu": "750m"}
        assert status.unused == {"cpu": "1250m", "memory": "1Gi"}

    def test_leave_out_what_is_beyond_and_what_others_hold(self):
        one = reservation()
        ledger = ledger_with(one)
        charge(ledger, "shop-1", cpu=1500)
        charge(ledger, "bank-1", cpu=1000)
        status = told_of(one, ledger=ledger)
        assert (status.used, status.unused) == ({"cpu": "1"}, {})

    def test_count_an_open_offer_as_unused(self):
        one = reservation()
        ledger = ledger_with(one)
        charge(ledger, "shop-1", cpu=300)
        charge(ledger, "shop-1", cpu=600, offered=True)
        status = told_of(one, ledger=ledger)
        assert (status.used, status.unused) == ({"cpu": "300m"}, {"cpu": "700m"})

    def test_fill_the_oldest_first_whatever_the_order_in_which_they_are_known(self):
        young, old = reservation("a", created=NOON + 60), reservation("b", created=NOON)
        for order in ((young, old), (old, young)):
            ledger = ledger_with(*order)
            charge(ledger, "shop-1", cpu=1200)
            statuses = told(ledger, *order)
            assert cpu([statuses["b"].used, statuses["a"].used]) == [1000, 200]
            assert cpu([statuses["b"].unused, statuses["a"].unused]) == [0, 800]

    def test_fill_the_first_by_name_of_those_made_together(self):
        both = reservation("b"), reservation("a")
        ledger = ledger_with(*both)
        charge(ledger, "shop-1", cpu=400)
        statuses = told(ledger, *both)
        assert cpu([statuses["a"].used, statuses["b"].used]) == [400, 0]

    def test_fill_what_is_for_the_framework_alone_before_what_is_for_its_role(self):
        shared, own = reservation("shared"), reservation("own", framework="shop-1", created=NOON + 60)
        ledger = ledger_with(shared, own)
        charge(ledger, "shop-1", cpu=1200)
        statuses = told(ledger, shared, own)
        assert cpu([statuses["own"].used, statuses["shared"].used]) == [1000, 200]

    def test_are_absent_while_nothing_is_used(self):
        [(_, status)] = ReservationStatuses(ledger_with(reservation())).of({"shop/kept": reservation()}, NOON)
        assert status.keys() == {"observedGeneration", "conditions", "unused"}


class TestALostNode:
    GONE = reservation(on="gone", nodeLostTimeout="1h")

    def test_is_told_with_the_time_since_when_it_is_not_seen(self):
        status = told_of(reservation(on="gone"))
        why = (
            "spec.node: there is no node gone among those that are offered; wait for it, or make a Reservation on "
            "another"
        )
        assert state(status) == ("Stalled", "NotKept", why)
        assert status.node_lost_at is not None
        assert status.node_lost_at.timestamp() == NOON

    def test_is_told_with_the_time_of_the_release(self):
        assert state(told_of(self.GONE))[2].endswith("; it is released at 2026-05-01T13:00:00Z")

    def test_is_lost_since_it_was_first_missed(self):
        known = self.GONE.model_copy(update={"status": told_of(self.GONE)})
        assert told_of(known, now=NOON + 1800) == told_of(self.GONE)

    def test_has_no_figures(self):
        one = reservation(on="gone")
        ledger = ledger_with(one)
        ledger.put_charge("pod", Charge("gone", {"cpu": 500}, "shop/shop-1"))
        status = told_of(one, ledger=ledger)
        assert (status.used, status.unused) == ({}, {})

    def test_is_forgotten_when_the_node_comes_back(self):
        back = reservation(nodeLostTimeout="1h", status={"nodeLostAt": timestamp(NOON - 60)})
        status = told_of(back)
        assert status.node_lost_at is None
        assert state(status)[0] == "Ready"


class TestARefinement:
    WHOLE = reservation("whole", resources={"cpu": "2", "memory": "1Gi"})
    PART = reservation("part", for_role="web", refines="whole", resources={"cpu": "500m"}, created=NOON + 60)

    def test_is_kept_and_its_part_is_taken_from_the_whole(self):
        statuses = told(ledger_with(self.WHOLE, self.PART), self.WHOLE, self.PART)
        assert state(statuses["part"])[:2] == ("Ready", "Kept")
        assert statuses["whole"].refined == {"cpu": "500m"}
        assert statuses["whole"].unused == {"cpu": "1500m", "memory": "1Gi"}
        assert statuses["part"].unused == {"cpu": "500m"}

    def test_is_used_by_its_role_before_the_whole_and_by_the_others_never(self):
        ledger = ledger_with(self.WHOLE, self.PART)
        charge(ledger, "web-1", cpu=700)
        charge(ledger, "shop-1", cpu=1800)
        statuses = told(ledger, self.WHOLE, self.PART)
        assert (statuses["part"].used, statuses["part"].unused) == ({"cpu": "500m"}, {})
        assert (statuses["whole"].used, statuses["whole"].unused) == ({"cpu": "1500m"}, {"memory": "1Gi"})

    def test_may_skip_levels_of_the_tree(self):
        part = reservation("part", for_role="below", refines="whole")
        ledger = ledger_with(self.WHOLE, part)
        ledger.put_role(read_role(role("below", parent="web")))
        assert state(told_of(part, self.WHOLE, ledger=ledger))[0] == "Ready"

    @pytest.mark.parametrize(
        ("part", "why"),
        [
            (
                reservation("part", for_role="web", refines="lost"),
                "spec.refines: there is no Reservation shop/lost; create it, or make this one anew without",
            ),
            (
                reservation("part", for_role="web", refines="whole", on="node-2"),
                "spec.refines: Reservation shop/whole is on node node-1 and this one on node-2; "
                "make this one anew on that node",
            ),
            (
                reservation("part", for_role="bank", refines="whole"),
                "spec.refines: Reservation shop/whole is for role shops, which is not above role bank; "
                "place role bank below it, or make this one anew for a role below it",
            ),
            (
                reservation("part", for_role="shops", refines="whole"),
                "spec.refines: Reservation shop/whole is for role shops, which is not above role shops; "
                "place role shops below it, or make this one anew for a role below it",
            ),
            (
                reservation("part", for_role="web", refines="whole", resources={"cpu": "2500m", "memory": "3Gi"}),
                "spec.resources: the Reservations that refine shop/whole keep 500m cpu, 2Gi memory more in all than it "
                "has; reserve less here, or more there",
            ),
        ],
        ids=["of nothing", "on another node", "for a role beside", "for the same role", "larger than the whole"],
    )
    def test_that_cannot_be_says_why(self, part: Reservation, why: str):
        assert state(told_of(part, self.WHOLE)) == ("Stalled", "NotAPart", why)

    def test_of_another_namespace_s_is_of_nothing(self):
        whole = reservation("whole", namespace="bank")
        assert "there is no Reservation shop/whole" in state(told_of(self.PART, whole))[2]

    def test_shares_the_whole_with_the_others(self):
        parts = [
            reservation(name, for_role="web", refines="whole", resources={"cpu": "1500m"}) for name in ("one", "two")
        ]
        statuses = told(ledger_with(self.WHOLE, *parts), self.WHOLE, *parts)
        for name in ("one", "two"):
            assert "keep 1 cpu more in all than it has" in state(statuses[name])[2]
        assert statuses["whole"].refined == {"cpu": "2"}

    def test_that_cannot_be_takes_nothing_from_the_whole(self):
        part = reservation("part", for_role="bank", refines="whole")
        assert told_of(self.WHOLE, part).refined == {}


def test_the_three_conditions_say_the_same():
    status = told_of(reservation())
    assert [one.type for one in status.conditions] == ["Ready", "Reconciling", "Stalled"]
    assert find_condition(status.conditions, "Stalled") is not None
    assert len({(one.reason, one.message) for one in status.conditions}) == 1


class TestAStatusThatIsKnown:
    def change_pods(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        charge(ledger, "shop-1", cpu=250)

    def change_the_node(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        ledger.put_node(read_node(node(cpu="1")))

    def lose_the_node(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        ledger.remove_node("node-1")

    def change_the_tree(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        ledger.put_role(read_role(role("web", parent="bank")))

    def change_a_reservation(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        reservations["shop/whole"] = reservation("whole", resources={"cpu": "3"}, version=2)
        ledger.put_reservation("shop/whole", read_reservation(reservations["shop/whole"]))

    def delete_the_whole(self, ledger: Ledger, reservations: dict[str, Reservation]) -> None:
        ledger.remove_reservation("shop/whole")
        del reservations["shop/whole"]

    @pytest.mark.parametrize(
        "change",
        [change_pods, change_the_node, lose_the_node, change_the_tree, change_a_reservation, delete_the_whole],
        ids=lambda change: change.__name__,
    )
    def test_is_what_it_would_be_without_memory_after_any_change(self, change: Callable[..., None]):
        whole = reservation("whole", resources={"cpu": "2"})
        reservations = {"shop/whole": whole, "shop/part": reservation("part", for_role="web", refines="whole")}
        ledger = ledger_with(*reservations.values())
        statuses = ReservationStatuses(ledger)
        first = list(statuses.of(reservations, NOON))
        change(self, ledger, reservations)
        assert (
            list(statuses.of(reservations, NOON)) == list(ReservationStatuses(ledger).of(reservations, NOON)) != first
        )

    def test_is_not_computed_again_while_nothing_changes(self):
        reservations = {"shop/kept": reservation()}
        statuses = ReservationStatuses(ledger_with(*reservations.values()))
        [(_, before)], [(_, after)] = (list(statuses.of(reservations, at)) for at in (NOON, NOON + 60))
        assert before is after

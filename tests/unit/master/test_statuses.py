"""What the master tells people of frameworks and roles."""

from random import Random
from typing import Any

import pytest
from tests.builders import NOON, demand, external, node, role

from tender.allocation import Charge, CycleResult, Ledger, NotOffered, Reason, Settings, run_cycle
from tender.api.conditions import find_condition
from tender.api.framework import FrameworkStatus
from tender.api.reservation import Reservation
from tender.api.role import FrameworkRole, FrameworkRoleStatus
from tender.master.reading import read_framework, read_node, read_reservation, read_role
from tender.master.statuses import framework_status, misplacement, reservation_status, role_figures, role_status

SETTINGS = Settings()
NOTHING = CycleResult((), {})


def ledger_of(*roles: FrameworkRole, frameworks: dict[str, str] | None = None) -> Ledger:
    """A node of 4 CPU and 8 Gi, these roles, and frameworks by name with their roles."""
    ledger = Ledger()
    ledger.put_node(read_node(node()))
    for one in roles:
        ledger.put_role(read_role(one))
    for name, in_role in (frameworks or {}).items():
        ledger.put_framework(read_framework(external(name, role=in_role)))
    return ledger


def charge(ledger: Ledger, framework: str, *, cpu: int, offered: bool = False) -> None:
    key = (framework, cpu, offered)
    ledger.put_charge(key, Charge("node-1", {"cpu": cpu, "pods": 1}, f"shop/{framework}", offered=offered))


def status_of(one: FrameworkRole, ledger: Ledger, now: float = NOON) -> dict[str, Any]:
    return role_status(one, role_figures(ledger)[one.metadata.name], ledger, SETTINGS, now)


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


class TestARole:
    def test_holds_what_its_frameworks_and_the_roles_below_it_hold(self):
        parent, child = role("company"), role("shops", parent="company")
        ledger = ledger_of(parent, child, frameworks={"batch": "company", "web": "shops", "other": "elsewhere"})
        charge(ledger, "batch", cpu=1000)
        charge(ledger, "web", cpu=500)
        charge(ledger, "web", cpu=400, offered=True)
        charge(ledger, "other", cpu=100)
        told = status_of(parent, ledger)
        assert told["allocated"] == {"cpu": "1500m", "pods": "2"}
        assert told["offered"] == {"cpu": "400m", "pods": "1"}
        assert told["dominantShare"] == "0.4750"
        assert told["frameworks"] == 1
        assert status_of(child, ledger)["allocated"] == {"cpu": "500m", "pods": "1"}

    def test_without_frameworks_is_told_so_and_holds_nothing(self):
        told = status_of(role(), ledger_of(role()))
        assert (told["frameworks"], told["dominantShare"]) == (0, "0.0000")
        assert not told.keys() & {"allocated", "offered"}

    def test_in_its_place_is_ready(self):
        told = FrameworkRoleStatus.model_validate(status_of(role(), ledger_of(role())))
        ready = find_condition(told.conditions, "Ready")
        assert ready is not None
        assert (ready.status, ready.reason) == ("True", "AsSpecified")
        assert told.observed_generation == 1

    def test_out_of_place_is_stalled_and_says_why(self):
        lost = role(parent="nowhere")
        told = FrameworkRoleStatus.model_validate(status_of(lost, ledger_of(lost)))
        stalled = find_condition(told.conditions, "Stalled")
        assert stalled is not None
        assert (stalled.status, stalled.reason) == ("True", "Misplaced")
        assert "create FrameworkRole nowhere" in stalled.message

    def test_keeps_the_time_of_its_state_while_that_stays(self):
        one = role()
        first = status_of(one, ledger_of(one))
        known = one.model_copy(update={"status": FrameworkRoleStatus.model_validate(first)})
        assert status_of(known, ledger_of(one), NOON + 60) == first


class TestMisplacement:
    def test_a_role_at_the_top_or_below_one_that_exists_is_in_order(self):
        ledger = ledger_of(role("company"), role("shops", parent="company"))
        assert misplacement("company", ledger) is None
        assert misplacement("shops", ledger) is None

    def test_a_role_that_only_a_framework_names_is_in_order(self):
        assert misplacement("implicit", ledger_of(frameworks={"web": "implicit"})) is None

    def test_a_parent_that_is_missing_is_named_with_what_to_do_and_what_happens_until_then(self):
        message = misplacement("shops", ledger_of(role("shops", parent="company")))
        assert message == (
            "spec.parent: role company does not exist; create FrameworkRole company or remove spec.parent. "
            "Until then the role is treated as one without a parent"
        )

    def test_a_parent_that_exists_by_name_only_is_missing_too(self):
        ledger = ledger_of(role("shops", parent="company"), frameworks={"web": "company"})
        assert misplacement("shops", ledger) is not None

    def test_a_missing_grandparent_is_the_parent_s_affair(self):
        ledger = ledger_of(role("shops", parent="company"), role("company", parent="nowhere"))
        assert misplacement("shops", ledger) is None
        assert misplacement("company", ledger) is not None

    @pytest.mark.parametrize(
        ("parents", "circle"),
        [
            ({"a": "a"}, "a -> a"),
            ({"a": "b", "b": "a"}, "a -> b -> a"),
            ({"a": "b", "b": "c", "c": "a"}, "a -> b -> c -> a"),
            ({"a": "b", "b": "c", "c": "b"}, "a -> b -> c -> b"),
        ],
    )
    def test_a_circle_is_shown_whole(self, parents, circle):
        ledger = ledger_of(*(role(name, parent=parent) for name, parent in parents.items()))
        message = misplacement("a", ledger)
        assert message is not None
        assert f"({circle})" in message


class TestAReservation:
    def reserve(self, node_name: str = "node-1", cpu: str = "1") -> Reservation:
        return Reservation.model_validate(
            {
                "metadata": {"name": "kept", "namespace": "shop", "uid": "kept", "generation": 1},
                "spec": {"role": "a", "node": node_name, "resources": {"cpu": cpu}},
            }
        )

    def ledger(self, reservation: Reservation) -> Ledger:
        ledger = Ledger()
        ledger.put_node(read_node(node(cpu="4")))
        ledger.put_reservation("shop/kept", read_reservation(reservation))
        return ledger

    @pytest.mark.parametrize(
        ("node_name", "cpu", "state", "why"),
        [
            ("node-1", "4", "Ready", "kept for role a"),
            ("node-1", "5", "Stalled", "node node-1 lacks 1 cpu"),
            ("gone", "1", "Stalled", "spec.node: there is no node gone"),
        ],
    )
    def test_says_whether_it_is_kept(self, node_name: str, cpu: str, state: str, why: str):
        reservation = self.reserve(node_name, cpu)
        status = reservation_status(reservation, self.ledger(reservation), 0.0)
        told = {condition["type"]: condition for condition in status["conditions"]}
        assert told[state]["status"] == "True"
        assert why in told[state]["message"]

"""What the master tells people of roles."""

from typing import Any

import pytest
from tests.builders import NOON, role
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import Ledger, Settings
from tender.api.conditions import find_condition
from tender.api.role import FrameworkRole, FrameworkRoleStatus
from tender.master.role_statuses import misplacement, role_figures, role_status

SETTINGS = Settings()


def status_of(one: FrameworkRole, ledger: Ledger, now: float = NOON) -> dict[str, Any]:
    return role_status(one, role_figures(ledger)[one.metadata.name], ledger, SETTINGS, now)


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

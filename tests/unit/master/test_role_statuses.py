"""What the master tells people of roles."""

from typing import Any

import pytest
from tests.builders import NOON, demand, external, role
from tests.unit.master.ledgers import charge, ledger_of

from tender.allocation import Charge, Ledger, Reservation, Settings
from tender.api.conditions import find_condition
from tender.api.role import QUOTA_RESOURCES, FrameworkRole, FrameworkRoleStatus
from tender.master.reading import read_framework, read_role
from tender.master.role_statuses import RoleStatuses, misplacement, news_of_quota
from tender.master.statuses import News

SETTINGS = Settings()


def status_of(one: FrameworkRole, ledger: Ledger, now: float = NOON) -> dict[str, Any]:
    ((_, status),) = RoleStatuses(ledger, SETTINGS).of([one], now)
    return status


def quota_of(status: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The figures of the quota by resource."""
    figures: list[dict[str, str]] = FrameworkRoleStatus.model_validate(status).manifest()["quota"]
    return {one.pop("resource"): one for one in figures}


def condition_of(status: dict[str, Any], type_: str) -> tuple[str, str, str] | None:
    """The status, reason and message of a condition."""
    found = find_condition(FrameworkRoleStatus.model_validate(status).conditions, type_)
    return None if found is None else (found.status, found.reason, found.message)


class TestStatuses:
    def test_of_roles_about_which_nothing_has_changed_are_those_of_the_last_time(self):
        shops, batch = role("shops"), role("batch")
        ledger = ledger_of(shops, batch, frameworks={"web": "shops"})
        statuses = RoleStatuses(ledger, SETTINGS)
        before = [status for _, status in statuses.of([shops, batch], NOON)]
        charge(ledger, "web", cpu=500)
        after = [status for _, status in statuses.of([shops, batch], NOON)]
        assert after[0] != before[0]
        assert after[1] is before[1]

    def test_follow_every_change(self):
        ledger = ledger_of(role("shops"), frameworks={"web": "shops"})
        statuses = RoleStatuses(ledger, SETTINGS)
        for one in (role("shops"), role("shops", quota={"limit": {"cpu": "1"}}), role("shops", parent="company")):
            ledger.put_role(read_role(one))
            ((_, status),) = statuses.of([one], NOON)
            assert status == status_of(one, ledger)
        charge(ledger, "web", cpu=500)
        ((_, status),) = statuses.of([one], NOON)
        assert status == status_of(one, ledger)


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
        assert quota_of(told) == {
            "cpu": {"consumed": "1500m", "offered": "400m"},
            "pods": {"consumed": "2", "offered": "1"},
        }
        assert told["dominantShare"] == "0.4750"
        assert told["frameworks"] == 1
        assert status_of(child, ledger)["allocated"] == {"cpu": "500m", "pods": "1"}

    def test_without_frameworks_is_told_so_and_holds_nothing(self):
        told = status_of(role(), ledger_of(role()))
        assert (told["frameworks"], told["dominantShare"]) == (0, "0.0000")
        assert not told.keys() & {"allocated", "quota"}

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


class TestTheQuotaOfARole:
    def test_is_shown_by_resource_with_what_is_consumed_and_on_offer(self):
        one = role("shops", quota={"guarantee": {"cpu": "1"}, "limit": {"cpu": "3", "memory": "4Gi"}})
        ledger = ledger_of(one, frameworks={"web": "shops"})
        charge(ledger, "web", cpu=500)
        charge(ledger, "web", cpu=400, offered=True)
        assert quota_of(status_of(one, ledger)) == {
            "cpu": {"guarantee": "1", "limit": "3", "consumed": "500m", "offered": "400m"},
            "memory": {"limit": "4Gi", "consumed": "0", "offered": "0"},
            "pods": {"consumed": "1", "offered": "1"},
        }

    def test_is_consumed_by_a_reservation_that_nobody_uses(self):
        one = role("shops", quota={"limit": {"cpu": "3"}})
        ledger = ledger_of(one)
        ledger.put_reservation("kept", Reservation("node-1", {"cpu": 2000}, "shops"))
        told = status_of(one, ledger)
        assert quota_of(told) == {"cpu": {"limit": "3", "consumed": "2", "offered": "0"}}
        assert "allocated" not in told

    def test_names_no_more_resources_than_the_schema_allows_and_those_of_the_quota_first(self):
        one = role("shops", quota={"limit": {"zoo.example/lion": "1"}})
        ledger = ledger_of(one, frameworks={"web": "shops"})
        many = {f"example.com/r{number:03d}": 1 for number in range(70)}
        ledger.put_charge("odd", Charge("node-1", many, "shop/web"))
        assert len(told := status_of(one, ledger)["quota"]) == QUOTA_RESOURCES
        assert "zoo.example/lion" in {figures["resource"] for figures in told}

    def test_is_sound_while_nothing_is_wrong_with_it(self):
        one = role(quota={"guarantee": {"cpu": "4"}})
        assert condition_of(status_of(one, ledger_of(one)), "QuotaSound") == (
            "True",
            "Sound",
            "the cluster can hold the quota, and it is kept to",
        )

    def test_that_is_not_sound_says_why_and_leaves_the_role_ready(self):
        one = role(quota={"guarantee": {"cpu": "5"}})
        told = status_of(one, ledger_of(one))
        assert condition_of(told, "QuotaSound") == (
            "False",
            "GuaranteeExceedsCluster",
            "spec.quota.guarantee: cpu: 5 guaranteed here, 5 in all top-level roles, and the cluster has 4 on "
            "available nodes; lower one of them or add nodes",
        )
        assert condition_of(told, "Ready") == ("True", "AsSpecified", "the role takes part as specified")

    def test_that_is_wrong_in_two_ways_names_the_graver_and_tells_of_both(self):
        one = role("shops", quota={"guarantee": {"memory": "9Gi"}, "limit": {"cpu": "1"}})
        ledger = ledger_of(one, frameworks={"web": "shops"})
        charge(ledger, "web", cpu=2000)
        status, reason, message = condition_of(status_of(one, ledger), "QuotaSound") or ("", "", "")
        assert (status, reason) == ("False", "GuaranteeExceedsCluster")
        assert "memory: 9Gi guaranteed here" in message
        assert "cpu: 1, but 2 is consumed" in message


class TestTheGuaranteeOfARole:
    GUARANTEED = role("shops", quota={"guarantee": {"cpu": "2"}})

    def test_is_met_while_nobody_wants_more(self):
        assert condition_of(status_of(self.GUARANTEED, ledger_of(self.GUARANTEED)), "GuaranteeMet") == (
            "True",
            "Met",
            "what is guaranteed is held or on offer, as far as it is wanted",
        )

    def test_is_not_met_while_a_framework_waits_for_it(self):
        ledger = ledger_of(self.GUARANTEED)
        ledger.put_framework(read_framework(external("web", role="shops", demand=[demand("a", 9)])))
        charge(ledger, "web", cpu=500, offered=True)
        assert condition_of(status_of(self.GUARANTEED, ledger), "GuaranteeMet") == (
            "False",
            "Waiting",
            "cpu: 500m of 2 is held or on offer, and more is wanted; status.allocation of its Frameworks says why",
        )

    def test_that_is_given_up_is_not_spoken_of_any_more(self):
        before = status_of(self.GUARANTEED, ledger_of(self.GUARANTEED))
        after = role("shops").model_copy(update={"status": FrameworkRoleStatus.model_validate(before)})
        assert condition_of(status_of(after, ledger_of(after)), "GuaranteeMet") is None


class TestNewsOfAQuota:
    def status(self, reason: str | None, message: str = "m") -> dict[str, Any]:
        known = [] if reason is None else [{"type": "QuotaSound", "reason": reason, "message": message}]
        return {"conditions": [{"type": "Ready", "reason": "AsSpecified", "message": ""}, *known]}

    @pytest.mark.parametrize("before", [None, "Sound", "GuaranteeExceedsCluster"])
    def test_is_a_warning_when_something_else_is_wrong_than_before(self, before: str | None):
        news = news_of_quota(self.status(before), self.status("LimitExceeded", "10, but 14"))
        assert news == News("LimitExceeded", "10, but 14", warning=True)

    def test_is_no_warning_when_all_is_well_again(self):
        assert news_of_quota(self.status("LimitExceeded"), self.status("Sound")) == News(
            "QuotaSound", "m", warning=False
        )

    @pytest.mark.parametrize(("before", "after"), [(None, "Sound"), ("Sound", "Sound"), ("LimitExceeded",) * 2])
    def test_is_none_while_it_stays_as_it_is_whatever_the_numbers(self, before: str | None, after: str):
        assert news_of_quota(self.status(before), self.status(after, "other numbers")) is None

    def test_is_none_of_a_role_that_nothing_was_ever_told_of(self):
        assert news_of_quota({}, self.status("Sound")) is None


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

"""The API server takes quotas and reservations that can hold, and refuses the others with the fix."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from tests.integration.custom_resources.objects import (
    MANY_RESOURCES,
    ApiServer,
    Manifest,
    Objects,
    manifest,
    refusal,
)

from tender.api import FrameworkRole, Reservation


class TestARole:
    @pytest.fixture
    def create(self, objects: Objects, namespace: str) -> Iterator[Callable[..., Manifest]]:
        """Creates a role named like the namespace, since roles have none, and deletes it at the end."""
        created = []

        def create(**spec: Any) -> Manifest:
            role = objects.create(manifest("FrameworkRole", namespace, spec))
            created.append(namespace)
            return role

        yield create
        for name in created:
            objects.delete("FrameworkRole", name)

    def test_weighs_1_unless_it_says_otherwise(self, create: Callable[..., Manifest]):
        assert FrameworkRole.read(create()).spec.weight == 1

    def test_may_weigh_a_fraction(self, create: Callable[..., Manifest]):
        assert FrameworkRole.read(create(weight=0.5)).spec.weight == 0.5

    @pytest.mark.parametrize("weight", [0, -1])
    def test_is_refused_without_weight(self, create: Callable[..., Manifest], weight: int):
        assert "spec.weight in body should be greater than 0" in refusal(create, weight=weight)

    def test_is_refused_as_its_own_parent(self, create: Callable[..., Manifest], namespace: str):
        message = refusal(create, parent=namespace)
        assert "spec.parent: Invalid value: the role is its own parent: name another" in message

    def test_is_taken_with_a_guarantee_up_to_its_limit(self, create: Callable[..., Manifest]):
        create(quota={"guarantee": {"cpu": "1000m", "memory": "1Gi"}, "limit": {"cpu": 1, "pods": 5}})

    def test_is_refused_with_a_guarantee_beyond_its_limit(self, create: Callable[..., Manifest]):
        quota = {"guarantee": {"cpu": "1100m", "memory": "1Gi"}, "limit": {"cpu": 1, "memory": "1Gi"}}
        message = refusal(create, quota=quota)
        assert "spec.quota: Invalid value: spec.quota.guarantee exceeds spec.quota.limit" in message

    @pytest.mark.parametrize("part", ["guarantee", "limit"])
    @pytest.mark.parametrize("amount", ["-1", -1])
    def test_is_refused_with_a_negative_amount(self, create: Callable[..., Manifest], part: str, amount: str | int):
        message = refusal(create, quota={part: {"cpu": amount}})
        assert f"spec.quota.{part}: Invalid value: an amount is negative" in message

    def test_is_taken_with_the_largest_quota(self, create: Callable[..., Manifest]):
        amounts = dict.fromkeys(MANY_RESOURCES, "0" * 30 + "1G")
        create(quota={"guarantee": amounts, "limit": amounts})


class TestAReservation:
    SPEC: ClassVar[Manifest] = {"role": "shops", "framework": "db", "node": "node-1", "resources": {"cpu": 2}}

    def test_is_taken(self, objects: Objects):
        created = objects.create(manifest("Reservation", "db", self.SPEC))
        assert Reservation.read(created).spec.amounts == {"cpu": 2000}

    @pytest.mark.parametrize("amount", ["-1Gi", -1])
    def test_is_refused_with_a_negative_amount(self, objects: Objects, amount: str | int):
        spec = {**self.SPEC, "resources": {"memory": amount}}
        message = refusal(objects.create, manifest("Reservation", "db", spec))
        assert "spec.resources: Invalid value: an amount is negative" in message

    def test_is_refused_without_amounts(self, objects: Objects):
        message = refusal(objects.create, manifest("Reservation", "db", {**self.SPEC, "resources": {}}))
        assert "spec.resources" in message

    @pytest.mark.parametrize("field", ["role", "node"])
    def test_stays_where_it_is(self, objects: Objects, field: str):
        objects.create(manifest("Reservation", "db", self.SPEC))
        message = refusal(objects.patch, "Reservation", "db", {"spec": {field: "other"}})
        assert f"spec.{field} cannot be changed: make a new Reservation" in message

    def test_may_change_its_amounts(self, objects: Objects):
        objects.create(manifest("Reservation", "db", self.SPEC))
        objects.patch("Reservation", "db", {"spec": {"resources": {"cpu": 3}}})

    @pytest.mark.parametrize("timeout", ["30m", "1d12h", "0s"])
    def test_may_end_when_its_node_is_lost_for_a_time(self, objects: Objects, timeout: str):
        created = objects.create(manifest("Reservation", "db", {**self.SPEC, "nodeLostTimeout": timeout}))
        assert Reservation.read(created).spec.node_lost_seconds is not None

    def test_is_kept_for_ever_unless_it_says_otherwise(self, objects: Objects):
        created = Reservation.read(objects.create(manifest("Reservation", "db", self.SPEC)))
        assert created.spec.node_lost_seconds is None

    @pytest.mark.parametrize(
        ("before", "after"),
        [("whole", "other"), ("whole", None), (None, "whole")],
        ids=["another", "none any more", "one all of a sudden"],
    )
    def test_stays_a_part_of_what_it_is_a_part_of(self, objects: Objects, before: str | None, after: str | None):
        spec = {**self.SPEC, "refines": before} if before else self.SPEC
        objects.create(manifest("Reservation", "part", spec))
        message = refusal(objects.patch, "Reservation", "part", {"spec": {"refines": after}})
        assert "spec.refines: Invalid value: spec.refines cannot be changed: make a new Reservation" in message

    def test_is_no_part_of_itself(self, objects: Objects):
        message = refusal(objects.create, manifest("Reservation", "db", {**self.SPEC, "refines": "db"}))
        assert "spec.refines: Invalid value: a Reservation cannot refine itself" in message


class TestTheAmountsOfAReservation:
    SPEC: ClassVar[Manifest] = {"role": "shops", "node": "node-1", "resources": {"cpu": 4, "memory": "8Gi"}}

    @pytest.fixture(autouse=True)
    def used(self, objects: Objects) -> None:
        objects.create(manifest("Reservation", "db", self.SPEC))
        objects.patch("Reservation", "db", {"status": {"used": {"cpu": "1500m", "memory": "2Gi"}}}, "status")

    @pytest.mark.parametrize(
        "resources",
        [{"cpu": "1500m", "memory": "2048Mi"}, {"cpu": 2}, {"cpu": 8, "memory": "16Gi"}, {"pods": 3}],
        ids=["to what is used", "of one resource", "to more", "by a resource"],
    )
    def test_may_change_down_to_what_is_used(self, objects: Objects, resources: Manifest):
        objects.patch("Reservation", "db", {"spec": {"resources": resources}})

    @pytest.mark.parametrize(
        "resources",
        [{"cpu": "1499m"}, {"memory": "1Gi"}, {"memory": None}, {"cpu": 8, "memory": 0}],
        ids=["of one resource", "of another", "by leaving one out", "of one while another grows"],
    )
    def test_never_go_below_it(self, objects: Objects, resources: Manifest):
        message = refusal(objects.patch, "Reservation", "db", {"spec": {"resources": resources}})
        assert "spec.resources: Invalid value: less than what is in use: keep at least the amounts in" in message

    def test_may_be_less_where_the_status_is_late(self, objects: Objects):
        objects.patch("Reservation", "db", {"spec": {"resources": {"cpu": 2}}})
        objects.patch("Reservation", "db", {"status": {"used": {"cpu": 3}}}, "status")
        objects.patch("Reservation", "db", {"spec": {"nodeLostTimeout": "1h"}})

    def test_are_judged_in_the_largest_reservation(self, objects: Objects):
        amounts = dict.fromkeys(MANY_RESOURCES, "0" * 30 + "2G")
        less = dict.fromkeys(MANY_RESOURCES, "0" * 30 + "1G")
        objects.create(manifest("Reservation", "large", {**self.SPEC, "resources": amounts}))
        objects.patch("Reservation", "large", {"status": {"used": amounts, "unused": amounts}}, "status")
        message = refusal(objects.patch, "Reservation", "large", {"spec": {"resources": less}})
        assert "less than what is in use" in message


class TestTheColumnsOfReservations:
    def test_show_what_is_kept_where_for_whom_and_used(self, objects: Objects, api_server: ApiServer, namespace: str):
        spec = {"role": "shops", "framework": "db", "node": "node-1", "resources": {"cpu": 4}}
        objects.create(manifest("Reservation", "kept", spec))
        objects.patch("Reservation", "kept", {"status": {"used": {"cpu": "1500m"}}}, "status")
        listed = api_server.kubectl("get", "rsv", f"--namespace={namespace}").stdout.splitlines()
        assert listed[0].split() == ["NAME", "NODE", "ROLE", "FRAMEWORK", "RESOURCES", "USED", "READY", "AGE"]
        assert listed[1].split()[:6] == ["kept", "node-1", "shops", "db", '{"cpu":4}', '{"cpu":"1500m"}']

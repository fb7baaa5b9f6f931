"""The API server takes quotas and reservations that can hold, and refuses the others with the fix."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from tests.integration.custom_resources.objects import MANY_RESOURCES, Manifest, Objects, manifest, refusal

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

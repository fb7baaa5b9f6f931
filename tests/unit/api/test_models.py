"""The models read what the API server gives, tolerantly, and write what it takes."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

import tender.api
from tender.api import (
    DemandEntry,
    Framework,
    FrameworkRole,
    FrameworkSpec,
    FrameworkStatus,
    ObjectMeta,
    OfferPhase,
    OfferPreferences,
    Quota,
    Reservation,
    ResourceOffer,
    ServiceSpec,
    Toleration,
)
from tender.api.crds import VIEWS


def framework(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": "web", "namespace": "shop", "generation": 4},
        "spec": spec or {"external": {}},
    }


def offer(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "ResourceOffer",
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {
            "framework": "web",
            "role": "shops",
            "slices": [{"node": "n1", "resources": {"cpu": 2, "memory": "1Gi"}, "tasks": {"web": 4}}],
            "expiresAt": "2026-05-01T12:00:00Z",
        },
        "status": status,
    }


class TestReading:
    def test_fields_of_a_later_version_are_ignored(self):
        manifest = framework(external={"new": 1}, other=True)
        manifest["status"] = {"later": {}, "conditions": []}
        assert Framework.read(manifest).spec == FrameworkSpec.model_validate({"external": {}})

    def test_what_is_absent_has_its_default(self):
        spec = Framework.read(framework(service={"template": {"spec": {}}})).spec
        assert spec.role == "default"
        assert spec.service == ServiceSpec(replicas=1, template={"spec": {}})
        assert spec.offers.minimum_amounts is None
        assert spec.offers.timeout_seconds == 60

    def test_absent_demand_differs_from_no_demand(self):
        def demand(status: dict[str, Any]) -> Any:
            return Framework.read({**framework(), "status": status}).status.demand

        assert demand({}) is None
        assert demand({"demand": []}) == ()

    def test_a_framework_may_take_part_in_several_roles(self):
        assert Framework.read(framework(external={})).spec.all_roles == ("default",)
        assert Framework.read(framework(role="a", roles=["c", "b"], external={})).spec.all_roles == ("a", "c", "b")

    def test_amounts_are_integers(self):
        read = ResourceOffer.read(offer(phase="Claimed", claims=[{"slice": 0, "resources": {"cpu": "500m"}}]))
        assert read.spec.slices[0].amounts == {"cpu": 2000, "memory": 2**30}
        assert read.status.claims[0].amounts == {"cpu": 500}
        assert DemandEntry(name="web", requests={"cpu": "1"}, count=3).amounts == {"cpu": 1000}
        assert Quota(guarantee={"cpu": "1"}).guarantee_amounts == {"cpu": 1000}
        assert Quota(limit={"cpu": "1"}).limit_amounts == {"cpu": 1000}
        assert OfferPreferences(minimum=({"cpu": "10m"},)).minimum_amounts == ({"cpu": 10},)

    def test_an_offer_without_an_answer_is_open(self):
        assert ResourceOffer.read(offer()).status.phase is OfferPhase.OFFERED

    def test_times_carry_their_zone(self):
        assert ResourceOffer.read(offer()).spec.expires_at == datetime(2026, 5, 1, 12, tzinfo=UTC)

    def test_a_role_may_say_nothing(self):
        spec = FrameworkRole.read({"metadata": {"name": "shops"}}).spec
        assert (spec.parent, spec.weight, spec.quota) == (None, 1, Quota())

    def test_the_key_of_an_object_is_its_namespace_and_name(self):
        assert Framework.read(framework()).key == ("shop", "web")
        assert FrameworkRole.read({"metadata": {"name": "shops"}}).key == ("", "shops")

    def test_a_pod_template_is_kept_as_written(self):
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [], "anything": [1, None]}}
        service = Framework.read(framework(service={"template": template})).spec.service
        assert service is not None
        assert service.template == template

    @pytest.mark.parametrize(
        ("resources", "message"),
        [({"cpu": "-1"}, "is negative"), ({"cpu": -1}, "is negative"), ({"cpu": "two"}, "is no quantity")],
    )
    def test_a_wrong_quantity_is_refused_with_its_place(self, resources: dict[str, Any], message: str):
        spec = {"role": "r", "node": "n1", "resources": resources}
        with pytest.raises(ValidationError, match=message) as refusal:
            Reservation.read({"metadata": {"name": "x"}, "spec": spec})
        assert refusal.value.errors()[0]["loc"] == ("spec", "resources", "cpu")


class TestWriting:
    def test_only_what_was_given_is_written(self):
        written = Framework(
            metadata=ObjectMeta(name="web", namespace="shop"),
            spec=FrameworkSpec(node_selector={"pool": "a"}, service=ServiceSpec(replicas=2, template={"spec": {}})),
        ).manifest()
        assert written == {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Framework",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"nodeSelector": {"pool": "a"}, "service": {"replicas": 2, "template": {"spec": {}}}},
        }

    def test_no_demand_is_written_as_an_empty_list(self):
        assert FrameworkStatus(demand=()).manifest() == {"demand": []}
        assert FrameworkStatus(demand=None).manifest() == {}

    def test_a_toleration_has_the_names_of_kubernetes(self):
        toleration = Toleration(key="gpu", operator="Exists", toleration_seconds=5)
        assert toleration.manifest() == {"key": "gpu", "operator": "Exists", "tolerationSeconds": 5}

    def test_reading_and_writing_an_offer_gives_the_same(self):
        manifest = offer(
            phase="Claimed",
            claims=[{"slice": 0, "resources": {"cpu": "500m"}, "tasks": {"web": 1}}],
            answeredAt="2026-05-01T11:59:30Z",
            refuseSeconds=5,
        )
        manifest["spec"]["slices"][0]["resources"]["cpu"] = "2"
        assert ResourceOffer.read(manifest).manifest() == manifest


class TestValues:
    def test_a_model_cannot_be_changed(self):
        read = Framework.read(framework())
        with pytest.raises(ValidationError, match="frozen"):
            read.spec = read.spec  # type: ignore[misc]

    def test_asking_for_amounts_does_not_change_equality(self):
        one, other = (DemandEntry(name="web", requests={"cpu": "1"}, count=3) for _ in range(2))
        assert one.amounts == {"cpu": 1000}
        assert one == other


class TestPublicSurface:
    def test_everything_that_is_named_exists_once(self):
        assert len(set(tender.api.__all__)) == len(tender.api.__all__)
        assert all(hasattr(tender.api, name) for name in tender.api.__all__)

    def test_every_kind_is_public(self):
        kinds = {kind.KIND for kind in VIEWS}
        assert kinds == {"Framework", "FrameworkRole", "Reservation", "ResourceOffer"}
        assert kinds <= set(tender.api.__all__)


class TestTheRevisionOfADemand:
    ENTRY: ClassVar[dict[str, Any]] = {"name": "a", "requests": {"cpu": "1", "memory": "1Gi"}, "count": 2}

    def revision(self, *entries: dict[str, Any]) -> str:
        return FrameworkStatus.model_validate({"demand": list(entries)}).demand_revision

    def test_stays_however_the_same_is_written(self):
        other = {"count": 2, "name": "a", "requests": {"memory": "1024Mi", "cpu": "1000m"}, "nodeSelector": {}}
        assert self.revision(self.ENTRY) == self.revision(other)

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "b"},
            {"count": 3},
            {"requests": {"cpu": "1"}},
            {"nodeSelector": {"disk": "ssd"}},
            {"tolerations": [{"operator": "Exists"}]},
            {"maxPerNode": 1},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_changes_with_everything_that_is_asked_for(self, change):
        assert self.revision(self.ENTRY) != self.revision({**self.ENTRY, **change})

    def test_tells_everything_from_nothing(self):
        assert FrameworkStatus().demand_revision != self.revision()

    def test_is_none_of_the_other_parts_of_the_status(self):
        assert FrameworkStatus(replicas=3).demand_revision == FrameworkStatus().demand_revision

    def test_can_be_a_value_of_an_offer(self):
        assert re.fullmatch("[0-9a-f]{10}", self.revision(self.ENTRY))

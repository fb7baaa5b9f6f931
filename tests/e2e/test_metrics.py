"""What Prometheus finds at master and controller, read through the API server's proxy."""

import secrets

import pytest
from prometheus_client import Metric
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.services import ON_FAKE_NODES, Namespace, service, template
from tests.e2e.waiting import eventually

import tender as package

Figures = dict[str, Metric]


def _value(figures: Figures, name: str, sample: str | None = None, **labels: str) -> float:
    """The sum of a metric's samples that have these labels; 0 when there are none."""
    wanted = labels.items()
    return sum(
        one.value
        for one in figures[name].samples
        if one.name == (sample or one.name) and wanted <= one.labels.items() and not one.name.endswith("_created")
    )


@pytest.fixture
def role(tender: Release, namespace: Namespace) -> str:
    """A role in which a service of 4 pods of 500m runs."""
    name = f"r{secrets.token_hex(4)}"
    namespace.apply(service("measured", 4, template("here", cpu="500m"), role=name, **ON_FAKE_NODES))
    namespace.wait_for("Ready", "framework/measured")
    return name


def test_the_master_tells_of_offers_cycles_and_what_roles_have(tender: Release, role: str):
    def settled() -> Figures | None:
        found = tender.metrics("master")
        return found if _value(found, "tender_role_allocated", role=role, resource="cpu") == 2.0 else None

    figures = eventually("the role has 2 cores", settled)
    for outcome in ("made", "claimed"):
        assert _value(figures, "tender_offers", outcome=outcome) >= 1
    assert _value(figures, "tender_cycle_duration_seconds", "tender_cycle_duration_seconds_count") > 0
    assert _value(figures, "tender_cycle_duration_seconds", "tender_cycle_duration_seconds_sum") > 0
    assert _value(figures, "tender_role_allocated", role=role, resource="pods") == 4
    assert _value(figures, "tender_role_quota", role=role, kind="offered") == 0
    assert 0 < _value(figures, "tender_role_dominant_share", role=role) < 1
    assert _value(figures, "tender_cluster_allocatable", resource="cpu") > 3 * 32
    assert _value(figures, "tender_nodes", available="true") == 4
    for resource in ("nodes", "pods"):
        assert _value(figures, "tender_cache_relists", resource=resource, reason="initial") == 1
    assert _value(figures, "tender_cache_events", resource="pods") > 0
    assert _value(figures, "tender_api_writes", verb="create", resource="resourceoffers") >= 1


def test_the_controller_tells_of_answers_launches_and_turns(tender: Release, role: str):
    figures = tender.metrics("controller")

    assert _value(figures, "tender_answers", answer="claimed") >= 1
    assert _value(figures, "tender_launches", outcome="created") >= 4
    assert _value(figures, "tender_turn_duration_seconds", "tender_turn_duration_seconds_count") > 0
    for resource in ("frameworks", "pods", "resourceoffers"):
        assert _value(figures, "tender_cache_relists", resource=resource, reason="initial") == 1
        assert _value(figures, "tender_cache_events", resource=resource) > 0
    assert _value(figures, "tender_api_writes", verb="create", resource="pods") >= 4


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_names_its_version(tender: Release, component: str):
    figures = tender.metrics(component)
    assert _value(figures, "tender_build_info", component=component, version=package.__version__) == 1

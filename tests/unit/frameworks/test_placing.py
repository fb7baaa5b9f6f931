"""How a pod gets to its node: born bound, or pinned when kube-scheduler has to help."""

from typing import Any

import pytest
from tests.builders import pod_spec

from tender.frameworks.sdk.placing import needs_scheduler, place

PIN = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}
SSD = {"key": "disk", "operator": "In", "values": ["ssd"]}
NVME = {"key": "disk", "operator": "In", "values": ["nvme"]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
CLAIM: dict[str, Any] = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}


class TestBornBound:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "web"}}]},
            {"volumes": None, "resourceClaims": None},
            {"affinity": {"podAntiAffinity": {PREFERRED: []}}},
        ],
    )
    def test_an_ordinary_pod_is_bound_by_the_write_that_creates_it(self, fields):
        spec = pod_spec(**fields)
        assert place(spec, "node-1") == {**spec, "nodeName": "node-1"}

    def test_the_template_is_left_as_it_is(self):
        spec = pod_spec()
        place(spec, "node-1")
        assert "nodeName" not in spec

    def test_so_is_one_whose_volumes_are_all_bound(self):
        spec = pod_spec(**CLAIM)
        assert place(spec, "node-1", bound={"data", "more"}) == {**spec, "nodeName": "node-1"}


class TestPinned:
    @pytest.mark.parametrize(
        "fields",
        [
            CLAIM,
            {"volumes": [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]},
            {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]},
        ],
    )
    def test_a_pod_with_volumes_or_devices_to_be_found_is_left_to_kube_scheduler(self, fields):
        spec = pod_spec(**fields)
        placed = place(spec, "node-1")
        assert needs_scheduler(spec)
        assert "nodeName" not in placed
        assert placed["affinity"]["nodeAffinity"][REQUIRED] == {"nodeSelectorTerms": [{"matchFields": [PIN]}]}

    @pytest.mark.parametrize(
        "fields",
        [
            {"volumes": [*CLAIM["volumes"], {"name": "log", "persistentVolumeClaim": {"claimName": "log"}}]},
            {"volumes": [*CLAIM["volumes"], {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]},
            {**CLAIM, "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]},
        ],
    )
    def test_one_bound_volume_is_not_enough_when_something_else_is_to_be_found(self, fields):
        assert needs_scheduler(pod_spec(**fields), bound={"data"})
        assert "nodeName" not in place(pod_spec(**fields), "node-1", bound={"data"})

    def test_the_node_is_required_on_top_of_what_the_template_requires(self):
        terms = [{"matchExpressions": [SSD]}, {"matchExpressions": [NVME], "matchFields": [PIN]}]
        affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}
        placed = place(pod_spec(**CLAIM, affinity=affinity), "node-1")
        assert placed["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"] == [
            {"matchExpressions": [SSD], "matchFields": [PIN]},
            {"matchExpressions": [NVME], "matchFields": [PIN, PIN]},
        ]

    def test_preferences_and_pod_affinity_are_kept(self):
        affinity: dict[str, Any] = {
            "nodeAffinity": {PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [SSD]}}]},
            "podAntiAffinity": {REQUIRED: [{"topologyKey": "zone"}]},
        }
        placed = place(pod_spec(**CLAIM, affinity=affinity), "node-1")["affinity"]
        assert placed["podAntiAffinity"] == affinity["podAntiAffinity"]
        assert placed["nodeAffinity"][PREFERRED] == affinity["nodeAffinity"][PREFERRED]

    def test_the_template_is_left_as_it_is(self):
        term = {"matchExpressions": [SSD]}
        place(pod_spec(**CLAIM, affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}), "node-1")
        assert term == {"matchExpressions": [SSD]}

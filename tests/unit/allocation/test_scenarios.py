"""Every scenario in tests/scenarios holds, the format is read strictly, and steps do what the format says."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tender.allocation.scenario import Play, ScenarioError, play, read_scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
ORIGINALS = FOLDER.parents[2] / "shared" / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))


def play_document(document: Any, file: str = "test.yaml", *, fast: bool = True) -> Play:
    scenario = read_scenario(document, file)
    return play(scenario, Random(scenario.seed), fast=fast)


def play_steps(*steps: Any) -> Play:
    return play_document({"name": "test", "about": "a test", "steps": list(steps)})


class TestPublishedScenarios:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_hold(self, file):
        document = yaml.safe_load(file.read_text())
        assert play_document(document, file.name).failures() == []

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_come_out_the_same_by_the_slow_and_simple_ledger(self, file):
        document = yaml.safe_load(file.read_text())
        quick, slow = (play_document(document, file.name, fast=fast) for fast in (True, False))
        assert slow.failures() == []
        assert [record.offers for record in slow.records] == [record.offers for record in quick.records]

    def test_are_as_they_were_agreed_upon(self):
        originals = {file.name: file.read_bytes() for file in ORIGINALS.glob("*")}
        assert originals == {file.name: file.read_bytes() for file in FOLDER.glob("*") if file.name in originals}


NODE = {"node": {"name": "n1", "allocatable": {"cpu": "4", "memory": "4Gi"}}}
F1 = {"framework": {"name": "f1", "role": "role1"}}
WEB = {"name": "web", "requests": {"cpu": "1", "memory": "1Gi"}, "count": 3}
ALLOCATE: dict[str, Any] = {"allocate": {}}


def expecting(action: dict[str, Any], **expect: Any) -> dict[str, Any]:
    return {**action, "expect": expect}


def failures(*steps: Any) -> list[str]:
    return play_steps(*steps).failures()


class TestReading:
    @pytest.mark.parametrize(
        ("step", "message"),
        [
            ({"nod": {}}, "test.yaml: step 1: unknown key 'nod'"),
            ({"node": {"name": "n1", "cpus": 1}}, "test.yaml: step 1 (node): unknown key 'cpus'"),
            ({"node": {}}, "test.yaml: step 1 (node): name is missing"),
            ({"node": "n1"}, "test.yaml: step 1 (node): expected a mapping, got 'n1'"),
            ({"suppress": {}}, "test.yaml: step 1 (suppress): expected a name, got {}"),
            ({"role": {"name": "a", "quota": {"max": {}}}}, "test.yaml: step 1 (role): quota: unknown key 'max'"),
            (
                {"framework": {"name": "f", "demand": [{"replicas": 1}]}},
                "test.yaml: step 1 (framework): demand: unknown key 'replicas'",
            ),
            ({"framework": {"name": "f", "demand": {}}}, "test.yaml: step 1 (framework): demand: expected a list"),
            ({"allocate": {"nodes": "n1"}}, "test.yaml: step 1 (allocate): nodes: expected a list"),
            ({"allocate": {}, "advance": "1s"}, "test.yaml: step 1: expected exactly one action"),
            ({"expect": {}}, "test.yaml: step 1: expected exactly one action"),
            (expecting(ALLOCATE, offer={}), "test.yaml: step 1 (allocate): expect: unknown key 'offer'"),
            (expecting(ALLOCATE, order="f1"), "test.yaml: step 1 (allocate): expect.order: expected a list"),
            (
                {"claim": {"framework": "f", "node": "n", "task": "t", "resources": {}}},
                "test.yaml: step 1 (claim): give either task or resources",
            ),
            ({"claim": {"framework": "f", "node": "n", "count": 1}}, "test.yaml: step 1 (claim): count needs task"),
        ],
    )
    def test_refuses_a_step_that_the_format_does_not_know(self, step, message):
        with pytest.raises(ScenarioError) as error:
            play_steps(step)
        assert str(error.value).startswith(message)

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ([], "test.yaml: document: expected a mapping"),
            ({"name": "x", "about": "x"}, "test.yaml: steps is missing"),
            ({"name": "x", "about": "x", "steps": {}}, "test.yaml: steps: expected a list"),
            ({"name": "x", "about": "x", "steps": [], "title": ""}, "test.yaml: document: unknown key 'title'"),
            (
                {"name": "x", "about": "x", "steps": [], "settings": {"speed": 1}},
                "test.yaml: settings: unknown key 'speed'",
            ),
            (
                {"name": "x", "about": "x", "steps": [], "settings": {"sorter": "fifo"}},
                "test.yaml: settings: sorter: expected drf or random",
            ),
            (
                {"name": "x", "about": "x", "steps": [], "settings": {"interval": "soon"}},
                "test.yaml: settings: 'soon' is no duration",
            ),
        ],
    )
    def test_refuses_a_document_that_is_no_scenario(self, document, message):
        with pytest.raises(ScenarioError) as error:
            read_scenario(document, "test.yaml")
        assert str(error.value).startswith(message)


class TestRefusedSteps:
    @pytest.mark.parametrize(
        ("step", "word"),
        [
            ({"removeNode": "n9"}, "n9"),
            ({"removeFramework": "f9"}, "f9"),
            ({"removeRole": "role9"}, "role9"),
            ({"removeRole": "parent"}, "child"),
            ({"unreserve": "r9"}, "r9"),
            ({"suppress": "f9"}, "f9"),
            ({"use": {"node": "n9", "resources": {}}}, "n9"),
            ({"allocate": {"nodes": ["n9"]}}, "n9"),
            ({"role": {"name": "parent", "parent": "child"}}, "circle"),
            ({"role": {"name": "parent", "parent": "parent"}}, "circle"),
            ({"role": {"name": "a", "weight": "much"}}, "weight"),
            ({"role": {"name": "a", "weight": -1}}, "weight"),
            ({"reserve": {"name": "r", "role": "role9", "node": "n1", "resources": {"cpu": "1"}}}, "role9"),
            ({"reserve": {"name": "r", "role": "role1", "node": "n1", "resources": {"cpu": "9"}}}, "role1"),
            ({"reserve": {"name": "r", "role": "role1", "node": "n1", "resources": {"cpu": "-1"}}}, "negative"),
            ({"framework": {"name": "f2", "demand": [{"name": "web", "count": -1}]}}, "negative"),
            ({"framework": {"name": "f2", "demand": [{"name": "web"}, {"name": "web"}]}}, "same name"),
            ({"framework": {"name": "f2", "minimumOffer": [{"cpu": "-1"}]}}, "negative"),
            ({"claim": {"framework": "f1", "node": "n1", "task": "web"}}, "offer"),
            ({"claim": {"framework": "f9", "node": "n1"}}, "offer"),
            ({"claim": {"framework": "f1", "node": "n1", "resources": {"cpu": "-1"}}}, "negative"),
            ({"decline": {"framework": "f1", "node": "n9"}}, "offer"),
            ({"decline": {"framework": "f1", "node": "n1", "refuse": "-5s"}}, "negative"),
            ({"release": {"framework": "f1", "node": "n1"}}, "uses nothing"),
            ({"advance": "soon"}, "duration"),
        ],
    )
    def test_say_what_is_wrong_and_change_nothing(self, step, word):
        before = (
            NODE,
            {"role": {"name": "parent"}},
            {"role": {"name": "child", "parent": "parent"}},
            F1,
            ALLOCATE,
        )
        played = play_steps(*before, expecting(step, error=word, rescinded={}))
        assert played.failures() == []
        assert (played.records[-1].shares, played.records[-1].order) == (
            played.records[-2].shares,
            played.records[-2].order,
        )

    def test_must_be_expected(self):
        assert failures({"removeNode": "n9"}) == [
            "test.yaml: step 1 (removeNode): the step was refused: there is no node n9"
        ]

    def test_must_be_refused_if_that_is_expected(self):
        (line,) = failures(expecting(NODE, error="cpu"))
        assert line.startswith("test.yaml: step 1 (node): error: expected the step to be refused")

    def test_must_be_refused_for_the_reason_expected(self):
        (line,) = failures(expecting({"removeNode": "n9"}, error="weight"))
        assert "expected 'weight' in the refusal, got: there is no node n9" in line


class TestExpectations:
    @pytest.mark.parametrize(
        ("expect", "line"),
        [
            ({"offers": {}}, "offers: f1 on n1: expected nothing, got {'cpu': '4', 'memory': '4Gi'}"),
            (
                {"offers": {"f1": {"n1": {"cpu": "4"}}}},
                "offers: f1 on n1: expected {'cpu': '4'}, got {'cpu': '4', 'memory': '4Gi'}",
            ),
            ({"total": {}}, "total: f1: expected nothing, got {'cpu': '4', 'memory': '4Gi'}"),
            ({"nodes": {"f1": 2}}, "nodes: f1: expected 2, got 1"),
            ({"shares": {"role1": 0.9}}, "shares: role1: expected 0.9, got 1.0000"),
            ({"shares": {"role9": 0.0}}, "shares: there is no role or framework role9"),
            ({"order": []}, "order: expected [], got ['f1']"),
            ({"rescinded": {"f1": 1}}, "rescinded: f1: expected 1, got 0"),
        ],
    )
    def test_that_do_not_hold_are_told(self, expect, line):
        assert failures(NODE, F1, expecting(ALLOCATE, **expect)) == [f"test.yaml: step 3 (allocate): {line}"]

    def test_leave_the_number_of_pods_aside(self):
        with_pods = {"node": {"name": "n1", "allocatable": {"cpu": "4", "pods": 110}}}
        assert failures(with_pods, F1, expecting(ALLOCATE, offers={"f1": {"n1": {"cpu": "4"}}})) == []

    def test_take_a_share_within_the_tolerance(self):
        assert failures(NODE, F1, expecting(ALLOCATE, shares={"role1": 0.996})) == []


class TestSteps:
    def test_take_offers_back_when_others_use_the_node(self):
        use = {"use": {"node": "n1", "resources": {"cpu": "1"}}}
        assert failures(NODE, F1, ALLOCATE, expecting(use, rescinded={"f1": 1})) == []

    def test_take_offers_back_when_a_node_is_cordoned(self):
        cordoned = {"node": {**NODE["node"], "unschedulable": True}}
        assert failures(NODE, F1, ALLOCATE, expecting(cordoned, rescinded={"f1": 1})) == []

    def test_take_offers_back_when_a_framework_becomes_inactive_or_moves(self):
        for change in ({"active": False}, {"role": "role2"}):
            changed = {"framework": {"name": "f1", "role": "role1", **change}}
            assert failures(NODE, F1, ALLOCATE, expecting(changed, rescinded={"f1": 1})) == []

    def test_do_not_take_offers_back_from_a_suppressed_framework(self):
        assert failures(NODE, F1, ALLOCATE, expecting({"suppress": "f1"}, rescinded={}, shares={"f1": 1.0})) == []

    def test_add_offers_of_several_cycles_on_one_node_up(self):
        use, free = ({"use": {"node": "n1", "resources": {"cpu": cpu}}} for cpu in ("3", "0"))
        claim = {"claim": {"framework": "f1", "node": "n1", "resources": {"cpu": "4"}}}
        assert failures(NODE, use, F1, ALLOCATE, free, ALLOCATE, expecting(claim, shares={"f1": 1.0})) == []

    def test_end_all_offers_of_a_framework_that_declines_without_a_node(self):
        declined = {"decline": {"framework": "f1", "refuse": "1h"}}
        assert (
            failures(NODE, F1, ALLOCATE, expecting(declined, shares={"f1": 0.0}), expecting(ALLOCATE, offers={})) == []
        )

    def test_keep_a_short_refusal_for_one_interval(self):
        declined = {"decline": {"framework": "f1", "node": "n1", "refuse": "100ms"}}
        still = ({"advance": "900ms"}, expecting(ALLOCATE, offers={}))
        over = ({"advance": "100ms"}, expecting(ALLOCATE, nodes={"f1": 1}))
        assert failures(NODE, F1, ALLOCATE, declined, *still, *over) == []

    def test_count_a_part_claimed_by_amounts_as_tasks_of_the_demand(self):
        web = {"framework": {"name": "f1", "role": "role1", "demand": [WEB]}}
        claim = {"claim": {"framework": "f1", "node": "n1", "resources": {"cpu": "2", "memory": "2Gi"}}}
        one = {"f1": {"n1": {"cpu": "1", "memory": "1Gi"}}}
        assert failures(NODE, web, ALLOCATE, claim, expecting(ALLOCATE, offers=one)) == []

    def test_end_tasks_when_amounts_are_released(self):
        web = {"framework": {"name": "f1", "role": "role1", "demand": [WEB]}}
        claim = {"claim": {"framework": "f1", "node": "n1"}}
        release = {"release": {"framework": "f1", "node": "n1", "resources": {"cpu": "1", "memory": "1Gi"}}}
        one = {"f1": {"n1": {"cpu": "1", "memory": "1Gi"}}}
        assert failures(NODE, web, ALLOCATE, claim, release, expecting(ALLOCATE, offers=one)) == []

    def test_release_a_part_of_a_task(self):
        web = {"framework": {"name": "f1", "role": "role1", "demand": [WEB]}}
        claim = {"claim": {"framework": "f1", "node": "n1"}}
        release = {"release": {"framework": "f1", "node": "n1", "resources": {"cpu": "500m"}}}
        assert failures(NODE, web, ALLOCATE, claim, expecting(release, shares={"f1": 0.75})) == []

    def test_refuse_to_release_more_than_is_used(self):
        claim = {"claim": {"framework": "f1", "node": "n1"}}
        release = {"release": {"framework": "f1", "node": "n1", "resources": {"cpu": "5"}}}
        assert failures(NODE, F1, ALLOCATE, claim, expecting(release, error="less than", shares={"f1": 1.0})) == []

    def test_keep_a_role_that_frameworks_name_when_it_is_removed(self):
        role = {"role": {"name": "role1", "weight": 2}}
        steps = (NODE, role, F1, expecting(ALLOCATE, shares={"role1": 0.5}))
        assert failures(*steps, expecting({"removeRole": "role1"}, shares={"role1": 1.0})) == []

    def test_are_recorded_in_plain_values(self):
        documents = [record.document() for record in play_steps(NODE, F1, ALLOCATE, {"removeNode": "n9"}).records]
        assert json.loads(json.dumps(documents)) == documents
        assert documents[2]["offers"] == {"f1": {"n1": {"cpu": "4", "memory": "4Gi"}}}
        assert documents[3]["refused"] == "there is no node n9"

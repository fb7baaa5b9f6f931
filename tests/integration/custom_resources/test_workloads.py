"""The API server takes services and stateful services that can run, and refuses mistakes with the fix."""

from typing import Any

import pytest
from tests.integration.custom_resources.objects import Manifest, Objects, container, framework, refusal

from tender.api import Framework

_TEMPLATE: Manifest = {"spec": {"containers": [container()]}}
_VOLUME: Manifest = {"name": "data", "spec": {"accessModes": ["ReadWriteOnce"]}}


def service(**fields: Any) -> Manifest:
    return framework(service={"replicas": 3, "template": _TEMPLATE, **fields})


def constraint(operator: str, value: str | None = None) -> Manifest:
    return {"key": "topology.kubernetes.io/zone", "operator": operator} | ({"value": value} if value else {})


def pods(name: str = "node", **fields: Any) -> Manifest:
    return {"name": name, "count": 3, "template": _TEMPLATE, **fields}


def stateful(*sets: Manifest, **fields: Any) -> Manifest:
    return framework(stateful={"pods": list(sets) or [pods()], **fields})


class TestAService:
    def test_is_taken_with_all_its_fields(self, objects: Objects):
        created = objects.create(
            service(
                constraints=[constraint("GroupBy", "3"), constraint("Unlike", "zone-[12]")],
                updateStrategy={"minimumHealth": "50%", "maximumOver": 2},
                backoff={"initial": "2s", "factor": 1.15, "maximum": "1h"},
                unreachable={"inactiveAfter": "1m", "expungeAfter": "1h"},
                killSelection="OldestFirst",
                paused=True,
                revisionHistoryLimit=3,
                rollbackTo=2,
                expose={"type": "NodePort", "name": "front"},
            )
        )
        read = Framework.read(created).spec.service
        assert read is not None
        assert (read.update_strategy.minimum_health, read.update_strategy.maximum_over) == ("50%", "2")

    @pytest.mark.parametrize(
        ("wrong", "expected"),
        [
            (constraint("MaxPer"), "this operator needs a value"),
            (constraint("Like"), "this operator needs a value"),
            (constraint("Unique", "zone-1"), "operator Unique takes no value: remove it"),
            (constraint("GroupBy", "many"), "the value of MaxPer and GroupBy is a number of 1 or more"),
            (constraint("MaxPer", "0"), "the value of MaxPer and GroupBy is a number of 1 or more"),
            (constraint("Near"), "Unsupported value"),
        ],
    )
    def test_is_refused_with_a_constraint_that_says_nothing(self, objects: Objects, wrong: Manifest, expected: str):
        assert expected in refusal(objects.create, service(constraints=[wrong]))

    @pytest.mark.parametrize("strategy", [{"minimumHealth": "101%"}, {"maximumOver": "-1"}, {"maximumOver": "1.5"}])
    def test_is_refused_with_a_part_that_is_none(self, objects: Objects, strategy: Manifest):
        assert "spec.service.updateStrategy" in refusal(objects.create, service(updateStrategy=strategy))

    @pytest.mark.parametrize("over", [0, "0%"])
    def test_is_refused_when_it_leaves_no_room_to_exchange_a_pod(self, objects: Objects, over: int | str):
        strategy = {"minimumHealth": "100%", "maximumOver": over}
        assert "leaves no room to exchange a pod" in refusal(objects.create, service(updateStrategy=strategy))

    def test_is_refused_when_it_depends_on_something_twice(self, objects: Objects):
        written = service()
        written["spec"]["dependsOn"] = [{"name": "db"}, {"name": "db"}]
        assert "Duplicate value" in refusal(objects.create, written)


class TestAStatefulService:
    def test_is_taken_with_all_its_fields(self, objects: Objects):
        written = stateful(
            pods(
                constraints=[constraint("Unique")],
                volumeClaimTemplates=[_VOLUME],
                config={"db.conf": "name=${pod.name}\n"},
                nonEssential=["sidecar"],
                allowDecommission=True,
                tasks=[{"name": "backup", "goal": "Finish", "template": _TEMPLATE}],
                onReplace="repair",
            ),
            plans=[
                {"name": "deploy", "phases": [{"name": "nodes", "pods": "node", "strategy": "SerialCanary"}]},
                {
                    "name": "repair",
                    "strategy": "Dependency",
                    "phases": [{"name": "one", "pods": "node", "task": "backup", "indexes": [0]}],
                    "parameters": {"POD": ""},
                },
            ],
            recovery={"replaceAfter": "20m", "minimumDelay": "5m"},
            planRequests=[{"id": "first", "plan": "repair", "action": "Start", "parameters": {"POD": "node-1"}}],
            podRequests=[{"id": "second", "pod": "node-1", "action": "Replace"}],
        )
        read = Framework.read(objects.create(written)).spec.stateful
        assert read is not None
        assert read.pods[0].tasks[0].goal == "Finish"

    def test_is_refused_without_pods(self, objects: Objects):
        assert "spec.stateful.pods" in refusal(objects.create, framework(stateful={"pods": []}))

    def test_is_refused_with_two_sets_of_one_name(self, objects: Objects):
        assert "Duplicate value" in refusal(objects.create, stateful(pods(), pods()))

    def test_is_refused_with_the_same_request_twice(self, objects: Objects):
        request = {"id": "first", "pod": "node-1", "action": "Restart"}
        assert "Duplicate value" in refusal(objects.create, stateful(podRequests=[request, request]))

    def test_is_refused_with_a_template_without_requests(self, objects: Objects):
        template = {"spec": {"containers": [{"name": "app"}]}}
        assert "needs resources.requests.cpu" in refusal(objects.create, stateful(pods(template=template)))

    @pytest.mark.parametrize("changed", [[], [{**_VOLUME, "spec": {"accessModes": ["ReadWriteMany"]}}]])
    def test_keeps_the_volumes_that_it_has(self, objects: Objects, changed: list[Manifest]):
        created = objects.create(stateful(pods(volumeClaimTemplates=[_VOLUME])))
        created["spec"]["stateful"]["pods"][0]["volumeClaimTemplates"] = changed
        assert "volumeClaimTemplates cannot be changed" in refusal(objects.replace, created)

    def test_may_get_a_further_set_with_volumes(self, objects: Objects):
        created = objects.create(stateful(pods(volumeClaimTemplates=[_VOLUME])))
        created["spec"]["stateful"]["pods"].append(pods("other", volumeClaimTemplates=[_VOLUME]))
        assert len(objects.replace(created)["spec"]["stateful"]["pods"]) == 2

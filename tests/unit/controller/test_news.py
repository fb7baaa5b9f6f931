"""What of a changed status is news."""

from typing import Any

import pytest

from tender.controller.news import is_news

SINCE = "2026-05-01T12:00:00Z"


def condition(**fields: Any) -> dict[str, Any]:
    return {"type": "Ready", "status": "False", "reason": "Launching", "lastTransitionTime": SINCE, **fields}


def step(**fields: Any) -> dict[str, Any]:
    return {"name": "node-0", "status": "Starting", "message": "waiting for an offer", **fields}


def plan(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    phase = {"name": "nodes", "status": "InProgress", "complete": 0, "total": 1, "steps": list(steps or [step()])}
    return {"name": "deploy", "status": "InProgress", "phases": [phase], "message": "1 step to go", **fields}


def waiting(**fields: Any) -> dict[str, Any]:
    reasons = [{"reason": "Constraint", "nodes": 2, "message": "2 nodes have one already"}]
    return {"since": SINCE, "tasks": 1, "reasons": reasons, **fields}


def stateful(**fields: Any) -> dict[str, Any]:
    pod = {"name": "node-0", "status": "Starting", "message": "waiting for an offer"}
    return {"revision": "r1", "plans": [plan()], "pods": [pod], **fields}


STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "replicas": 3,
    "conditions": [condition()],
    "demand": [{"name": "a", "requests": {"cpu": "1"}, "count": 3}],
    "waiting": waiting(),
    "stateful": stateful(),
}


@pytest.mark.parametrize(
    "change",
    [
        {"replicas": 4},
        {"readyReplicas": 4},
        {"updatedReplicas": 4},
        {"conditions": [condition(message="3 of 4 are there", lastTransitionTime="2026-05-01T13:00:00Z")]},
        {"version": 2},
        {"waiting": waiting(tasks=2, reasons=[], nodes=[{"node": "node-1", "reason": "Constraint", "at": SINCE}])},
        {"stateful": stateful(plans=[plan(message="still 1 step to go")])},
        {"stateful": stateful(plans=[plan(step(message="waiting for the pod to be ready"))])},
        {"stateful": stateful(pods=[{"name": "node-0", "status": "Starting", "message": "created"}])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_figures_and_sentences_are_no_news(change: dict[str, Any]):
    assert not is_news({**STATUS, **change}, STATUS)


@pytest.mark.parametrize(
    "change",
    [
        {"observedGeneration": 2},
        {"demand": []},
        {"revision": "r2"},
        {"settledGeneration": 1},
        {"conditions": [condition(status="True")]},
        {"conditions": [condition(reason="AsSpecified")]},
        {"stateful": stateful(revision="r2")},
        {"stateful": stateful(plans=[plan(status="Complete")])},
        {"stateful": stateful(plans=[plan(step(status="Complete"))])},
        {"stateful": stateful(plans=[plan(run="backup-1")])},
        {"stateful": stateful(pods=[{"name": "node-0", "status": "Running"}])},
        {"stateful": stateful(planRequests=[{"id": "one", "result": "Done"}])},
        {"stateful": stateful(podRequests=[{"id": "one", "result": "Refused"}])},
        {"stateful": stateful(paused=["deploy"])},
        {"stateful": stateful(resumed=["deploy/nodes@r1=1"])},
        {"stateful": stateful(forced=["deploy/nodes/node-0@r1"])},
        {"stateful": stateful(replacedAt=SINCE)},
        {"stateful": stateful(reservingSince=SINCE)},
    ],
    ids=str,
)
def test_states_requests_and_what_is_recorded_are_news(change: dict[str, Any]):
    assert is_news({**STATUS, **change}, STATUS)


@pytest.mark.parametrize("part", ["stateful", "demand"])
def test_that_something_comes_or_goes_is_news(part: str):
    without = {name: value for name, value in STATUS.items() if name != part}
    assert is_news(without, STATUS)
    assert is_news(STATUS, without)


def test_that_tasks_wait_or_wait_no_longer_is_none_as_most_wait_for_a_moment():
    without = {name: value for name, value in STATUS.items() if name != "waiting"}
    assert not is_news(without, STATUS)
    assert not is_news(STATUS, without)

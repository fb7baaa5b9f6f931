"""Builders of plans that are followed, and of requests about them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings

from tender.api.stateful import PlanRequest, PodRequest, StatefulStatus
from tender.frameworks.stateful.course import Course, Phase, Progress, Run, Step, recorded_runs
from tender.frameworks.stateful.following import follow
from tender.frameworks.stateful.orders import Records
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.requests import PlanAnswers, answer_plans

AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Laws are not about time."""

STATES: Mapping[str, Any] = {
    ".": "Pending",
    "s": "Starting",
    "c": "Complete",
    "d": "Delayed",
    "e": "Error",
}


def steps(states: str, pods: str = "node") -> tuple[Step, ...]:
    """Steps of pods 0, 1, 2 ..., one for each letter: . s c d e."""
    return tuple(Step(f"{pods}-{index}", STATES[state]) for index, state in enumerate(states))


def phase(
    states: str = "...", name: str = "nodes", *, strategy: Any = "Serial", pods: str = "node", **more: Any
) -> Phase:
    return Phase(name, strategy, steps(states, pods), **more)


def course(
    *phases: Phase, name: str = "deploy", strategy: Any = "Serial", token: str | None = "v1", **more: Any
) -> Course:
    return Course(name, strategy, phases or (phase(),), token, **more)


NO_OVERRIDES = Overrides()
NO_STATUS = StatefulStatus()


def active(of: Course, overrides: Overrides = NO_OVERRIDES, **more: Any) -> list[str]:
    """The pods of the active steps."""
    return [step for _, step in follow(of, overrides, **more).active]


def message_of(progress: Progress, step: str) -> str:
    return next(one.message for part in progress.status.phases for one in part.steps if one.name == step)


def plan_request(id_: str, action: Any, plan: str = "deploy", **more: Any) -> PlanRequest:
    return PlanRequest(id=id_, plan=plan, action=action, **more)


def pod_request(id_: str, action: Any, pod: str = "node-0") -> PodRequest:
    return PodRequest(id=id_, pod=pod, action=action)


BACKUP = {"backup": {"BUCKET": "none", "LEVEL": "full"}}
"""A custom plan and its parameters."""


def ask(
    *requests: PlanRequest,
    courses: Iterable[Course] = (course(),),
    status: StatefulStatus = NO_STATUS,
    overrides: Overrides | None = None,
    runs: Mapping[str, Run] | None = None,
    parameters: Mapping[str, Mapping[str, str]] = BACKUP,
    records: Records | None = None,
    now: float = 1000.0,
) -> PlanAnswers:
    return answer_plans(
        requests,
        status.plan_requests,
        Overrides.read(status) if overrides is None else overrides,
        recorded_runs(status) if runs is None else runs,
        courses,
        parameters,
        records or {},
        now,
    )


def results(answers: Any) -> list[str]:
    return [f"{result.id} {result.result}" for result in answers.results]


def refusal(answers: Any) -> str:
    """Why the only request was refused."""
    (result,) = answers.results
    assert result.result == "Refused"
    return str(result.message)


def taken_up(orders: Collection[Any]) -> Records:
    """Records that have taken these orders up."""
    return {order.instance: [other.id for other in orders if other.instance == order.instance] for order in orders}

"""Requests about plans: each is carried out once, in the order given, and what became of it is recorded.

`answer_plans` is a pure function of the requests in the spec and of what is recorded: results, overrides, runs and
orders. What it returns is to be recorded in one write of the status, and acted on when it is seen recorded. Orders
(`orders`) go to the records of single pods first; a request that gives some has its result when all records have them.
A crash anywhere in between has the same answered again, and nothing done twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tender.api.stateful import DECOMMISSION, DEPLOY, RECOVERY, UPDATE, PlanRequest, RequestResult
from tender.frameworks.stateful.course import Course, Phase, Run
from tender.frameworks.stateful.following import with_forced
from tender.frameworks.stateful.orders import Order, Records, names, refused
from tender.frameworks.stateful.overrides import PODS, Overrides
from tender.frameworks.stateful.strategies import CANARIES, in_order, turns

FOLLOWED = frozenset({DEPLOY, UPDATE, RECOVERY, DECOMMISSION})
"""The plans that are followed on their own."""


@dataclass(frozen=True, slots=True)
class PlanAnswers:
    """What became of the plan requests.

    `results`, `overrides` and `runs` (by plan) are to be recorded in the status, `orders` in the records of pods.
    """

    results: tuple[RequestResult, ...]
    overrides: Overrides
    runs: Mapping[str, Run]
    orders: tuple[Order, ...] = ()


def answer_plans(
    requests: Sequence[PlanRequest],
    results: Iterable[RequestResult],
    overrides: Overrides,
    runs: Mapping[str, Run],
    courses: Iterable[Course],
    parameters: Mapping[str, Mapping[str, str]],
    records: Records,
    now: float,
) -> PlanAnswers:
    """Carry out the requests that have no result yet.

    `courses` are all plans that there are, also those not started; what is recorded about others is forgotten.
    `parameters` are the custom plans of the spec, each with its parameters and their defaults. `now` is epoch seconds.
    """
    known = {course.name: course for course in courses}
    before = {result.id: result for result in results}
    state = _State(
        overrides.of(known.values()),
        {plan: run for plan, run in runs.items() if plan in parameters},
    )
    answered: list[RequestResult] = []
    certain = True
    for request in requests:
        if request.id in before:
            answered.append(before[request.id])
            continue
        outcome = _carry_out(request, state, known, parameters, now)
        if isinstance(outcome, str):
            answered.append(refused(request.id, outcome))
            certain = False
            continue
        missing = tuple(order for order in outcome.orders if not order.over(records))
        if missing:
            # Orders are given when all requests before are recorded: a crash has none of them given again.
            return PlanAnswers(tuple(answered), state.overrides, state.runs, missing if certain else ())
        state = outcome
        answered.append(RequestResult(id=request.id, result="Done"))
        certain = False
    return PlanAnswers(tuple(answered), state.overrides, state.runs)


@dataclass(frozen=True, slots=True)
class _State:
    """Where the requests carried out so far have led, and the orders that the last one gives."""

    overrides: Overrides
    runs: Mapping[str, Run]
    orders: tuple[Order, ...] = ()

    def token(self, course: Course) -> str | None:
        """What the plan is followed for, by now."""
        if course.name in FOLLOWED:
            return course.token
        run = self.runs.get(course.name)
        return run.id if run is not None else None


def _carry_out(
    request: PlanRequest,
    state: _State,
    courses: Mapping[str, Course],
    parameters: Mapping[str, Mapping[str, str]],
    now: float,
) -> _State | str:
    """Where the request leads, or why it is refused."""
    course = courses.get(request.plan)
    if course is None:
        return f"there is no plan {request.plan}: there are {names(courses)}"
    if request.parameters and request.action != "Start":
        return f"parameters are for Start: {request.action} takes none"
    if request.action in {"Start", "Stop"}:
        return _start_or_stop(request, course, state, parameters, now)
    phase = course.phase(request.phase) if request.phase is not None else None
    if request.phase is not None and phase is None:
        return f"plan {course.name} has no phase {request.phase}: it has {names(part.name for part in course.phases)}"
    if request.step is not None:
        if phase is None:
            return f"step {request.step} of plan {course.name}: name its phase too"
        if request.step not in {step.name for step in phase.steps}:
            has = names(step.name for step in phase.steps)
            return f"phase {phase.name} of plan {course.name} has no step {request.step}: it has {has}"
    if request.action in {"Pause", "Resume"}:
        if request.step is not None:
            return f"{request.action} is for plans and phases: leave out step {request.step}"
        outcome = _pause(request, state) if request.action == "Pause" else _resume(course, phase, state)
    else:
        token = state.token(course)
        if token is None:
            return f"plan {course.name} was not started: there is nothing to {_verb(request.action)}"
        phases = course.phases if phase is None else (phase,)
        steps = tuple((part, step.name) for part in phases for step in part.steps if request.step in {None, step.name})
        if request.action == "ForceComplete":
            outcome = _force(course, steps, token, state)
        else:
            outcome = _restart(request, course, steps, token, state, now)
    if isinstance(outcome, _State) and outcome.overrides.excess:
        return outcome.overrides.excess
    return outcome


def _start_or_stop(
    request: PlanRequest, course: Course, state: _State, parameters: Mapping[str, Mapping[str, str]], now: float
) -> _State | str:
    if request.plan not in parameters:
        return f"plan {request.plan} is followed on its own: {request.action} is for {names(parameters)}"
    if request.phase is not None or request.step is not None:
        return f"{request.action} is for whole plans: leave out phase and step"
    run = state.runs.get(request.plan)
    others = {plan: other for plan, other in state.runs.items() if plan != request.plan}
    ended = run is not None and (
        run.ended or all(phase.complete for phase in _as_of(course, run.id, state.overrides).phases)
    )
    if request.action == "Stop":
        if run is None or ended:
            return f"plan {request.plan} does not run: {'it is complete' if run else 'it was not started'}"
        return replace(state, runs=others)
    if run is not None and run.id == request.id:
        return state
    if run is not None and not ended:
        return f"plan {request.plan} runs already, by request {run.id}: wait until it is complete, or Stop it first"
    defaults = parameters[request.plan]
    unknown = sorted(request.parameters.keys() - defaults.keys())
    if unknown:
        return f"plan {request.plan} has no parameter {unknown[0]}: it has {names(defaults)}"
    started = Run(request.plan, request.id, float(int(now)), {**defaults, **request.parameters})
    return replace(state, runs={**others, request.plan: started})


def _pause(request: PlanRequest, state: _State) -> _State | str:
    if request.plan == PODS and request.phase is not None:
        return f"a plan called {PODS} can be paused as a whole only: leave out phase {request.phase}"
    return replace(state, overrides=state.overrides.pause(request.plan, request.phase))


def _resume(course: Course, phase: Phase | None, state: _State) -> _State:
    """Undo what was paused, or, where nothing was, let the canaries go on: that of the phase, or those that wait."""
    resumed = state.overrides.unpause(course.name, phase.name if phase is not None else None)
    token = state.token(course)
    if resumed != state.overrides or token is None:
        return replace(state, overrides=resumed)
    current = _as_of(course, token, resumed)
    reached = turns(current)
    for part in current.phases:
        if part.strategy not in CANARIES or (part.name not in reached if phase is None else part.name != phase.name):
            continue
        released = resumed.released(course.name, part.name, token)
        left = [place for place, step in enumerate(in_order(part, token)) if step.state != "Complete"]
        if left and released is not None:
            # Steps that were complete from the start are no canary: the first one that is not is.
            resumed = resumed.release(course.name, part.name, token, None if released else left[0] + 1)
    return replace(state, overrides=resumed)


def _force(course: Course, steps: Sequence[tuple[Phase, str]], token: str, state: _State) -> _State:
    wanted = {(phase.name, step) for phase, step in steps}
    open_steps = [
        (phase.name, step.name)
        for phase in _as_of(course, token, state.overrides).phases
        for step in phase.steps
        if (phase.name, step.name) in wanted and step.state != "Complete"
    ]
    return replace(state, overrides=state.overrides.force(course.name, open_steps, token))


def _restart(
    request: PlanRequest,
    course: Course,
    steps: Sequence[tuple[Phase, str]],
    token: str,
    state: _State,
    now: float,
) -> _State | str:
    """Have steps done again: a custom plan as a whole by a new run, anything else by orders to its pods."""
    if course.name == DECOMMISSION:
        return "plan decommission cannot be restarted: what it has removed is gone"
    overrides = state.overrides.unforce(course.name, ((phase.name, step) for phase, step in steps), token)
    run = state.runs.get(course.name)
    if run is None:
        return _State(overrides, state.runs, _orders(request, steps))
    if request.phase is None:
        if run.id == request.id:
            return state
        return _State(
            overrides, {**state.runs, course.name: Run(course.name, request.id, float(int(now)), run.parameters)}
        )
    return _State(overrides, {**state.runs, course.name: replace(run, ended=False)}, _orders(request, steps))


def _orders(request: PlanRequest, steps: Iterable[tuple[Phase, str]]) -> tuple[Order, ...]:
    orders = (Order(step, "Restart", f"plan/{request.id}", phase.task) for phase, step in steps)
    return tuple(dict.fromkeys(orders))


def _as_of(course: Course, token: str, overrides: Overrides) -> Course:
    """The course as it stands for this token: what is seen of another run does not count."""
    if course.token == token:
        return with_forced(course, overrides)
    fresh = tuple(
        replace(phase, steps=tuple(replace(step, state="Pending", message="") for step in phase.steps))
        for phase in course.phases
    )
    return with_forced(replace(course, phases=fresh, token=token), overrides)


def _verb(action: str) -> str:
    return "force" if action == "ForceComplete" else "restart"

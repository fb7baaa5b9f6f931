"""Following plans: which steps may begin or go on, and what people are told of it.

`follow_all` walks the plans in the order of their precedence. A pod that one of them is at work on is busy for those
that come later, and for later phases of the same plan; so no pod is active in two steps at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tender.api.stateful import PhaseStatus, PlanState, PlanStatus, StepStatus
from tender.frameworks.stateful.course import Course, Phase, Progress, Step
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.strategies import CANARIES, in_order, mistake, next_steps, turns, waits_for_resume

MOST_STEPS = 32
LONGEST_STEP_MESSAGE = 512
LONGEST_PLAN_MESSAGE = 1024
MOST_NAMED = 3
"""How many steps a plan's message names."""


def follow_all(courses: Iterable[Course], overrides: Overrides) -> tuple[Progress, ...]:
    """The progress of each course, in the order given, which is that of their precedence."""
    courses = tuple(courses)
    side_tasks = {
        step.name: f"plan {course.name}"
        for course in reversed(courses)
        for phase in reversed(with_forced(course, overrides).phases)
        if phase.task is not None
        for step in phase.steps
        if step.state == "Starting"
    }
    busy: dict[str, str] = {}
    progress = []
    for course in courses:
        followed = follow(course, overrides, busy, side_tasks)
        progress.append(followed)
        for pod in followed.pods:
            busy.setdefault(pod, f"plan {course.name}")
    return tuple(progress)


def follow(
    course: Course,
    overrides: Overrides,
    busy: Mapping[str, str] | None = None,
    side_tasks: Mapping[str, str] | None = None,
) -> Progress:
    """The progress of one course.

    `busy` are the pods that others are at work on, with a name for these that messages give, such as "plan deploy".
    `side_tasks` are the pods whose room for side tasks is in use, in the same form: there, no other side task begins.
    """
    course = with_forced(course, overrides)
    token = course.token or ""
    reached = turns(course)
    paused = overrides.holds(course.name)
    taken = dict(busy or {})
    at_work: set[str] = set()
    active: list[tuple[str, str]] = []
    phases = []
    for phase in course.phases:
        held = paused or phase.name not in reached or overrides.holds(course.name, phase.name)
        released = overrides.released(course.name, phase.name, token)
        waiting: dict[str, str] = {}
        chosen = []
        for step in next_steps(phase, token, released, held) if course.token is not None else ():
            other = taken.get(step.name)
            if other is None and phase.task is not None and step.state != "Starting":
                other = (side_tasks or {}).get(step.name)
            if other is None:
                chosen.append(step)
            else:
                waiting[step.name] = f"waits for {other}, which is at work on this pod"
        active += ((phase.name, step.name) for step in chosen)
        for step in (*chosen, *(step for step in phase.steps if step.state == "Starting")):
            at_work.add(step.name)
            taken.setdefault(step.name, f"phase {phase.name}")
        phases.append(_phase_status(course, phase, overrides, waiting, bool(chosen), phase.name in reached))
    status = PlanStatus(
        name=course.name,
        status=_plan_state(course, phases, paused, bool(active), reached),
        phases=tuple(phases),
        **({"message": message} if (message := _message(course, overrides, reached)) else {}),
        **(course.run.fields() if course.run is not None else {}),
    )
    return Progress(course.name, tuple(active), frozenset(at_work), status)


def with_forced(course: Course, overrides: Overrides) -> Course:
    """The course with its forced steps complete."""
    if course.token is None or not overrides.forced:
        return course
    token = course.token

    def seen(phase: Phase, step: Step) -> Step:
        if step.state == "Complete" or not overrides.forces(course.name, phase.name, step.name, token):
            return step
        return Step(step.name, "Complete", "taken for complete by request")

    return replace(
        course,
        phases=tuple(replace(phase, steps=tuple(seen(phase, step) for step in phase.steps)) for phase in course.phases),
    )


def _phase_status(
    course: Course, phase: Phase, overrides: Overrides, waiting: Mapping[str, str], active: bool, reached: bool
) -> PhaseStatus:
    steps = sorted(in_order(phase, course.token or ""), key=lambda step: step.state == "Complete")
    shown = phase.steps if len(steps) <= MOST_STEPS else steps[:MOST_STEPS]
    return PhaseStatus(
        name=phase.name,
        status=_phase_state(course, phase, overrides, active, reached),
        complete=sum(step.state == "Complete" for step in phase.steps),
        total=len(phase.steps),
        steps=tuple(_step_status(step, waiting.get(step.name, step.message)) for step in shown),
    )


def _step_status(step: Step, message: str) -> StepStatus:
    more = {"message": _cut(message, LONGEST_STEP_MESSAGE)} if message else {}
    return StepStatus(name=step.name, status=step.state, **more)


def _phase_state(course: Course, phase: Phase, overrides: Overrides, active: bool, reached: bool) -> PlanState:
    states = {step.state for step in phase.steps}
    released = overrides.released(course.name, phase.name, course.token or "")
    if "Error" in states:
        return "Error"
    if phase.complete and course.token is not None:
        return "Complete"
    if overrides.holds(course.name, phase.name):
        return "Waiting"
    if reached and not active and waits_for_resume(phase, course.token or "", released):
        return "Waiting"
    return "InProgress" if active or states - {"Pending"} else "Pending"


def _plan_state(
    course: Course, phases: Iterable[PhaseStatus], paused: bool, active: bool, reached: frozenset[str]
) -> PlanState:
    states = {phase.status for phase in phases}
    if mistake(course) or "Error" in states:
        return "Error"
    if course.token is None:
        return "Pending"
    if states <= {"Complete"}:
        return "Complete"
    waits = any(phase.status == "Waiting" and phase.name in reached for phase in phases)
    if paused or (waits and not active):
        return "Waiting"
    begun = any(phase.complete for phase in phases)
    return "InProgress" if active or begun or "InProgress" in states else "Pending"


def _message(course: Course, overrides: Overrides, reached: frozenset[str]) -> str:
    if course.token is None:
        return "not started: a plan request Start begins it"
    parts = [wrong] if (wrong := mistake(course)) else []
    open_phases = [phase for phase in course.phases if not phase.complete]
    if open_phases and overrides.holds(course.name):
        parts.append("paused: a plan request Resume lets it go on")
    for phase in open_phases:
        if overrides.holds(course.name, phase.name):
            parts.append(f"phase {phase.name} is paused: a plan request Resume lets it go on")
        elif phase.name in reached:
            parts += _canary(phase, course.token, overrides.released(course.name, phase.name, course.token))
    failed = [
        f"step {phase.name}/{step.name}: {step.message or step.state}"
        for state in ("Error", "Delayed")
        for phase in course.phases
        for step in phase.steps
        if step.state == state
    ]
    parts += failed[:MOST_NAMED]
    if len(failed) > MOST_NAMED:
        parts.append(f"{len(failed) - MOST_NAMED} more steps have failed")
    return _cut("; ".join(parts), LONGEST_PLAN_MESSAGE)


def _canary(phase: Phase, token: str, released: int | None) -> list[str]:
    if phase.strategy not in CANARIES or not waits_for_resume(phase, token, released):
        return []
    left = [step.name for step in in_order(phase, token) if step.state != "Complete"]
    what = "the others" if released else f"{left[0]} alone"
    return [f"phase {phase.name} waits for a plan request Resume, which lets {what} begin"]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

"""The order of steps in a phase and of phases in a plan: Serial, Parallel, the canaries, Random, Dependency.

Everything here looks at steps with the overrides already applied: a forced step is Complete.
"""

import hashlib
from collections.abc import Iterable

from tender.frameworks.stateful.course import Course, Phase, Step

CANARIES = frozenset({"SerialCanary", "ParallelCanary"})
TOGETHER = frozenset({"Parallel", "ParallelCanary"})


def in_order(phase: Phase, token: str) -> tuple[Step, ...]:
    """The steps in the order in which they come.

    Random sorts by a hash of token and step: every run has another order, and a restart finds the same again.
    """
    if phase.strategy != "Random":
        return phase.steps
    return tuple(sorted(phase.steps, key=lambda step: _lot(f"{token}/{phase.name}/{step.name}")))


def next_steps(phase: Phase, token: str, released: int | None, held: bool) -> tuple[Step, ...]:
    """The steps that may begin or go on.

    `released` is how many steps of a canary, in order, may be done (None: all). When the phase is `held`, by a pause
    or because others come first, only what has begun goes on. A step in Error is not done again on its own; one after
    the other, it holds what comes after it, and so does one that waits.
    """
    steps = in_order(phase, token)
    released = len(steps) if phase.strategy not in CANARIES or released is None else released
    begun = tuple(step for step in steps if step.state == "Starting")
    if phase.strategy in TOGETHER:
        return tuple(
            step
            for place, step in enumerate(steps)
            if step.state == "Starting" or (not held and place < released and _may_begin(step))
        )
    if begun:
        return begun[:1]
    place, step = next(((place, step) for place, step in enumerate(steps) if step.state != "Complete"), (0, None))
    if step is None or held or place >= released or not _may_begin(step):
        return ()
    return (step,)


def waits_for_resume(phase: Phase, token: str, released: int | None) -> bool:
    """Whether a canary has done all that it was let do, and there is more."""
    if phase.strategy not in CANARIES or released is None:
        return False
    steps = in_order(phase, token)
    done = all(step.state == "Complete" for step in steps[:released])
    return done and any(step.state != "Complete" for step in steps[released:])


def turns(course: Course) -> frozenset[str]:
    """The phases whose turn it is, or was: what comes before them is complete."""
    if course.token is None or mistake(course):
        return frozenset()
    if course.strategy == "Parallel":
        return frozenset(phase.name for phase in course.phases)
    complete = {phase.name for phase in course.phases if phase.complete}
    if course.strategy == "Dependency":
        return frozenset(phase.name for phase in course.phases if complete.issuperset(phase.depends_on))
    reached = set()
    for phase in course.phases:
        reached.add(phase.name)
        if phase.name not in complete:
            break
    return frozenset(reached)


def mistake(course: Course) -> str:
    """What is wrong with the dependencies of a plan, as a sentence for people; empty: nothing."""
    if course.strategy != "Dependency":
        return ""
    names = [phase.name for phase in course.phases]
    for phase in course.phases:
        unknown = sorted(set(phase.depends_on).difference(names))
        if unknown:
            return (
                f"phase {phase.name} depends on {unknown[0]}, which plan {course.name} does not have: it has"
                f" {', '.join(names)}"
            )
    circle = _circle(course.phases)
    if circle:
        return f"phases {', '.join(circle)} depend on each other in a circle: take one of their dependsOn away"
    return ""


def _circle(phases: Iterable[Phase]) -> list[str]:
    """The phases that can never have their turn, because each waits for another of them; empty: none."""
    waiting = {phase.name: set(phase.depends_on) for phase in phases}
    while free := [name for name, before in waiting.items() if not before & waiting.keys()]:
        for name in free:
            del waiting[name]
    return list(waiting)


def _may_begin(step: Step) -> bool:
    return step.state in {"Pending", "Delayed"}


def _lot(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

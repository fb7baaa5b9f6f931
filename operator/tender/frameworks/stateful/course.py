"""The values of a plan that is followed: its phases and steps as they are seen, and the run of one that was started.

The planner of stateful services observes where every step stands and puts it into a Course; `following` says which
steps may go on. Names are as users write them: a step is called after its pod, such as node-0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tender.api.stateful import PlanState, PlanStatus, StatefulStatus, StepState

StepStrategy = Literal["Serial", "Parallel", "SerialCanary", "ParallelCanary", "Random"]
PhaseStrategy = Literal["Serial", "Parallel", "Dependency"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a phase does for one pod, as it is observed, before overrides.

    `name` is the pod's instance, such as node-0. Pending: not begun. Starting: begun, and not to be interrupted.
    Delayed: it has failed and is tried again after a while. Error: it is not tried again on its own. `message` says
    what it waits for; a message that changes with the time alone would have the status written each time.
    """

    name: str
    state: StepState
    message: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a plan. `task` is the side task that its steps do; None: they are about the pods themselves."""

    name: str
    strategy: StepStrategy
    steps: tuple[Step, ...]
    depends_on: tuple[str, ...] = ()
    task: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all its steps are."""
        return all(step.state == "Complete" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Run:
    """A custom plan that was started: by which request, when (epoch seconds), and with all parameters it has.

    `ended` is whether it was recorded as complete: what becomes of its side tasks later does not matter any more.
    """

    plan: str
    id: str
    started_at: float
    parameters: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False

    def fields(self) -> dict[str, Any]:
        """The fields of a PlanStatus by which the run is recorded."""
        parameters = {"parameters": dict(self.parameters)} if self.parameters else {}
        return {"run": self.id, "started_at": datetime.fromtimestamp(self.started_at, UTC), **parameters}


@dataclass(frozen=True, slots=True)
class Course:
    """A plan with all that is observed of it.

    `token` is what it is followed for: the target revision (deploy, update) or the id of the run (custom plans); what
    people asked for counts for this token alone. None: the plan was not started, nothing of it is done.
    """

    name: str
    strategy: PhaseStrategy
    phases: tuple[Phase, ...]
    token: str | None
    run: Run | None = None

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, if there is one."""
        return next((phase for phase in self.phases if phase.name == name), None)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is to be done of a plan now, and what people are told of it.

    `active` are the steps, as (phase, step), that may begin or go on; of all others, none may begin. What runs of them
    runs on. `pods` are those that the plan is at work on: of steps that are active and of those that have begun.
    """

    plan: str
    active: tuple[tuple[str, str], ...]
    pods: frozenset[str]
    status: PlanStatus

    @property
    def state(self) -> PlanState:
        """Where the plan stands."""
        return self.status.status


def recorded_runs(status: StatefulStatus | None) -> dict[str, Run]:
    """The runs of custom plans that a status records, by plan."""
    return {
        plan.name: Run(
            plan.name,
            plan.run,
            plan.started_at.timestamp() if plan.started_at is not None else 0.0,
            plan.parameters,
            ended=plan.status == "Complete",
        )
        for plan in (status.plans if status is not None else ())
        if plan.run is not None
    }

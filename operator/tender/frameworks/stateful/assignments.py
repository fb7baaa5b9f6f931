"""What is wanted of each pod in this turn: which of its steps are active, what was ordered, and how it is to run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tender.api.stateful import DECOMMISSION, DEPLOY, RECOVERY, UPDATE, SideTask
from tender.frameworks.stateful.course import Course, Progress, Run
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.orders import Order
from tender.frameworks.stateful.overrides import Overrides
from tender.frameworks.stateful.steps import done_key, is_done, is_surplus, token_of
from tender.frameworks.stateful.targets import Target

_ROLLOUTS = (DEPLOY, UPDATE)


@dataclass(frozen=True, slots=True)
class TaskWish:
    """A side task that a plan has for a pod and that is not done. `active`: it may begin now."""

    task: SideTask
    plan: str
    token: str
    active: bool
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_of(self) -> str:
        """The plan, if a request started it; empty for a rollout."""
        return "" if self.plan in _ROLLOUTS else self.plan


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is wanted of one pod.

    `revision` is that of the target, empty for a pod beyond it. `begin`: its step of the rollout is active, so it may
    change to that revision. `cycle` names the run ("PLAN RUN") that has it start again. `supported`: a plan is at work
    on it, so a pod that was lost comes back. `remove`: all of it is to go. `replace`: it is to move without request.
    """

    revision: str = ""
    begin: bool = False
    cycle: str = ""
    supported: bool = False
    remove: bool = False
    idle: bool = False
    replace: str = ""
    tasks: tuple[TaskWish, ...] = ()
    orders: tuple[Order, ...] = ()

    @property
    def places(self) -> bool:
        """Whether one of its steps is active, which makes it have a record and a place."""
        return self.begin or any(wish.active for wish in self.tasks)


def assign(
    target: Target,
    instances: Mapping[str, Instance],
    courses: Sequence[Course],
    progress: Iterable[Progress],
    overrides: Overrides,
    orders: Iterable[Order],
    replaced: Mapping[str, str],
) -> dict[str, Assignment]:
    """The assignment of every instance. `replaced` are those that move without request, with the token for it."""
    by_plan = {one.plan: one for one in progress}
    active = {(plan, *step) for plan, one in by_plan.items() for step in one.active}
    supported = {pod for one in by_plan.values() for pod in one.pods}
    ordered: dict[str, list[Order]] = {}
    for order in orders:
        ordered.setdefault(order.instance, []).append(order)
    begin: set[str] = set()
    removed: set[str] = set()
    cycles: dict[str, str] = {}
    wishes: dict[str, list[TaskWish]] = {}
    for course in courses:
        for phase in course.phases:
            for step in phase.steps:
                is_active = (course.name, phase.name, step.name) in active
                if course.name == DECOMMISSION:
                    removed |= {step.name} if is_active else set()
                elif course.name == RECOVERY:
                    pass
                elif phase.task is not None and course.token is not None:
                    wish = _wish(target, instances[step.name], course, phase.task, active=is_active)
                    if wish is not None:
                        wishes.setdefault(step.name, []).append(wish)
                elif is_active and course.name in _ROLLOUTS:
                    begin.add(step.name)
                elif is_active and course.run is not None:
                    cycles.setdefault(step.name, f"{course.name} {course.run.id}")
    return {
        name: Assignment(
            revision="" if is_surplus(target, one) else target.revision_of(one.set_name),
            begin=name in begin,
            cycle=cycles.get(name, ""),
            supported=name in supported,
            remove=name in removed,
            idle=name in overrides.paused_pods,
            replace=replaced.get(name, ""),
            tasks=tuple(wishes.get(name, ())),
            orders=tuple(ordered.get(name, ())),
        )
        for name, one in instances.items()
    }


def plan_of_order(order: Order, plans: Mapping[str, str]) -> str:
    """The plan that an order came from; `plans` by the id of the request. Empty: it came from a pod request."""
    kind, _, request = order.request.partition("/")
    return plans.get(request, "") if kind == "plan" else ""


def _wish(target: Target, one: Instance, course: Course, task: str, *, active: bool) -> TaskWish | None:
    pod_set = target.sets.get(one.set_name)
    side = target.task(one.set_name, task)
    run: Run | None = course.run
    if pod_set is None or side is None or (run is not None and run.ended):
        return None
    plan = target.plan(course.name)
    token = token_of(target, course.name, pod_set, task, run)
    if one.record is not None and is_done(target, one.record, one.set_name, task, done_key(course.name, task), token):
        return None
    defaults = dict(plan.parameters) if plan is not None else {}
    return TaskWish(side, course.name, token, active, {**defaults, **(run.parameters if run is not None else {})})

"""What people asked of plans and pods that has to outlast a restart: pauses, canaries let go on, steps forced.

It is kept in `Framework.status.stateful`, in the same write as the results of the requests, so a request and its
effect are recorded both or neither. Entries about steps carry the token of the course they were asked for (a revision
or a run) and count for no other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tender.api.stateful import StatefulStatus
from tender.frameworks.stateful.course import Course

MOST_PAUSED = 128
MOST_RESUMED = 128
MOST_FORCED = 256
"""How many entries the lists of the status take."""

ALL = "all"
"""Stands for the number of steps when a canary was let go on for the second time."""
PODS = "pod"
"""What stands in place of a plan where a pod is paused."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What was asked for.

    `paused`: "PLAN" or "PLAN/PHASE". `paused_pods`: instances. `resumed`: how many steps of a canary may be done, by
    "PLAN/PHASE@TOKEN"; None: all. `forced`: "PLAN/PHASE/STEP@TOKEN" of steps that are taken for complete.
    """

    paused: frozenset[str] = frozenset()
    paused_pods: frozenset[str] = frozenset()
    resumed: Mapping[str, int | None] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()

    @classmethod
    def read(cls, status: StatefulStatus | None) -> "Overrides":
        """What a status records; entries that are none are ignored."""
        if status is None:
            return cls()
        pods = frozenset(entry for entry in status.paused if entry.startswith(f"{PODS}/"))
        resumed: dict[str, int | None] = {}
        for entry in status.resumed:
            key, _, steps = entry.rpartition("=")
            if steps == ALL or steps.isdecimal():
                resumed[key] = None if steps == ALL else int(steps)
        return cls(
            frozenset(status.paused) - pods,
            frozenset(entry.removeprefix(f"{PODS}/") for entry in pods),
            resumed,
            frozenset(status.forced),
        )

    def fields(self) -> dict[str, Any]:
        """The fields of `Framework.status.stateful` that record it; empty lists are left out."""
        pods = (f"{PODS}/{pod}" for pod in self.paused_pods)
        lists = {
            "paused": sorted({*self.paused, *pods}),
            "resumed": sorted(f"{key}={ALL if steps is None else steps}" for key, steps in self.resumed.items()),
            "forced": sorted(self.forced),
        }
        return {name: entries for name, entries in lists.items() if entries}

    def holds(self, plan: str, phase: str | None = None) -> bool:
        """Whether just this, the plan as a whole or the phase, is paused."""
        return _place(plan, phase) in self.paused

    def released(self, plan: str, phase: str, token: str) -> int | None:
        """How many steps of a canary may be done; None: all."""
        return self.resumed.get(f"{plan}/{phase}@{token}", 0)

    def forces(self, plan: str, phase: str, step: str, token: str) -> bool:
        """Whether the step is taken for complete."""
        return f"{plan}/{phase}/{step}@{token}" in self.forced

    def pause(self, plan: str, phase: str | None = None) -> "Overrides":
        """With the plan or the phase paused."""
        return replace(self, paused=self.paused | {_place(plan, phase)})

    def unpause(self, plan: str, phase: str | None = None) -> "Overrides":
        """With the phase not paused, or neither the plan nor any phase of it."""
        place = _place(plan, phase)
        within = {entry for entry in self.paused if phase is None and entry.startswith(f"{place}/")}
        return replace(self, paused=self.paused - {place} - within)

    def release(self, plan: str, phase: str, token: str, steps: int | None) -> "Overrides":
        """With so many steps of a canary let go; None: all."""
        return replace(self, resumed={**self.resumed, f"{plan}/{phase}@{token}": steps})

    def force(self, plan: str, steps: Iterable[tuple[str, str]], token: str) -> "Overrides":
        """With these steps, given as (phase, step), taken for complete."""
        return replace(self, forced=self.forced | _entries(plan, steps, token))

    def unforce(self, plan: str, steps: Iterable[tuple[str, str]], token: str) -> "Overrides":
        """With these steps, given as (phase, step), not taken for complete any more."""
        return replace(self, forced=self.forced - _entries(plan, steps, token))

    def of(self, courses: Iterable[Course]) -> "Overrides":
        """What is still about something, given all plans: the rest was about former revisions, runs or phases."""
        places: set[str] = set()
        canaries: set[str] = set()
        steps: set[str] = set()
        for course in courses:
            places.add(course.name)
            for phase in course.phases:
                places.add(_place(course.name, phase.name))
                canaries.add(f"{course.name}/{phase.name}@{course.token}")
                steps |= _entries(course.name, ((phase.name, step.name) for step in phase.steps), course.token or "")
        return replace(
            self,
            paused=self.paused & places,
            resumed={key: count for key, count in self.resumed.items() if key in canaries},
            forced=self.forced & steps,
        )

    @property
    def excess(self) -> str:
        """Which list would be longer than the status takes, as a sentence for people; empty: none."""
        sizes = (
            ("paused", len(self.paused) + len(self.paused_pods), MOST_PAUSED, "Resume others first"),
            ("resumed", len(self.resumed), MOST_RESUMED, "wait until plans are complete"),
            ("forced", len(self.forced), MOST_FORCED, "force single phases or steps"),
        )
        for name, size, most, advice in sizes:
            if size > most:
                return f"status.stateful.{name} would have {size} entries and takes {most}: {advice}"
        return ""


def _place(plan: str, phase: str | None) -> str:
    return plan if phase is None else f"{plan}/{phase}"


def _entries(plan: str, steps: Iterable[tuple[str, str]], token: str) -> frozenset[str]:
    return frozenset(f"{plan}/{phase}/{step}@{token}" for phase, step in steps)

"""Which target is followed, and which configuration each pod has, by what is recorded in ControllerRevisions.

A spec that differs from the newest target becomes a target by being recorded. Before that it has to be sound, and what
the framework depends on has to be ready. What pods run is looked up by the revision in their records, in the newest
target that has a set of that revision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic

from tender.api.core import ControllerRevision
from tender.api.framework import Framework
from tender.frameworks.sdk.dependencies import Dependencies, dependencies_of
from tender.frameworks.sdk.model import Remove, Seen
from tender.frameworks.sdk.versions import to_forget, to_record
from tender.frameworks.stateful.targets import Target
from tender.frameworks.stateful.validation import objection, objection_to_change

_NOTHING = Dependencies()
FORMER_TARGETS = 10
"""How many targets are kept that no pod needs any more."""


@dataclass
class History:
    """The targets that are recorded, read as far back as is asked for."""

    framework: Framework
    revisions: Iterable[ControllerRevision]
    _read: dict[str, Target | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.revisions = sorted(self.revisions, key=lambda one: one.revision, reverse=True)

    @property
    def number(self) -> int | None:
        """The number of the newest target."""
        return next((one.revision for one in self.revisions), None)

    def newest(self) -> Target | None:
        """The target that is followed."""
        return next((target for one in self.revisions if (target := self._target(one)) is not None), None)

    def having(self, set_name: str, revision: str) -> Target | None:
        """The newest target in which the set has this revision."""
        return next((target for _, target in self._having(set_name, revision)), None)

    def needed(self, running: Iterable[tuple[str, str]]) -> set[str]:
        """The names of the ControllerRevisions by which these sets and revisions are known."""
        return {name for set_name, revision in running for name, _ in self._having(set_name, revision)[:1]}

    def _having(self, set_name: str, revision: str) -> list[tuple[str, Target]]:
        for one in self.revisions:
            target = self._target(one)
            if target is not None and set_name in target.sets and target.revision_of(set_name) == revision:
                return [(one.metadata.name, target)]
        return []

    def _target(self, one: ControllerRevision) -> Target | None:
        name = one.metadata.name
        if name not in self._read:
            try:
                self._read[name] = Target.read(self.framework, one.data or {})
            except pydantic.ValidationError:
                self._read[name] = None
        return self._read[name]


@dataclass(frozen=True, slots=True)
class Settled:
    """The target to follow, None before the first one is recorded; what is wrong with the spec or in its way; and what
    is to be written.
    """

    target: Target | None
    history: History
    problem: str = ""
    waiting: Dependencies = _NOTHING
    keep: tuple[Mapping[str, Any], ...] = ()

    @property
    def current(self) -> bool:
        """Whether the target is what the spec says."""
        return not (self.problem or self.waiting.message or self.keep)


def settle(seen: Seen) -> Settled:
    """Which target is followed, given what the spec says and what is recorded."""
    framework = seen.framework
    history = History(framework, seen.revisions)
    present = history.newest()
    wanted = Target.of(framework)
    if present is not None and present.data() == wanted.data():
        return Settled(present, history)
    problem = objection(wanted)
    if problem is None and present is not None:
        deployed = framework.status.settled_generation is not None
        problem = objection_to_change(present, wanted, deployed=deployed)
    if problem is not None:
        return Settled(present, history, problem=problem)
    waiting = dependencies_of(framework, seen.frameworks)
    if waiting.message:
        return Settled(present, history, waiting=waiting)
    return Settled(present, history, keep=to_record(framework, wanted.data(), seen.revisions))


def forgotten(history: History, running: Iterable[tuple[str, str]]) -> tuple[Remove, ...]:
    """The targets that may go: none that a pod runs (`running` by set and revision), and not the newest ones."""
    return to_forget(history.revisions, FORMER_TARGETS, history.needed(running))

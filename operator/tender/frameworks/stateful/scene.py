"""What the decisions about single pods have in common: the framework, its targets, the runs of plans, and the time."""

from collections.abc import Mapping
from dataclasses import dataclass

from tender.api.framework import Framework
from tender.api.stateful import PodSet
from tender.frameworks.sdk.model import Seen
from tender.frameworks.stateful.course import Run
from tender.frameworks.stateful.history import History
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.places import needs_of
from tender.frameworks.stateful.targets import Target


@dataclass(frozen=True, slots=True)
class Scene:
    """`runs` are those of custom plans that are recorded, `plans` the plan of each plan request, by its id."""

    seen: Seen
    target: Target
    history: History
    runs: Mapping[str, Run]
    plans: Mapping[str, str]

    @property
    def framework(self) -> Framework:
        """The framework whose turn it is."""
        return self.seen.framework

    @property
    def now(self) -> float:
        """The time, in epoch seconds."""
        return self.seen.now

    def recorded(self, one: Instance) -> Target | None:
        """The target by which what the pod is to run is known; that of the plans if it runs nothing yet."""
        revision = one.record.revision if one.record is not None else ""
        if not revision:
            return self.target if one.set_name in self.target.sets else None
        return self.history.having(one.set_name, revision)

    def pod_set(self, one: Instance) -> PodSet | None:
        """The set of the pod, as the pod is to run."""
        target = self.recorded(one)
        return target.sets[one.set_name] if target is not None else None

    def needs(self, one: Instance, *, of_target: bool) -> dict[str, int]:
        """What the pod's place has to hold: the pod as it is to run, or as the target says, and any side task."""
        newest = self.target.sets.get(one.set_name)
        pod_set = newest if of_target else self.pod_set(one)
        if pod_set is None:
            return {}
        return needs_of(pod_set, (newest or pod_set).tasks)

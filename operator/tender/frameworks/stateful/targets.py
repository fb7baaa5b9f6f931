"""Targets: the configurations of a stateful service, as they are recorded in ControllerRevisions.

A target is all that plans bring pods to: the sets of pods, the plans and the role. The newest that is recorded is the
one that is followed, and the former ones stay as long as a pod runs them, since a pod that is lost comes back as it was
and not as it is to become. A spec that differs becomes a new target when it is sound and can be reached from the
present one; until then the present one stays.

Each set has a revision of its own: a hash of what its pods take from their template, their files and their volumes. So
a change of one set leaves the pods of all others alone, and so does a change of what is done beside pods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from tender.api.framework import Framework
from tender.api.stateful import DEPLOY, UPDATE, PlanSpec, PodSet, SideTask
from tender.frameworks.sdk.ownership import digest
from tender.frameworks.sdk.templates import taken
from tender.frameworks.stateful.rendering import OF_THE_POD, common_variables, pod_name, pod_variables, render


@dataclass(frozen=True)
class Target:
    """One configuration of the service `framework` in `namespace`."""

    framework: str
    namespace: str
    role: str
    pods: tuple[PodSet, ...]
    plans: tuple[PlanSpec, ...] = ()
    _revisions: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, framework: Framework) -> Self:
        """What the spec says."""
        stateful = framework.spec.stateful
        if stateful is None:
            raise ValueError(f"framework {framework.metadata.name}: spec.stateful is not set")
        return cls(
            framework.metadata.name,
            framework.metadata.namespace or "",
            framework.spec.role,
            stateful.pods,
            stateful.plans,
        )

    @classmethod
    def read(cls, framework: Framework, data: Mapping[str, Any]) -> Self:
        """What a ControllerRevision says. Raises pydantic.ValidationError if it is none of Tender's."""
        return cls(
            framework.metadata.name,
            framework.metadata.namespace or "",
            str(data.get("role", "")),
            tuple(PodSet.model_validate(one) for one in data.get("pods", ())),
            tuple(PlanSpec.model_validate(one) for one in data.get("plans", ())),
        )

    def data(self) -> dict[str, Any]:
        """What is recorded of it."""
        return {
            "role": self.role,
            "pods": [one.manifest() for one in self.pods],
            "plans": [one.manifest() for one in self.plans],
        }

    @cached_property
    def sets(self) -> dict[str, PodSet]:
        """The sets by name."""
        return {one.name: one for one in self.pods}

    @cached_property
    def common(self) -> dict[str, str]:
        """The variables that are the same for all pods."""
        return common_variables(self.framework, self.namespace, self.pods)

    @cached_property
    def revision(self) -> str:
        """A hash of the configuration of all pods."""
        return digest({one.name: self.revision_of(one.name) for one in self.pods})

    def revision_of(self, set_name: str) -> str:
        """The revision of a set. Raises ValueError for files that cannot be rendered, KeyError for no set of its."""
        if set_name not in self._revisions:
            one = self.sets[set_name]
            self._revisions[set_name] = digest(
                {
                    **taken(one.template),
                    "files": render(one.config, self.common, left=OF_THE_POD),
                    "volumes": [claim.manifest() for claim in one.volume_claim_templates],
                }
            )
        return self._revisions[set_name]

    def files(self, set_name: str, index: int, replaced: str = "") -> dict[str, str]:
        """The configuration files of one pod."""
        of_the_pod = pod_variables(self.framework, self.namespace, set_name, index, replaced)
        return render(self.sets[set_name].config, {**self.common, **of_the_pod})

    def pod_name(self, set_name: str, index: int) -> str:
        """The name of the Kubernetes pod."""
        return pod_name(self.framework, set_name, index)

    def task(self, set_name: str, task: str) -> SideTask | None:
        """A side task of a set."""
        one = self.sets.get(set_name)
        return next((side for side in one.tasks if side.name == task), None) if one else None

    def plan(self, name: str) -> PlanSpec | None:
        """A plan of the target, or None."""
        return next((one for one in self.plans if one.name == name), None)

    def rollout(self, *, first: bool) -> str:
        """The name of the plan that brings pods to this target: at first deploy, for changes update where there is."""
        return DEPLOY if first or self.plan(UPDATE) is None else UPDATE


def task_token(revision: str, task: SideTask) -> str:
    """What tells that a task was done for a revision of its set and as it says now."""
    return digest([revision, taken(task.template)])


def instance_names(pods: Iterable[PodSet]) -> list[str]:
    """The names of all pods, by set and number."""
    return [f"{one.name}-{index}" for one in pods for index in range(one.count)]

"""`spec.service`: a number of equal pods that run until they are told otherwise, with the semantics of Marathon."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from tender.api.durations import parse_duration
from tender.api.meta import LARGEST_INT32, DnsLabel, Duration, Model
from tender.api.placement import Constraints
from tender.api.rules import Rule, cel, server_default
from tender.api.template import PodTemplate


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Share = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "minimum": 0,
            "maxLength": 8,
            "pattern": "^(100|[0-9]{1,2})%$|^[0-9]{1,6}$",
        }
    ),
]
"""A number of pods, or a percentage of the replicas, as Deployments write maxSurge."""


class UpdateStrategy(Model):
    """How far a change may reduce and exceed the replicas while pods are exchanged."""

    minimum_health: Share = Field(
        "100%",
        description="How many pods, or which part of the replicas (rounded up), stay ready; 100% when absent.",
    )
    maximum_over: Share = Field(
        "1",
        description="How many pods, or which part of the replicas (rounded down), may exist beyond the replicas; 1 when"
        " absent.",
    )


class LaunchBackoff(Model):
    """How long launches wait after pods have failed."""

    initial: Duration = Field("1s", description='The wait after the first failure, "1s" when absent.')
    factor: float = Field(
        2.0, description="By how much the wait grows with each further failure, 2 when absent.", ge=1, le=10
    )
    maximum: Duration = Field("5m", description='The longest wait, "5m" when absent.')

    @property
    def initial_seconds(self) -> float:
        """The first wait, in seconds."""
        return parse_duration(self.initial)

    @property
    def maximum_seconds(self) -> float:
        """The longest wait, in seconds."""
        return parse_duration(self.maximum)


class UnreachableStrategy(Model):
    """What becomes of pods on nodes that do not answer."""

    inactive_after: Duration = Field(
        "0s",
        description="How long a node may be silent until its pods are replaced elsewhere; they are kept besides."
        ' "0s" when absent: as soon as the cluster says that the node is not ready.',
    )
    expunge_after: Duration = Field(
        "0s",
        description="How long it may be silent until its pods are given up: they end if the node returns. At least"
        ' inactiveAfter; "0s" when absent.',
    )

    @property
    def inactive_seconds(self) -> float:
        """Seconds of silence until pods are replaced."""
        return parse_duration(self.inactive_after)

    @property
    def expunge_seconds(self) -> float:
        """Seconds of silence until pods are given up."""
        return max(self.inactive_seconds, parse_duration(self.expunge_after))


class Exposure(Model):
    """A Kubernetes Service in front of the pods, for all their named ports."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(
        "ClusterIP", description="The type of the Service; ClusterIP when absent."
    )
    name: DnsLabel | None = Field(None, description="The Service's name; absent: that of the framework.")


class ServiceSpec(Model):
    """A number of equal pods that run until they are told otherwise."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!has(self.updateStrategy) || !has(self.updateStrategy.minimumHealth) ||"
                " string(self.updateStrategy.minimumHealth) != '100%' || !has(self.updateStrategy.maximumOver) ||"
                " !(string(self.updateStrategy.maximumOver) in ['0', '0%', '00%'])",
                "minimumHealth 100% with maximumOver 0 leaves no room to exchange a pod: change one of them",
                ".updateStrategy",
            )
        )
    )

    replicas: int = Field(
        1,
        description="How many pods to run.",
        ge=0,
        le=LARGEST_INT32,
        json_schema_extra=server_default(1),
    )
    template: PodTemplate = Field(
        description="The pods to run: metadata and spec as in a Deployment, with requests for cpu and memory."
    )
    constraints: Constraints = Field((), description="Which nodes the pods may be on, in relation to each other.")
    update_strategy: UpdateStrategy = Field(
        UpdateStrategy(), description="How far a change may reduce and exceed the replicas."
    )
    backoff: LaunchBackoff = Field(LaunchBackoff(), description="How long launches wait after pods have failed.")
    unreachable: UnreachableStrategy = Field(
        UnreachableStrategy(), description="What becomes of pods on nodes that do not answer."
    )
    kill_selection: Literal["YoungestFirst", "OldestFirst"] = Field(
        "YoungestFirst", description="Which pods go first when there are too many and nothing else decides."
    )
    paused: bool = Field(False, description="Exchange no pods for a changed template; scaling and replacement go on.")
    revision_history_limit: int = Field(
        10, description="How many former versions are kept to roll back to; 10 when absent.", ge=0, le=100
    )
    rollback_to: int | None = Field(
        None,
        description="Run the version of this number, as listed by `kubectl get controllerrevisions`, in place of what"
        " the fields here say; absent: these fields.",
        ge=1,
    )
    expose: Exposure | None = Field(
        None, description="Put a Kubernetes Service in front of the pods, for all their named ports."
    )

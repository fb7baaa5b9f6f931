"""Framework: one workload with its own second-level scheduler, and what it tells the master of its demand."""

import hashlib
import json
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from tender.api.durations import parse_duration
from tender.api.meta import (
    LARGEST_INT32,
    MOST_DEMANDS,
    Conditions,
    CustomResource,
    DnsLabel,
    DnsSubdomain,
    Duration,
    LabelValue,
    Model,
    Moment,
    Quantities,
    ResourceName,
)
from tender.api.names import DEFAULT_ROLE
from tender.api.quantities import Resources, parse_resources
from tender.api.rules import Rule, cel, list_map, list_set, server_default
from tender.api.service import ServiceSpec
from tender.api.stateful import StatefulSpec, StatefulStatus

NodeSelector = Annotated[dict[str, LabelValue], Field(max_length=32)]


class Toleration(Model):
    """A taint of nodes that is put up with, as in a pod's spec."""

    key: str | None = Field(
        None, description="The taint's key; absent with operator Exists: every taint.", max_length=316
    )
    operator: Literal["Exists", "Equal"] | None = Field(
        None, description="How the key's value is compared; Equal when absent."
    )
    value: str | None = Field(None, description="The taint's value, with operator Equal.", max_length=63)
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="The taint's effect; absent: every effect."
    )
    toleration_seconds: int | None = Field(None, description="How long a NoExecute taint is put up with.")


Tolerations = Annotated[tuple[Toleration, ...], Field(max_length=32)]


class OfferPreferences(Model):
    """Which offers are worth making to the framework, and for how long."""

    minimum: Annotated[tuple[Quantities, ...], Field(max_length=8)] | None = Field(
        None,
        description="Sets of amounts of which an offer must hold at least one; absent: the master's default.",
    )
    timeout: Duration = Field(
        "60s", description='How long an offer stays open for an answer, "60s" when absent, an hour at most.'
    )

    @property
    def minimum_amounts(self) -> tuple[Resources, ...] | None:
        """The sets as integers; None for the master's default."""
        return None if self.minimum is None else tuple(parse_resources(entry) for entry in self.minimum)

    @property
    def timeout_seconds(self) -> float:
        """How long an offer stays open, in seconds."""
        return parse_duration(self.timeout)


class Dependency(Model):
    """Another framework of the same namespace that has to be ready first."""

    name: DnsLabel = Field(description="The framework.")


class ExternalSpec(Model):
    """A controller outside of Tender answers the offers."""


class FrameworkSpec(Model):
    """What the workload is, in which role it takes part, and which nodes suit it."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "has(self.service) || has(self.stateful) || has(self.external)",
                "the framework has no workload: set spec.service (replicas and template), spec.stateful (pods), "
                "or spec.external: {} when a controller of your own answers the offers",
            ),
            Rule(
                "[has(self.service), has(self.stateful), has(self.external)].filter(w, w).size() <= 1",
                "the framework has two workloads: set only one of spec.service, spec.stateful and spec.external",
            ),
            Rule(
                "!has(self.roles) || !(self.role in self.roles)",
                "spec.roles repeats spec.role: name only further roles there",
                ".roles",
            ),
        )
    )

    role: DnsLabel = Field(
        DEFAULT_ROLE,
        description="The role whose weight and quota apply.",
        json_schema_extra=server_default(DEFAULT_ROLE),
    )
    roles: Annotated[tuple[DnsLabel, ...], Field(max_length=16, json_schema_extra=list_set())] = Field(
        (), description="Further roles in which offers are made; each offer is made, and charged, in one role."
    )
    capabilities: Annotated[tuple[ResourceName, ...], Field(max_length=16, json_schema_extra=list_set())] = Field(
        (),
        description="Scarce resources, such as nvidia.com/gpu, whose nodes may be offered although the demand does not"
        " ask for them.",
    )
    node_selector: NodeSelector = Field({}, description="Labels that a node must have to be offered.")
    tolerations: Tolerations = Field((), description="Taints of nodes that the framework puts up with.")
    offers: OfferPreferences = Field(OfferPreferences(), description="Which offers to make, and for how long.")
    depends_on: Annotated[tuple[Dependency, ...], Field(max_length=32, json_schema_extra=list_map("name"))] = Field(
        (),
        description="Frameworks of the same namespace that must be ready before this one is started or changed. What"
        " runs already runs on, whatever becomes of them.",
    )
    service: ServiceSpec | None = Field(None, description="Run a number of equal pods.")
    stateful: StatefulSpec | None = Field(
        None, description="Run pods with names, volumes and reserved places of their own, rolled out by plans."
    )
    external: ExternalSpec | None = Field(
        None, description="Make offers only; a controller of your own answers them and creates the pods."
    )

    @property
    def all_roles(self) -> tuple[str, ...]:
        """All roles in which offers are made, the first one first."""
        return (self.role, *self.roles)


class DemandEntry(Model):
    """A number of pods of one shape that the framework wants to have."""

    name: DnsLabel = Field(description="The name of the shape; its pods carry it in the label tender.dev/task.")
    requests: Quantities = Field(description="What one pod needs.", min_length=1)
    count: int = Field(description="How many pods are wanted in all, those that run included.", ge=0, le=LARGEST_INT32)
    node_selector: NodeSelector = Field({}, description="Labels that a node must have, besides the framework's.")
    tolerations: Tolerations = Field((), description="Taints that these pods put up with, besides the framework's.")
    max_per_node: int | None = Field(
        None,
        description="How many of the pods one node may have; absent: any number.",
        ge=1,
        le=LARGEST_INT32,
    )

    @cached_property
    def amounts(self) -> Resources:
        """What one pod needs, as integers."""
        return parse_resources(self.requests)


class Backoff(Model):
    """How long new launches wait after failed ones."""

    failures: int = Field(description="How many launches have failed one after the other.", ge=0)
    until: Moment | None = Field(None, description="When the next launch may be tried.")


class Refusals(Model):
    """Why offers were of no use, in the order in which an offer is looked at: the first thing in the way counts."""

    reason: str = Field(description="Why, as one word for programs.", min_length=1, max_length=63)
    nodes: int = Field(description="Of how many nodes the last offer was refused for this reason.", ge=0)
    message: str = Field("", description="Why, as a sentence for people.", max_length=512)


class RefusedNode(Model):
    """The last offer of a node that was of no use."""

    node: DnsSubdomain = Field(description="The node.")
    task: LabelValue = Field("", description="The task that came nearest to fitting.")
    reason: str = Field(description="What was in the way, as one word for programs.", min_length=1, max_length=63)
    message: str = Field("", description="What was in the way, as a sentence for people.", max_length=256)
    at: Moment = Field(description="When it was refused.")


class Waiting(Model):
    """What the framework waits for, as far as its own choice among offers goes."""

    since: Moment = Field(description="Since when tasks have been waiting without one being placed.")
    tasks: int = Field(description="How many tasks wait.", ge=0)
    reasons: Annotated[tuple[Refusals, ...], Field(max_length=16)] = Field(
        (), description="Why the last offers of all nodes were of no use; empty if none was made."
    )
    nodes: Annotated[tuple[RefusedNode, ...], Field(max_length=32)] = Field(
        (), description="The last offer of each node; of more than 32 the newest."
    )


class NotOffered(Model):
    """Why some nodes were not offered."""

    reason: str = Field(description="Why, as one word for programs.", min_length=1, max_length=63)
    nodes: int = Field(description="How many nodes were not offered for this reason.", ge=0)
    message: str = Field("", description="Why, as a sentence for people.", max_length=1024)


class Allocation(Model):
    """What the master has found out in its last cycle."""

    dominant_share: str = Field(
        "0",
        description="The largest fraction of any resource of the cluster that the framework holds.",
        max_length=32,
    )
    allocated: Quantities = Field({}, description="What the framework holds: its pods and claims.")
    offered: Quantities = Field({}, description="What is on offer to the framework now.")
    not_offered: Annotated[tuple[NotOffered, ...], Field(max_length=32)] = Field(
        (), description="Why the framework was not offered more, counted by nodes."
    )


class FrameworkStatus(Model):
    """What has become of the framework: the controller's part, and the master's under allocation."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                # The names in a list of one: CEL has no variables. Comparing entry by entry in CEL took the API server
                # twenty-five times as long for 128 of them (measured in one run: 533 against 21 ms).
                "!has(self.demand) || [self.demand.map(d, d.name)].all(names,"
                " names.all(n, names.indexOf(n) == names.lastIndexOf(n)))",
                "status.demand has two entries of the same name: give every shape of pod a name of its own",
                field=".demand",
            )
        )
    )

    observed_generation: int | None = Field(
        None, description="The generation of the spec that the controller has acted on.", ge=0
    )
    conditions: Conditions = Field((), description="The state in the conditions Ready, Reconciling and Stalled.")
    # An atomic list: as a list-map, an empty one would vanish in server-side apply, and that means "everything".
    demand: Annotated[tuple[DemandEntry, ...], Field(max_length=MOST_DEMANDS)] | None = Field(
        None,
        description="What the framework wants; absent: all that it is entitled to, empty: nothing.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    selector: str | None = Field(None, description="The label selector of the pods, for autoscalers.", max_length=1024)
    replicas: int | None = Field(None, description="How many pods there are.", ge=0)
    ready_replicas: int | None = Field(None, description="How many pods are ready.", ge=0)
    updated_replicas: int | None = Field(None, description="How many pods have the current template.", ge=0)
    revision: LabelValue | None = Field(None, description="The hash of the current template.")
    backoff: Backoff | None = Field(None, description="Set while launches wait after failed ones.")
    version: int | None = Field(
        None, description="The number of the version that is rolled out, as in its ControllerRevision.", ge=0
    )
    settled_generation: int | None = Field(
        None, description="The newest generation that was rolled out to its end: all pods were ready.", ge=0
    )
    settled_replicas: int | None = Field(
        None, description="How many pods that generation wanted; lost ones of these are replaced at any time.", ge=0
    )
    waiting: Waiting | None = Field(None, description="What its tasks wait for; absent while none waits.")
    stateful: StatefulStatus | None = Field(None, description="What has become of a stateful service.")
    allocation: Allocation | None = Field(None, description="What the master has found out in its last cycle.")

    @cached_property
    def demand_revision(self) -> str:
        """A hash of the demand: of what it asks for, however it is written. None declared and an empty one differ."""
        entries = None
        if self.demand is not None:
            entries = [
                {**entry.model_dump(mode="json", exclude_defaults=True), "requests": entry.amounts}
                for entry in self.demand
            ]
        text = json.dumps(entries, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:10]


class Framework(CustomResource):
    """One workload with its own second-level scheduler."""

    KIND: ClassVar[str] = "Framework"
    PLURAL: ClassVar[str] = "frameworks"
    SHORT_NAME: ClassVar[str] = "fw"

    kind: str = "Framework"
    spec: FrameworkSpec = Field(description="What is wanted.")
    status: FrameworkStatus = Field(FrameworkStatus(), description="What is the case.")

"""`spec.stateful`: pods with names, volumes and reserved places of their own, rolled out by plans.

The model is that of the DC/OS SDK: a plan has phases, a phase has steps, a step brings one pod to where it should be.
The pods of a pod set are numbered; pod 0 of the set `node` of the framework `db` is the Kubernetes pod `db-node-0`.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from tender.api.durations import parse_duration
from tender.api.meta import DnsLabel, DnsSubdomain, Duration, LabelValue, Model, Moment
from tender.api.placement import Constraints
from tender.api.rules import Rule, cel, list_map, server_default
from tender.api.template import PodTemplate

MOST_PODS = 256
"""How many pods one set may have."""

DEPLOY = "deploy"
"""The plan that is followed at first, and for changes where there is no plan of their own."""
UPDATE = "update"
"""The plan that is followed for changes."""
RECOVERY = "recovery"
"""The plan that brings back pods that were lost; it is made as needed."""
DECOMMISSION = "decommission"
"""The plan that removes pods which are not wanted any more; it is made as needed."""

StepState = Literal["Pending", "Starting", "Complete", "Delayed", "Error"]
PlanState = Literal["Pending", "InProgress", "Waiting", "Complete", "Error"]

_OPEN_OBJECT = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class VolumeClaimTemplate(Model):
    """A PersistentVolumeClaim that every pod of the set has for itself, named after a volume of the template."""

    name: DnsLabel = Field(description="The name of the volume; the claim is called NAME-FRAMEWORK-SET-INDEX.")
    spec: Annotated[dict[str, Any], WithJsonSchema(_OPEN_OBJECT)] = Field(
        description="The spec of the PersistentVolumeClaim: accessModes, storageClassName, resources."
    )


class SideTask(Model):
    """Something to be done beside a pod of the set: on its node, with its volumes, within what is reserved for it."""

    name: DnsLabel = Field(description="The task's name; its pod is called FRAMEWORK-SET-INDEX-NAME.")
    goal: Literal["Once", "Finish"] = Field(
        "Finish",
        description="Once: it is never done again after it has succeeded. Finish: it is done again when its template or"
        " the set's has changed.",
    )
    template: Annotated[dict[str, Any], WithJsonSchema({**_OPEN_OBJECT, "required": ["spec"]})] = Field(
        description="The pod that does it: metadata and spec, with requests for cpu and memory."
    )


class PodSet(Model):
    """A number of pods of one kind, each with a place and volumes of its own."""

    name: DnsLabel = Field(description="The set's name, such as node, master or worker.", max_length=20)
    count: int = Field(
        1, description="How many pods there are.", ge=0, le=MOST_PODS, json_schema_extra=server_default(1)
    )
    template: PodTemplate = Field(description="The pods: metadata and spec, with requests for cpu and memory.")
    constraints: Constraints = Field(
        (), description="Which nodes new and replaced pods may be on, in relation to those of the set."
    )
    volume_claim_templates: Annotated[
        tuple[VolumeClaimTemplate, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = Field((), description="The volumes of each pod. They cannot be changed.")
    config: Annotated[dict[str, Annotated[str, Field(max_length=65536)]], Field(max_length=16)] = Field(
        {},
        description="Files that each pod finds in the volume `config`, by name. ${pod.name}, ${pod.index}, ${pod.host},"
        " ${framework.name}, ${pods.SET.count} and ${pods.SET.hosts} are replaced.",
    )
    non_essential: Annotated[tuple[DnsLabel, ...], Field(max_length=16)] = Field(
        (), description="Containers that start again on their own; when any other ends, its whole pod starts again."
    )
    allow_decommission: bool = Field(
        False, description="Whether count may be lowered: the pods of the highest numbers then go, with their volumes."
    )
    tasks: Annotated[tuple[SideTask, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = Field(
        (), description="What plans can do beside the pods: initialise, back up, repair."
    )
    on_replace: DnsLabel | None = Field(
        None, description="The plan that is started when a pod of the set has been replaced, with the parameter POD."
    )


class PhaseSpec(Model):
    """A part of a plan: something to be done for the pods of one set. Each pod is a step."""

    name: DnsLabel = Field(description="The phase's name.")
    pods: DnsLabel = Field(description="The set of pods.")
    task: DnsLabel | None = Field(
        None, description="The side task to do; absent: bring the pods themselves to the newest configuration."
    )
    indexes: Annotated[tuple[Annotated[int, Field(ge=0, lt=MOST_PODS)], ...], Field(max_length=MOST_PODS)] = Field(
        (), description="The pods to do it for, in this order; absent: all of the set."
    )
    strategy: Literal["Serial", "Parallel", "SerialCanary", "ParallelCanary", "Random"] = Field(
        "Serial",
        description="The order of the steps. The canaries wait to be resumed before their first step and after it.",
    )
    depends_on: Annotated[tuple[DnsLabel, ...], Field(max_length=32)] = Field(
        (), description="The phases that come first, in a plan of strategy Dependency."
    )


class PlanSpec(Model):
    """Phases to go through. `deploy` and `update` are followed on their own, all others when they are asked for."""

    name: DnsLabel = Field(description="The plan's name.")
    strategy: Literal["Serial", "Parallel", "Dependency"] = Field("Serial", description="The order of the phases.")
    phases: Annotated[tuple[PhaseSpec, ...], Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))] = (
        Field(description="What is to be done.")
    )
    parameters: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = Field(
        {}, description="Environment variables that its side tasks get, with their defaults; a request may set others."
    )


class PlanRequest(Model):
    """Something that is asked of a plan, done once for each id."""

    id: DnsLabel = Field(description="A name of your choice; a request with a new id is a new request.")
    plan: DnsLabel = Field(description="The plan.")
    action: Literal["Start", "Stop", "Pause", "Resume", "Restart", "ForceComplete"] = Field(
        description="Start and Stop are for plans that are not followed on their own. Pause holds back steps that have"
        " not begun. Resume also lets a canary go on. Restart does steps again. ForceComplete takes them for done."
    )
    phase: DnsLabel | None = Field(None, description="The phase; absent: the whole plan.")
    step: DnsLabel | None = Field(None, description="The step, such as node-0; absent: the whole phase.")
    parameters: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = Field(
        {}, description="With Start: the parameters of this run."
    )


class PodRequest(Model):
    """Something that is asked of one pod, done once for each id."""

    id: DnsLabel = Field(description="A name of your choice; a request with a new id is a new request.")
    pod: DnsLabel = Field(description="The pod, by set and number, such as node-0.")
    action: Literal["Restart", "Replace", "Pause", "Resume"] = Field(
        description="Restart: end and start again on the same node. Replace: give up node and volumes, start elsewhere."
        " Pause: its containers idle, for a look inside. Resume: undo Pause."
    )


class RecoverySpec(Model):
    """When pods are moved to another node without being asked for."""

    replace_after: Duration | None = Field(
        None,
        description="How long a pod's node may be lost until the pod is replaced, its volumes given up; absent: never,"
        " until a request says Replace.",
    )
    minimum_delay: Duration = Field(
        "10m", description='The least time between two replacements without request, "10m" when absent.'
    )

    @property
    def replace_seconds(self) -> float | None:
        """How long a node may be lost, in seconds; None: for ever."""
        return None if self.replace_after is None else parse_duration(self.replace_after)

    @property
    def delay_seconds(self) -> float:
        """The least time between two replacements, in seconds."""
        return parse_duration(self.minimum_delay)


class StatefulSpec(Model):
    """Pods with names, volumes and reserved places of their own, rolled out by plans."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "self.pods.all(p, !oldSelf.pods.exists(o, o.name == p.name) || oldSelf.pods.exists(o, o.name == p.name"
                " && has(o.volumeClaimTemplates) == has(p.volumeClaimTemplates) && (!has(p.volumeClaimTemplates) ||"
                " o.volumeClaimTemplates == p.volumeClaimTemplates)))",
                "volumeClaimTemplates cannot be changed: volumes that exist would not follow",
                ".pods",
            ),
        )
    )

    pods: Annotated[tuple[PodSet, ...], Field(min_length=1, max_length=16, json_schema_extra=list_map("name"))] = Field(
        description="The sets of pods."
    )
    plans: Annotated[tuple[PlanSpec, ...], Field(max_length=32, json_schema_extra=list_map("name"))] = Field(
        (),
        description="deploy is followed at first and for changes, unless there is update for these; absent: one pod"
        " after the other, one set after the other. Others run when a request starts them.",
    )
    recovery: RecoverySpec = Field(
        RecoverySpec(), description="When pods are moved to another node without being asked for."
    )
    plan_requests: Annotated[tuple[PlanRequest, ...], Field(max_length=64, json_schema_extra=list_map("id"))] = Field(
        (), description="What is asked of plans; each is done once, in the order given."
    )
    pod_requests: Annotated[tuple[PodRequest, ...], Field(max_length=64, json_schema_extra=list_map("id"))] = Field(
        (), description="What is asked of single pods; each is done once, in the order given."
    )


class StepStatus(Model):
    """Where a step stands."""

    name: str = Field(description="The step: set and number of its pod.", max_length=128)
    status: StepState = Field(description="Where it stands.")
    message: str = Field("", description="What it waits for, as a sentence for people.", max_length=512)


class PhaseStatus(Model):
    """Where a phase stands."""

    name: str = Field(description="The phase.", max_length=63)
    status: PlanState = Field(description="Where it stands.")
    complete: int = Field(0, description="How many of its steps are complete.", ge=0)
    total: int = Field(0, description="How many steps it has.", ge=0)
    steps: Annotated[tuple[StepStatus, ...], Field(max_length=32)] = Field(
        (), description="Its steps; of more than 32 those that are not complete come first."
    )


class PlanStatus(Model):
    """Where a plan stands."""

    name: str = Field(description="The plan.", max_length=63)
    status: PlanState = Field(description="Where it stands.")
    run: str | None = Field(None, description="The id of the request that started it.", max_length=63)
    started_at: Moment | None = Field(None, description="When it was started.")
    parameters: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=64)] = Field(
        {}, description="The parameters of its run."
    )
    phases: Annotated[tuple[PhaseStatus, ...], Field(max_length=32)] = Field((), description="Its phases.")
    message: str = Field("", description="Why it is not complete, as a sentence for people.", max_length=1024)


class RequestResult(Model):
    """What became of a request."""

    id: DnsLabel = Field(description="The request.")
    result: Literal["Done", "Refused"] = Field(description="Whether it was carried out.")
    message: str = Field("", description="Why it was refused, as a sentence for people.", max_length=512)


class InstanceStatus(Model):
    """Where one pod stands."""

    name: str = Field(description="Set and number.", max_length=63)
    node: DnsSubdomain | None = Field(None, description="The node that its place is reserved on.")
    revision: LabelValue | None = Field(None, description="The configuration that it runs.")
    status: str = Field(description="Where it stands, as one word.", max_length=63)
    message: str = Field("", description="What it waits for, as a sentence for people.", max_length=512)


class StatefulStatus(Model):
    """What has become of a stateful service. What people asked for and must outlast a restart is here too."""

    revision: LabelValue | None = Field(None, description="The configuration that plans bring the pods to.")
    plans: Annotated[tuple[PlanStatus, ...], Field(max_length=40)] = Field((), description="The plans.")
    pods: Annotated[tuple[InstanceStatus, ...], Field(max_length=512)] = Field(
        (), description="The pods that are not as they should be first; at most 512."
    )
    plan_requests: Annotated[tuple[RequestResult, ...], Field(max_length=64)] = Field(
        (), description="What became of the plan requests that are in the spec."
    )
    pod_requests: Annotated[tuple[RequestResult, ...], Field(max_length=64)] = Field(
        (), description="What became of the pod requests that are in the spec."
    )
    paused: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=128)] = Field(
        (), description='What is held back: "PLAN" or "PLAN/PHASE", and pods as "pod/NAME".'
    )
    resumed: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=128)] = Field(
        (), description='How many steps of canaries may be done, as "PLAN/PHASE@REVISION=STEPS", or all: "=all".'
    )
    forced: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=256)] = Field(
        (), description='Steps that are taken for complete, as "PLAN/PHASE/STEP@REVISION".'
    )
    replaced_at: Moment | None = Field(None, description="When a pod was last replaced without being asked for.")
    reserving_since: Moment | None = Field(
        None, description="Since when places for pods are lacking; absent while each pod has one."
    )

"""Kubernetes' own nodes and pods, cut down to the fields that Tender reads.

The cluster cache decodes tens of thousands of these, so they are msgspec structs and not pydantic models: one
decode of a pod costs a few microseconds, fields that are not named here are skipped, and nothing in a struct
can form a cycle, which lets the garbage collector leave them alone (`gc=False`). They are read, never
written.

Amounts stay what the API server sent, quantities as text; `tender.api.requests` turns them into integers.
"""

from __future__ import annotations

from typing import Any

import msgspec

Quantities = dict[str, str | int | float]
"""Resource name to Kubernetes quantity, such as `{"cpu": "500m"}`; people also write bare numbers."""


class OwnerReference(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object that owns this one; `controller` marks the one that manages it."""

    kind: str
    name: str
    uid: str
    api_version: str = ""
    controller: bool | None = None


class ObjectMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The metadata that Tender reads; times are RFC 3339 text."""

    name: str
    uid: str = ""
    resource_version: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class PodMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Metadata of a pod: as of any object, without the annotations, which for pods are large and not read."""

    name: str
    uid: str = ""
    resource_version: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One condition of a node or pod; `status` is "True", "False" or "Unknown"."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Taint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A node's taint; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    effect: str
    value: str = ""


class NodeSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a node's spec that Tender reads."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a node's status that Tender reads."""

    allocatable: dict[str, str] = {}
    conditions: tuple[Condition, ...] = ()


class Node(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A node of the cluster."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> bool:
        """Whether the kubelet said lately that the node can run pods."""
        return _holds(self.status.conditions, "Ready")

    @property
    def silent_since(self) -> str | None:
        """When it stopped being ready, as RFC 3339 text; None while it is ready, or where it was never said."""
        return next(
            (
                one.last_transition_time
                for one in self.status.conditions
                if one.type == "Ready" and one.status != "True"
            ),
            None,
        )

    @property
    def leaving(self) -> bool:
        """Whether the node is being deleted."""
        return self.metadata.deletion_timestamp is not None


class ResourceRequirements(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a container, or a pod as a whole, requests and is limited to."""

    requests: Quantities | None = None
    limits: Quantities | None = None


NO_RESOURCES = ResourceRequirements()


class ContainerPort(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A port of a container, as far as it takes one of its node (`host_port`)."""

    host_port: int | None = None
    protocol: str | None = None
    host_ip: str | None = msgspec.field(name="hostIP", default=None)


class Container(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A container or init container; an init container that restarts `Always` is a sidecar."""

    name: str
    resources: ResourceRequirements = NO_RESOURCES
    restart_policy: str | None = None
    ports: tuple[ContainerPort, ...] | None = None

    @property
    def sidecar(self) -> bool:
        """Whether this init container keeps running beside the pod's containers."""
        return self.restart_policy == "Always"


class PodSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a pod's spec that Tender reads."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    overhead: Quantities | None = None
    resources: ResourceRequirements | None = None


class Waiting(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Why a container does not run yet, or not again."""

    reason: str = ""
    message: str = ""


class Terminated(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a container does now: neither field is set while it runs."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


RUNNING = ContainerState()


class ContainerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The kubelet's report of one container."""

    name: str
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = RUNNING
    last_state: ContainerState = RUNNING


class PodStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a pod's status that Tender reads."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A pod, whoever made it."""

    metadata: PodMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Whether all its containers run and pass their readiness probes."""
        return _holds(self.status.conditions, "Ready")

    @property
    def terminated(self) -> bool:
        """Whether it has ended for good and holds no resources any more."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def leaving(self) -> bool:
        """Whether it was deleted and is still within its grace period."""
        return self.metadata.deletion_timestamp is not None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages this pod, or None for a pod on its own."""
        for owner in self.metadata.owner_references:
            if owner.controller:
                return owner
        return None


class Child(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object of which only the metadata matters, such as a Service."""

    metadata: ObjectMeta


class ConfigMap(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A ConfigMap that belongs to a framework."""

    metadata: ObjectMeta
    data: dict[str, str] = {}


class ControllerRevision(msgspec.Struct, frozen=True, rename="camel"):
    """A version of a framework's spec; `data` is what was recorded."""

    metadata: ObjectMeta
    revision: int = 0
    data: Any = None


class VolumeClaimStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Where a PersistentVolumeClaim stands."""

    phase: str = ""


class VolumeClaimSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a PersistentVolumeClaim's spec that Tender reads."""

    volume_name: str = ""


class VolumeClaim(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A PersistentVolumeClaim that belongs to a framework."""

    metadata: ObjectMeta
    spec: VolumeClaimSpec = VolumeClaimSpec()
    status: VolumeClaimStatus = VolumeClaimStatus()

    @property
    def bound(self) -> bool:
        """Whether it has its volume."""
        return self.status.phase == "Bound"


def _holds(conditions: tuple[Condition, ...], kind: str) -> bool:
    return any(condition.type == kind and condition.status == "True" for condition in conditions)


decode_node = msgspec.json.Decoder(Node).decode
"""JSON of one node to `Node`; raises msgspec.ValidationError naming the field that is wrong."""

decode_pod = msgspec.json.Decoder(Pod).decode
"""JSON of one pod to `Pod`; raises msgspec.ValidationError naming the field that is wrong."""

decode_child = msgspec.json.Decoder(Child).decode
decode_config_map = msgspec.json.Decoder(ConfigMap).decode
decode_controller_revision = msgspec.json.Decoder(ControllerRevision).decode
decode_volume_claim = msgspec.json.Decoder(VolumeClaim).decode

"""The pods as they are created: with their name and host name, their volumes and files, in their place.

A pod of a set and one of a side task are made alike. They are launched into the Reservation of the instance, so no
offer is needed, and no master; the offer that the place was claimed from is named as long as its claim stands, so that
the master counts the pod and not the claim.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_IDLE, LABEL_OFFER, LABEL_PART, LABEL_PLAN, LABEL_REVISION, LABEL_ROLE, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.reservation import Reservation
from tender.api.stateful import PodSet, SideTask
from tender.frameworks.sdk.model import Launch
from tender.frameworks.sdk.ownership import owned_metadata
from tender.frameworks.sdk.placing import place
from tender.frameworks.stateful.instances import Instance, instance_labels
from tender.frameworks.stateful.validation import CONFIG_VOLUME
from tender.frameworks.stateful.volumes import claim_name

_IDLE = ["sh", "-c", "trap 'exit 0' TERM INT; while true; do sleep 3600 & wait $!; done"]
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "args")


def launch_pod(
    framework: Framework, offers: Iterable[ResourceOffer], instance: Instance, pod_set: PodSet, *, idle: bool
) -> Launch:
    """The pod of an instance that has its place, as its record says; `idle`: with containers that do nothing."""
    assert instance.record is not None  # noqa: S101 - what is launched is what is recorded
    labels = {LABEL_PART: "pod", LABEL_TASK: instance.name, LABEL_REVISION: instance.record.revision}
    if idle:
        labels[LABEL_IDLE] = "true"
    spec = dict(pod_set.template["spec"])
    if idle:
        spec["containers"] = [_idling(container) for container in spec["containers"]]
    spec.update(hostname=instance.pod_name, subdomain=framework.metadata.name)
    return _launch(framework, offers, instance, pod_set, pod_set.template, instance.pod_name, labels, spec)


def launch_task(
    framework: Framework,
    offers: Iterable[ResourceOffer],
    instance: Instance,
    pod_set: PodSet,
    task: SideTask,
    *,
    token: str,
    plan: str,
    parameters: Mapping[str, str],
) -> Launch:
    """The pod that does a side task beside an instance that has its place. `plan` is empty for a rollout."""
    labels = {LABEL_PART: "task", LABEL_TASK: f"{instance.name}-{task.name}", LABEL_REVISION: token}
    if plan:
        labels[LABEL_PLAN] = plan
    spec = {**task.template["spec"], "restartPolicy": "Never"}
    spec["containers"] = [_with_environment(container, parameters) for container in spec["containers"]]
    name = f"{instance.pod_name}-{task.name}"
    return _launch(framework, offers, instance, pod_set, task.template, name, labels, spec)


def is_idle(pod: Pod) -> bool:
    """Whether the pod was made to idle."""
    return LABEL_IDLE in pod.metadata.labels


def standing_offer(place: Reservation, offers: Iterable[ResourceOffer]) -> str:
    """The offer that the place was claimed from, as long as the claim stands; empty otherwise."""
    name = place.metadata.labels.get(LABEL_OFFER, "")
    return name if any(one.metadata.name == name and one.status.phase == "Claimed" for one in offers) else ""


def _launch(
    framework: Framework,
    offers: Iterable[ResourceOffer],
    instance: Instance,
    pod_set: PodSet,
    template: Mapping[str, Any],
    name: str,
    labels: Mapping[str, str],
    spec: Mapping[str, Any],
) -> Launch:
    assert instance.place is not None  # noqa: S101 - only what has a place is launched
    own = template.get("metadata") or {}
    offer = standing_offer(instance.place, offers)
    marks = {
        **(own.get("labels") or {}),
        **instance_labels(instance.set_name, instance.index),
        LABEL_ROLE: instance.place.spec.role,
        **labels,
    }
    if offer:
        marks[LABEL_OFFER] = offer
    made = owned_metadata(framework, name, marks)
    if own.get("annotations"):
        made["annotations"] = own["annotations"]
    tolerations = [one.manifest() for one in framework.spec.tolerations]
    spec = {
        **spec,
        "volumes": [*(spec.get("volumes") or ()), *_volumes(instance, pod_set)],
        "tolerations": [*(spec.get("tolerations") or ()), *tolerations],
    }
    placed = place(spec, instance.place.spec.node, bound=instance.bound_volumes)
    return Launch(offer, {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": placed})


def _volumes(instance: Instance, pod_set: PodSet) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": one.name, "persistentVolumeClaim": {"claimName": claim_name(one.name, instance.pod_name)}}
        for one in pod_set.volume_claim_templates
    ]
    if pod_set.config:
        volumes.append({"name": CONFIG_VOLUME, "configMap": {"name": instance.pod_name, "defaultMode": 0o755}})
    return volumes


def _idling(container: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in container.items() if name not in _PROBES}, "command": _IDLE}


def _with_environment(container: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    if not parameters:
        return dict(container)
    own = [one for one in container.get("env") or () if one.get("name") not in parameters]
    return {**container, "env": [*own, *({"name": name, "value": parameters[name]} for name in sorted(parameters))]}

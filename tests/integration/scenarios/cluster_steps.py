"""The steps of the cluster's side: what kubelets, operators and Kubernetes' controllers write."""

from collections.abc import Mapping
from typing import Any

from tests.integration.running.waiting import until
from tests.integration.running.world import MARK
from tests.integration.scenarios.stage import Manifest, Stage, texts

from tender.cluster.errors import NotFound
from tender.cluster.resources import FRAMEWORK_ROLES, NODES, RESERVATIONS

MOST_PODS = "110"
"""How many pods a node takes, as kubelets have it; scenarios leave it out."""
READY = {"type": "Ready", "status": "True", "reason": "Made", "message": "made by a test"}


async def node(stage: Stage, value: Manifest) -> None:
    """A node registers, or changes."""
    name = value["name"]
    amounts = {"pods": MOST_PODS, **texts(value.get("allocatable", {}))}
    labels = {MARK: stage.world.namespace, **texts(value.get("labels", {}))}
    spec = {"taints": value.get("taints", []), "unschedulable": value.get("unschedulable", False)}
    try:
        before = await stage.client.get(NODES, name)
    except NotFound:
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [READY]}
        metadata = {"name": name, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status}
        before = await stage.client.create(NODES, body)
    status = {field: _in_place_of(before["status"][field], amounts) for field in ("capacity", "allocatable")}
    await stage.client.patch_status(NODES, name, status)
    labels = _in_place_of(before["metadata"]["labels"], labels)
    # The API server adds not-ready:NoSchedule to every new node; a node controller would take it off.
    written = await stage.client.patch(NODES, name, {"metadata": {"labels": labels}, "spec": spec})
    await stage.master.hears_of(NODES, written)


async def remove_node(stage: Stage, name: str) -> None:
    """A node goes, and the pod garbage collector removes its pods."""
    await stage.delete(NODES, name)
    await stage.end(await stage.pods_on(name))


async def use(stage: Stage, value: Manifest) -> None:
    """Pods outside every framework come to use so much of a node, in place of what they used before."""
    before = [pod for pod in await stage.pods_on(value["node"]) if pod.controller is None]
    if value["resources"]:
        await stage.start(value["node"], texts(value["resources"]))
    await stage.end(before)


async def role(stage: Stage, value: Manifest) -> None:
    """Apply a role."""
    spec = {**value}
    if "quota" in spec:
        spec["quota"] = {name: texts(amounts) for name, amounts in spec["quota"].items()}
    await stage.apply(FRAMEWORK_ROLES, spec.pop("name"), spec)


async def remove_role(stage: Stage, name: str) -> None:
    """Delete a role."""
    await stage.delete(FRAMEWORK_ROLES, name)


async def reserve(stage: Stage, value: Manifest) -> None:
    """Apply a reservation."""
    spec = {**value, "resources": texts(value["resources"])}
    await stage.apply(RESERVATIONS, spec.pop("name"), spec)


async def unreserve(stage: Stage, name: str) -> None:
    """Delete a reservation."""
    await stage.delete(RESERVATIONS, name)


WRITTEN_BY = {"role": FRAMEWORK_ROLES, "reserve": RESERVATIONS}
"""What the steps write that the API server may take and the master object to."""


async def objection(stage: Stage, action: str, value: Manifest) -> str:
    """What the master says is wrong with the object that such a step wrote: its condition Stalled."""
    resource, name = WRITTEN_BY[action], value["name"]

    async def stalled() -> list[str]:
        found = await stage.client.get(resource, name, namespace=stage.namespace_of(resource))
        conditions = found.get("status", {}).get("conditions", ())
        return [one["message"] for one in conditions if (one["type"], one["status"]) == ("Stalled", "True")]

    messages = await until(stalled, f"an objection to {resource.plural} {name}")
    return str(messages[0])


def _in_place_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that puts one map in the place of another."""
    return {**dict.fromkeys(before), **after}

"""One test's part of the shared API server: nodes and a namespace of its own, and what people and frameworks do there.

Nothing in here is a fixture of YAML: a test makes the nodes, frameworks and answers that it is about.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.builders import demand, owner_of, template
from tests.integration.running.waiting import Clock, until

from tender.api.core import Pod, decode_pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION, LABEL_FRAMEWORK, LABEL_OFFER, LABEL_TASK
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.quantities import format_resources
from tender.api.role import FrameworkRole
from tender.cluster.client import Client
from tender.cluster.errors import Conflict, NotFound
from tender.cluster.resources import (
    EVENTS,
    FRAMEWORK_ROLES,
    FRAMEWORKS,
    NODES,
    PODS,
    RESERVATIONS,
    RESOURCE_OFFERS,
    Resource,
)

__all__ = ["World", "demand", "tasks_in", "template"]

MARK = "tender.test/of"
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")

Manifest = dict[str, Any]


@dataclass
class World:
    """Nodes that carry the test's mark, and one namespace."""

    client: Client
    namespace: str
    clock: Clock

    @property
    def node_selector(self) -> str:
        """Selects the nodes of this test."""
        return f"{MARK}={self.namespace}"

    def named(self, name: str) -> str:
        """A name for something cluster-scoped that no other test uses."""
        return f"{name}-{self.namespace.removeprefix('test-')}"

    # Nodes

    async def add_nodes(
        self, count: int, *, cpu: str = "4", memory: str = "8Gi", labels: Mapping[str, str] | None = None
    ) -> list[str]:
        """Ready nodes of this size, open to pods; their names."""
        names = [self.named(f"node{number:03d}") for number in range(1, count + 1)]
        await asyncio.gather(*(self.add_node(name, cpu, memory, labels or {}) for name in names))
        return names

    async def add_node(self, name: str, cpu: str, memory: str, labels: Mapping[str, str]) -> None:
        size = {"cpu": cpu, "memory": memory, "pods": "110"}
        ready = {"type": "Ready", "status": "True", "reason": "Made", "message": "made by a test"}
        await self.client.create(
            NODES,
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {MARK: self.namespace, **labels}},
                "status": {"capacity": size, "allocatable": size, "conditions": [ready]},
            },
        )
        # The API server adds not-ready:NoSchedule to every new node; a node controller would take it off.
        await self.client.patch(NODES, name, {"spec": {"taints": None}})

    async def cordon(self, node: str) -> None:
        await self.client.patch(NODES, node, {"spec": {"unschedulable": True}})

    # Frameworks and roles

    async def add_framework(self, name: str, **spec: Any) -> Framework:
        """A framework whose offers the test answers, unless the spec says `service` or `stateful`."""
        if not spec.keys() & {"service", "stateful"}:
            spec["external"] = {}
        body = {
            "apiVersion": API_VERSION,
            "kind": "Framework",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        return Framework.read(await self.client.create(FRAMEWORKS, body))

    async def add_service(self, name: str, replicas: int, *, image: str = "app:1", cpu: str = "500m") -> Framework:
        """A service of small pods."""
        return await self.add_framework(name, service={"replicas": replicas, "template": template(cpu, image=image)})

    async def add_role(self, name: str, **spec: Any) -> FrameworkRole:
        body = {"apiVersion": API_VERSION, "kind": "FrameworkRole", "metadata": {"name": name}, "spec": spec}
        return FrameworkRole.read(await self.client.create(FRAMEWORK_ROLES, body))

    async def declare(self, name: str, *entries: Manifest) -> Manifest:
        """What a framework's controller declares as its demand."""
        return await self.client.patch_status(FRAMEWORKS, name, {"demand": list(entries)}, namespace=self.namespace)

    async def framework(self, name: str) -> Framework:
        return Framework.read(await self.client.get(FRAMEWORKS, name, namespace=self.namespace))

    async def frameworks(self) -> list[Framework]:
        """The frameworks of the namespace."""
        return [Framework.read(one) for one in await self.client.list_all(FRAMEWORKS, namespace=self.namespace)]

    async def role(self, name: str) -> FrameworkRole:
        return FrameworkRole.read(await self.client.get(FRAMEWORK_ROLES, name))

    async def change(self, name: str, spec: Manifest) -> None:
        """Change a part of a framework's spec."""
        await self.client.patch(FRAMEWORKS, name, {"spec": spec}, namespace=self.namespace)

    async def remove_framework(self, name: str) -> None:
        await self.client.delete(FRAMEWORKS, name, namespace=self.namespace)

    async def told(self, reason: str, about: str) -> list[str]:
        """What events of this reason say about an object."""
        events = await self.client.list_all(EVENTS, namespace=self.namespace)
        return [one["note"] for one in events if one["reason"] == reason and one["regarding"]["name"] == about]

    # Offers

    async def offers(self, *phases: OfferPhase, of: str | None = None) -> list[ResourceOffer]:
        """The offers in the namespace in one of these phases, or in any."""
        found = await self.client.list_all(RESOURCE_OFFERS, namespace=self.namespace)
        offers = [ResourceOffer.read(one) for one in found]
        return [
            offer
            for offer in offers
            if (not phases or offer.status.phase in phases) and (of is None or offer.spec.framework == of)
        ]

    async def open_offers(self, of: str | None = None) -> list[ResourceOffer]:
        return await self.offers(OfferPhase.OFFERED, of=of)

    async def an_offer(self, of: str | None = None) -> ResourceOffer:
        """The next open offer."""
        found: list[ResourceOffer] = await until(lambda: self.open_offers(of), f"an offer to {of or 'anybody'}")
        return found[0]

    async def claim(
        self, offer: ResourceOffer, counts: Mapping[int, int] | None = None, *, refuse: int = 0
    ) -> ResourceOffer:
        """Claim so many tasks of each slice (by index), or everything; a slice is for tasks of one name.

        The rest is refused for so many seconds.
        """
        claims = []
        for index, one in enumerate(offer.spec.slices):
            if counts is not None and index not in counts:
                continue
            tasks = dict(one.tasks)
            resources = dict(one.amounts)
            if counts is not None:
                [(task, made_for)] = tasks.items()
                tasks = {task: counts[index]}
                resources = {name: amount * counts[index] // made_for for name, amount in resources.items()}
            claims.append({"slice": index, "resources": format_resources(resources), "tasks": tasks})
        return await self.answer(offer, {"phase": "Claimed", "claims": claims, "refuseSeconds": refuse})

    async def decline(self, offer: ResourceOffer, seconds: int) -> ResourceOffer:
        return await self.answer(offer, {"phase": "Declined", "refuseSeconds": seconds})

    async def answer(self, offer: ResourceOffer, status: Manifest) -> ResourceOffer:
        """Write an answer as it is, with the time of day."""
        answered_at = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        written = await self.client.patch_status(
            RESOURCE_OFFERS,
            offer.metadata.name,
            {**status, "answeredAt": answered_at.replace("+00:00", "Z")},
            namespace=self.namespace,
            resource_version=offer.metadata.resource_version,
        )
        return ResourceOffer.read(written)

    async def launch(self, offer: ResourceOffer, owner: Framework) -> list[str]:
        """Create the pods of a claimed offer, as the framework's controller does; their names."""
        names = []
        for claim in offer.status.claims:
            node = offer.spec.slices[claim.slice].node
            for task, count in claim.tasks.items():
                share = {name: amount // count for name, amount in claim.amounts.items() if name != "pods"}
                for number in range(count):
                    name = f"{offer.metadata.name}-{claim.slice}-{task}-{number}"
                    labels = {LABEL_OFFER: offer.metadata.name, LABEL_TASK: task}
                    await self.add_pod(name, node, format_resources(share), owner=owner, labels=labels)
                    names.append(name)
        return names

    # Pods

    async def add_pod(
        self,
        name: str,
        node: str,
        requests: Mapping[str, str],
        *,
        owner: Framework | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Manifest:
        """A pod on a node; without an owner it is nobody's."""
        metadata: Manifest = {"name": name, "namespace": self.namespace, "labels": dict(labels or {})}
        if owner is not None:
            metadata["labels"][LABEL_FRAMEWORK] = owner.metadata.name
            metadata["ownerReferences"] = [owner_of(owner.metadata.name, owner.metadata.uid)]
        # Kubernetes wants limits of the resources that it does not know.
        extended = {resource: amount for resource, amount in requests.items() if "/" in resource}
        container = {"name": "app", "image": "app:1", "resources": {"requests": dict(requests), "limits": extended}}
        spec = {"nodeName": node, "containers": [container]}
        return await self.client.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    async def pods(self, of: str | None = None) -> list[Pod]:
        """The pods of a framework, or all of the namespace, that are not going."""
        selector = f"{LABEL_FRAMEWORK}={of}" if of else ""
        page = await self.client.list_page(PODS, namespace=self.namespace, label_selector=selector, limit=2000)
        pods = [decode_pod(bytes(item)) for item in page.items]
        return [pod for pod in pods if not pod.leaving]

    async def remove_pod(self, name: str) -> None:
        await self.client.delete(PODS, name, namespace=self.namespace, grace_seconds=0)

    # Before and after

    async def enter(self) -> None:
        """Take away what other tests left for every master to see; make the namespace fit for pods."""
        await self._remove_everywhere()
        await self.admit_pods()

    async def admit_pods(self) -> None:
        """Make the namespace fit for pods."""
        account = {"metadata": {"name": "default", "namespace": self.namespace}}
        await self.client.apply(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **account})

    async def leave(self) -> None:
        await asyncio.gather(
            self._remove_everywhere(),
            self.client.delete_collection(PODS, namespace=self.namespace, grace_seconds=0),
            self.client.delete_collection(NODES, label_selector=self.node_selector),
        )

    async def _remove_everywhere(self) -> None:
        kinds = (FRAMEWORKS, FRAMEWORK_ROLES, RESERVATIONS, RESOURCE_OFFERS)
        await asyncio.gather(*(self._remove_all(resource) for resource in kinds))

    async def _remove_all(self, resource: Resource) -> None:
        found = await self.client.list_all(resource)
        await asyncio.gather(*(self._remove(resource, one["metadata"]) for one in found))

    async def _remove(self, resource: Resource, metadata: Manifest) -> None:
        with contextlib.suppress(NotFound, Conflict):
            await self.client.delete(resource, metadata["name"], namespace=metadata.get("namespace"))


def tasks_in(offers: Iterable[ResourceOffer]) -> int:
    """For how many tasks these offers were made."""
    return sum(count for offer in offers for one in offer.spec.slices for count in one.tasks.values())

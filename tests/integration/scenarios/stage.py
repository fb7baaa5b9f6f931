"""The cluster that a scenario is replayed on: objects are written as their writers would, one after the other.

Whatever is written here is waited for until the master has heard of it, so that the next step builds on it.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from tests.builders import given
from tests.integration.running.world import World
from tests.integration.scenarios.conductor import Conductor

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION
from tender.api.offer import ResourceOffer
from tender.cluster.resources import PODS, RESOURCE_OFFERS, Resource

Manifest = dict[str, Any]


class Refused(Exception):  # noqa: N818  # what a step may expect, not a failure
    """What a step wanted was refused; the message is what the API server, or the master, said."""


class Untold(Exception):  # noqa: N818  # says something of the scenario, not a failure
    """A step wants something that the API has no words for: its scenario cannot be replayed."""


class Stage:
    """A namespace and its nodes, and the master that follows them.

    Attributes: `demands` is what each framework wants while it is not suppressed, None for everything.
    """

    def __init__(self, world: World, master: Conductor) -> None:
        self.world = world
        self.client = world.client
        self.master = master
        self.demands: dict[str, list[Manifest] | None] = {}
        self._numbers = itertools.count(1)

    def namespace_of(self, resource: Resource) -> str | None:
        return self.world.namespace if resource.namespaced else None

    async def apply(self, resource: Resource, name: str, spec: Mapping[str, Any]) -> None:
        """Create a custom resource, or give it another spec."""
        metadata = given(name=name, namespace=self.namespace_of(resource))
        body = {"apiVersion": API_VERSION, "kind": resource.kind, "metadata": metadata, "spec": spec}
        await self.master.hears_of(resource, await self.client.apply(resource, body))

    async def delete(self, resource: Resource, name: str) -> None:
        namespace = self.namespace_of(resource)
        await self.client.delete(resource, name, namespace=namespace)
        await self.master.hears_of_the_end(resource, {"metadata": given(name=name, namespace=namespace)})

    async def answer(self, offer: ResourceOffer, **status: Any) -> None:
        """Answer an offer."""
        answered = await self.world.answer(offer, status)
        await self.master.hears_of(RESOURCE_OFFERS, answered.manifest())

    async def start(
        self,
        node: str,
        requests: Mapping[str, str],
        owner: Framework | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Start a pod on a node; without an owner it is outside every framework."""
        name = f"{owner.metadata.name if owner else 'outside'}-{next(self._numbers)}"
        pod = await self.world.add_pod(name, node, requests, owner=owner, labels=labels)
        await self.master.hears_of(PODS, pod)

    async def end(self, pods: Iterable[Pod]) -> None:
        """End pods."""
        for pod in pods:
            await self.world.remove_pod(pod.metadata.name)
            metadata = {"name": pod.metadata.name, "namespace": pod.metadata.namespace}
            await self.master.hears_of_the_end(PODS, {"metadata": metadata})

    async def pods_on(self, node: str, of: str | None = None) -> list[Pod]:
        """The pods on a node, of one framework or of all."""
        return [pod for pod in await self.world.pods(of) if pod.spec.node_name == node]


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Quantities or labels as the API server takes them."""
    return {str(name): str(value) for name, value in values.items()}

"""The kinds of workload that are put through crashes: what is deployed, and when it is as it should be."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.integration.running.world import World, template

from tender.api.conditions import READY, find_condition
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import LABEL_REVISION
from tender.cluster.resources import CONFIG_MAPS, RESERVATIONS, VOLUME_CLAIMS, Resource
from tender.frameworks.sdk.templates import template_revision

CPU = "100m"


class Workload(ABC):
    """A framework of so many pods that run an image."""

    name: str

    @abstractmethod
    def spec(self, count: int, image: str) -> dict[str, Any]:
        """The part of the Framework's spec that says so."""

    @abstractmethod
    async def differs(self, world: World, pods: list[Pod], count: int, image: str) -> str:
        """What is not as it should be, empty if all is."""

    @abstractmethod
    def born_too_often(self, born: Iterable[str], *, rolled: bool) -> list[str]:
        """Of the names of all pods that ever were, those that came more often than they had to."""

    async def is_as_wanted(self, world: World, count: int, image: str) -> bool:
        """Whether these and only these pods run, and the framework says so of its newest spec."""
        framework = await world.framework(self.name)
        return _is_ready(framework) and not await self.differs(world, await world.pods(self.name), count, image)


class Service(Workload):
    """Equal pods. Each comes once."""

    name = "web"

    def spec(self, count: int, image: str) -> dict[str, Any]:
        return {"service": {"replicas": count, "template": template(CPU, image=image)}}

    async def differs(self, world: World, pods: list[Pod], count: int, image: str) -> str:
        revision = template_revision(template(CPU, image=image))
        found = [pod for pod in pods if pod.ready and pod.metadata.labels[LABEL_REVISION] == revision]
        return "" if len(pods) == len(found) == count else f"{len(found)} of {len(pods)} pods are of {image} and ready"

    def born_too_often(self, born: Iterable[str], *, rolled: bool) -> list[str]:
        return [name for name, count in Counter(born).items() if count > 1]


class Stateful(Workload):
    """Pods with names, places, files and volumes of their own. Each comes once, and once more when it is exchanged."""

    name = "db"

    def spec(self, count: int, image: str) -> dict[str, Any]:
        pod_set = {
            "name": "node",
            "count": count,
            "template": template(CPU, image=image),
            "allowDecommission": True,
            "config": {"db.conf": "name=${pod.name}\n"},
            "volumeClaimTemplates": [
                {
                    "name": "data",
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        }
        return {"stateful": {"pods": [pod_set]}}

    async def differs(self, world: World, pods: list[Pod], count: int, image: str) -> str:
        names = [f"db-node-{number}" for number in range(count)]
        if sorted(pod.metadata.name for pod in pods if pod.ready) != names or len(pods) != count:
            return f"pods {[pod.metadata.name for pod in pods]}"
        places = sorted(one["spec"]["node"] for one in await _own(world, RESERVATIONS))
        if places != sorted(pod.spec.node_name for pod in pods):
            return f"places {places}"
        volumes = sorted(one["metadata"]["name"] for one in await _own(world, VOLUME_CLAIMS))
        if volumes != [f"data-{name}" for name in names]:
            return f"volumes {volumes}"
        files = sorted(one["metadata"]["name"] for one in await _own(world, CONFIG_MAPS))
        return "" if files == names else f"files {files}"

    def born_too_often(self, born: Iterable[str], *, rolled: bool) -> list[str]:
        return [name for name, count in Counter(born).items() if count > 1 + rolled]


def _is_ready(framework: Framework) -> bool:
    condition = find_condition(framework.status.conditions, READY)
    return (
        condition is not None
        and condition.status == "True"
        and condition.observed_generation == framework.metadata.generation
    )


async def _own(world: World, resource: Resource) -> list[dict[str, Any]]:
    """The objects of a kind that belong to a framework and are not going."""
    found = await world.client.list_all(resource, namespace=world.namespace)
    return [
        one for one in found if one["metadata"].get("ownerReferences") and "deletionTimestamp" not in one["metadata"]
    ]

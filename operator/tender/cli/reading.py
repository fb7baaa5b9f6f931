"""Reads what a command shows, as far as its user may: what is forbidden is left out and named, not fatal.

A command that shows several things reads each through one `Reader` and prints its `notes` in the end.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import pydantic

from tender.api import core
from tender.api.framework import Framework
from tender.api.meta import CustomResource
from tender.api.role import FrameworkRole
from tender.cli.views.cluster import Known
from tender.cli.views.nodes import Nodes
from tender.cluster.client import Client
from tender.cluster.errors import Forbidden
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES, PODS, Resource
from tender.master.reading import read_node

T = TypeVar("T", bound=CustomResource)
Object = dict[str, Any]


@dataclass(slots=True)
class Reader:
    """Reads objects; `notes` are sentences on what could not be read."""

    client: Client
    notes: list[str] = field(default_factory=list)

    async def objects(self, resource: Resource, namespace: str | None = None, **selectors: str) -> list[Object] | None:
        """All objects of a kind, of a namespace or of all, by name; None if the user may not list them."""
        try:
            return await self.required(resource, namespace, **selectors)
        except Forbidden:
            self.notes.append(f"not shown: {resource.plural}, as {lacking_right('list', resource, namespace)}")
            return None

    async def required(self, resource: Resource, namespace: str | None = None, **selectors: str) -> list[Object]:
        """The same of what the command is about: raises Forbidden if the user may not list it."""
        found = await self.client.list_all(resource, namespace=namespace, **selectors)
        return [
            {"apiVersion": resource.api_version, "kind": resource.kind} | one
            for one in sorted(found, key=lambda one: _key(one["metadata"]))
        ]

    async def nodes(self) -> Nodes | None:
        """The nodes of the cluster as the allocator sees them; None if the user may not list them."""
        objects = await self.objects(NODES)
        return None if objects is None else Nodes([read_node(msgspec.convert(one, core.Node)) for one in objects])

    async def pods(self, namespace: str | None = None, *, label_selector: str = "") -> list[core.Pod] | None:
        """Pods that have not ended; None if the user may not list them."""
        not_ended = "status.phase!=Succeeded,status.phase!=Failed"
        found: list[core.Pod] = []
        token = ""
        try:
            while True:
                page = await self.client.list_page(
                    PODS,
                    namespace=namespace,
                    label_selector=label_selector,
                    field_selector=not_ended,
                    continue_token=token,
                )
                found += [core.decode_pod(bytes(item)) for item in page.items]
                token = page.metadata.continue_
                if not token:
                    return found
        except Forbidden:
            self.notes.append(f"not shown: pods, as {lacking_right('list', PODS, namespace)}")
            return None

    async def known(self) -> Known:
        """Roles, frameworks and nodes of the whole cluster, as far as the user may read them."""
        roles = self.read(FrameworkRole, await self.objects(FRAMEWORK_ROLES))
        frameworks = await self.objects(FRAMEWORKS)
        nodes = await self.nodes()
        return Known(roles, None if frameworks is None else self.read(Framework, frameworks), nodes)

    def read(self, model: type[T], objects: list[Object] | None) -> tuple[T, ...]:
        """The objects as values; those that cannot be read are left out and named."""
        values = []
        for one in objects or ():
            try:
                values.append(model.read(one))
            except pydantic.ValidationError as error:
                name = "/".join(part for part in _key(one["metadata"]) if part)
                self.notes.append(f"not shown: {model.KIND} {name}, which cannot be read: {error.errors()[0]['msg']}")
        return tuple(values)


def lacking_right(verb: str, resource: Resource, namespace: str | None) -> str:
    """The right that the user lacks, in words."""
    kind = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    place = f"in namespace {namespace}" if namespace and resource.namespaced else "in the whole cluster"
    return f"you have no right to {verb} {kind} {place}"


def _key(metadata: Object) -> tuple[str, str]:
    return metadata.get("namespace") or "", metadata["name"]

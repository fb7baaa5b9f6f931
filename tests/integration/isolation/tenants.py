"""Accounts of tenants: service accounts with tokens of their own, and what they hold by RoleBindings."""

import itertools
import json
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.waiting import until
from tests.integration.running.world import World

from tender.api.names import LABEL_FRAMEWORK
from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.errors import Forbidden
from tender.cluster.resources import PODS

EDITS = ("system:aggregate-to-edit", "system:aggregate-to-view", "tender-edit", "tender-view")
"""What the cluster's role `edit` is made of: nothing gathers it where there is no controller manager."""
AUTHOR = ("tender-framework",)
GUARDED = "tender-guarded"
"""Label of the namespaces that the policies of the tests are for."""


class Tenants:
    """Tenants of one test, and their namespaces."""

    def __init__(self, world: World, api_server: ApiServer) -> None:
        self._world = world
        self._api_server = api_server
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def neighbour(self) -> World:
        """Another namespace, on the nodes of the same test."""
        name = f"{self._world.namespace}-too"
        self._api_server.kubectl("create", "namespace", name)
        other = replace(self._world, namespace=name)
        await other.admit_pods()
        return other

    async def account(self, name: str, roles: tuple[str, ...]) -> World:
        """The world as an account sees it that holds these ClusterRoles in its namespace, and nothing else."""
        world = self._world
        self._api_server.kubectl("create", "serviceaccount", name, f"--namespace={world.namespace}")
        for role in roles:
            self.bind(name, "--clusterrole", role)
        token = self.token(name)
        access = Access(
            self._api_server.server,
            ca_file=str(self._api_server.certificate_authority),
            authorization=lambda: f"Bearer {token}",
        )
        client = await self._stack.enter_async_context(Client(access, field_manager=name))
        return replace(world, client=client)

    def bind(self, account: str, option: str, role: str) -> None:
        """Give an account a role in its namespace; `option` is --clusterrole or --role."""
        binding = f"{account}-{role.replace(':', '-')}"
        subject = f"--serviceaccount={self._world.namespace}:{account}"
        where = f"--namespace={self._world.namespace}"
        self._api_server.kubectl("create", "rolebinding", binding, f"{option}={role}", subject, where)

    def allow(self, account: str, verb: str, resource: str, *names: str) -> None:
        """Let an account do one thing in its namespace, to objects of these names or to all."""
        role = f"{verb}-{resource.replace('/', '-')}"
        where = f"--namespace={self._world.namespace}"
        rule = {"apiGroups": ["" if resource.startswith("pods") else "tender.dev"], "resources": [resource]}
        rule |= {"verbs": [verb], **({"resourceNames": list(names)} if names else {})}
        manifest = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": role},
            "rules": [rule],
        }
        self._api_server.kubectl("apply", where, "--filename=-", input=json.dumps(manifest))
        self.bind(account, "--role", role)

    def token(self, account: str) -> str:
        """A token of an account."""
        where = f"--namespace={self._world.namespace}"
        return self._api_server.kubectl("create", "token", account, where).stdout.strip()


async def until_enforced(probe: World) -> None:
    """Wait until an editor is refused what all policies together forbid."""
    attempts = itertools.count()

    async def is_refused() -> bool:
        number = next(attempts)
        labels = {LABEL_FRAMEWORK: f"probe-{number}"}
        placed = probe.add_pod(f"probe-{number}", "node-1", {"cpu": "1"})
        labelled = probe.client.create(PODS, waiting_pod(f"labelled-{number}", probe.namespace, labels))
        taking_part = probe.add_framework(f"probe-{number}", role="probes")
        return all([await is_forbidden(one) for one in (placed, labelled, taking_part)])

    await until(is_refused, "all policies are in force", pause=0.2)


async def is_forbidden(request: Awaitable[Any]) -> bool:
    """Whether the API server refuses the request."""
    try:
        await request
    except Forbidden:
        return True
    return False


def waiting_pod(name: str, namespace: str, labels: Mapping[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """A pod that waits for a scheduler."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {}), **metadata},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    }


async def refused(request: Awaitable[Any]) -> str:
    """What the API server says to a request that it must not grant."""
    with pytest.raises(Forbidden) as found:
        await request
    return found.value.message

"""Accounts of tenants: service accounts with tokens of their own, and what they hold by RoleBindings."""

import contextlib
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self

import pytest
from tests.integration.conftest import ApiServer
from tests.integration.running.world import World

from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Forbidden

EDITS = ("system:aggregate-to-edit", "system:aggregate-to-view", "tender-edit", "tender-view")
"""What the cluster's role `edit` is made of: nothing gathers it where there is no controller manager."""
AUTHOR = ("tender-framework",)


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

    async def account(self, name: str, roles: tuple[str, ...], *, of: World | None = None) -> World:
        """The world as an account sees it that holds these ClusterRoles in its namespace, and nothing else."""
        world = of or self._world
        where = f"--namespace={world.namespace}"
        self._api_server.kubectl("create", "serviceaccount", name, where)
        for role in roles:
            binding = f"{name}-{role.replace(':', '-')}"
            account = f"--serviceaccount={world.namespace}:{name}"
            self._api_server.kubectl("create", "rolebinding", binding, f"--clusterrole={role}", account, where)
        token = self._api_server.kubectl("create", "token", name, where).stdout.strip()
        access = Access(
            self._api_server.server,
            ca_file=str(self._api_server.certificate_authority),
            authorization=lambda: f"Bearer {token}",
        )
        client = await self._stack.enter_async_context(Client(access, field_manager=name))
        return replace(world, client=client)


async def refused(request: Awaitable[Any]) -> str:
    """What the API server says to a request that it must not grant."""
    with pytest.raises(Forbidden) as found:
        await request
    return found.value.message


async def attempt(request: Awaitable[Any]) -> None:
    """Do something that the API server may grant or refuse: what counts is what comes of it."""
    with contextlib.suppress(ApiError):
        await request

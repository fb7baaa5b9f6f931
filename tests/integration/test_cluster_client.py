"""The client, the list-watch cache and the event recorder against a real API server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from tests.integration.conftest import ApiServer

from tender.api.core import Pod, decode_node, decode_pod
from tender.cluster.access import load
from tender.cluster.client import Client
from tender.cluster.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.listwatch import ListWatch, WatchSettings
from tender.cluster.resources import CONFIG_MAPS, EVENTS, FRAMEWORKS, NODES, PODS, Resource

SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


@pytest_asyncio.fixture
async def client(api_server: ApiServer) -> AsyncIterator[Client]:
    async with Client(load(str(api_server.kubeconfig)), field_manager="tender-test") as client:
        yield client


@pytest_asyncio.fixture
async def shop(client: Client, namespace: str) -> str:
    """A namespace in which pods can be created: no controller makes its service account here."""
    account = {"metadata": {"name": "default", "namespace": namespace}}
    await client.apply(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **account})
    return namespace


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "shop"}},
        "data": data,
    }


def pod(namespace: str, name: str, node: str = "no-such-node") -> dict[str, Any]:
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "100m"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": node, "containers": [container]},
    }


def framework(namespace: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": FRAMEWORKS.api_version,
        "kind": FRAMEWORKS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"external": {}},
    }


@asynccontextmanager
async def following(cache: ListWatch[Any]) -> AsyncIterator[None]:
    task = asyncio.create_task(cache.run())
    try:
        async with asyncio.timeout(30):
            await cache.synced.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # conditions are about what the cache holds
            await asyncio.sleep(0.005)


class TestObjects:
    async def test_are_created_read_and_deleted(self, client: Client, namespace: str):
        created = await client.create(CONFIG_MAPS, config_map(namespace, "a", colour="red"))
        assert (await client.get(CONFIG_MAPS, "a", namespace=namespace))["data"] == {"colour": "red"}
        assert created["metadata"]["managedFields"][0]["manager"] == "tender-test"
        await client.delete(CONFIG_MAPS, "a", namespace=namespace, uid=created["metadata"]["uid"])
        with pytest.raises(NotFound, match=f"get configmaps {namespace}/a: 404 NotFound"):
            await client.get(CONFIG_MAPS, "a", namespace=namespace)

    async def test_cannot_be_created_twice(self, client: Client, namespace: str):
        await client.create(CONFIG_MAPS, config_map(namespace, "a"))
        with pytest.raises(AlreadyExists):
            await client.create(CONFIG_MAPS, config_map(namespace, "a"))

    async def test_are_not_deleted_in_place_of_another_of_the_name(self, client: Client, namespace: str):
        await client.create(CONFIG_MAPS, config_map(namespace, "a"))
        with pytest.raises(Conflict):
            await client.delete(CONFIG_MAPS, "a", namespace=namespace, uid="another")

    async def test_are_not_replaced_over_somebody_elses_change(self, client: Client, namespace: str):
        read = await client.create(CONFIG_MAPS, config_map(namespace, "a"))
        await client.patch(CONFIG_MAPS, "a", {"data": {"colour": "red"}}, namespace=namespace)
        with pytest.raises(Conflict):
            stale = {"metadata": {"resourceVersion": read["metadata"]["resourceVersion"]}, "data": {"colour": "blue"}}
            await client.patch(CONFIG_MAPS, "a", stale, namespace=namespace)

    async def test_that_break_their_schema_are_invalid(self, client: Client, namespace: str):
        wrong = framework(namespace, "f") | {"spec": {"role": "Not A Role"}}
        with pytest.raises(Invalid, match=f"create frameworks {namespace}/f: 422"):
            await client.create(FRAMEWORKS, wrong)

    async def test_in_a_namespace_that_is_not_there_cannot_be_created(self, client: Client):
        with pytest.raises((NotFound, Forbidden)):
            await client.create(CONFIG_MAPS, config_map("nowhere", "a"))

    async def test_are_deleted_by_selection(self, client: Client, namespace: str):
        for name in ("a", "b"):
            await client.create(CONFIG_MAPS, config_map(namespace, name))
        await client.delete_collection(CONFIG_MAPS, namespace=namespace, label_selector="app=shop")
        assert await client.list_all(CONFIG_MAPS, namespace=namespace, label_selector="app=shop") == []


class TestStatus:
    async def test_two_managers_own_their_parts(self, client: Client, namespace: str):
        await client.create(FRAMEWORKS, framework(namespace, "f"))
        place: dict[str, Any] = {"namespace": namespace}
        own = {"observedGeneration": 1, "selector": "app=f"}
        await client.apply_status(FRAMEWORKS, "f", own, **place, field_manager="tender-service")
        shares = {"allocation": {"dominantShare": "0.125"}}
        await client.apply_status(FRAMEWORKS, "f", shares, **place, field_manager="tender-master")
        assert (await client.get(FRAMEWORKS, "f", **place))["status"] == own | shares
        less = {"observedGeneration": 1}
        await client.apply_status(FRAMEWORKS, "f", less, **place, field_manager="tender-service")
        assert (await client.get(FRAMEWORKS, "f", **place))["status"] == less | shares

    async def test_a_write_against_an_old_version_is_a_conflict(self, client: Client, namespace: str):
        created = await client.create(FRAMEWORKS, framework(namespace, "f"))
        version = created["metadata"]["resourceVersion"]
        write = {"namespace": namespace, "resource_version": version}
        await client.patch_status(FRAMEWORKS, "f", {"observedGeneration": 1}, **write)
        with pytest.raises(Conflict, match="patch frameworks/status"):
            await client.patch_status(FRAMEWORKS, "f", {"observedGeneration": 1, "demand": []}, **write)


class TestListWatch:
    async def test_holds_what_the_server_holds_while_it_changes(self, client: Client, shop: str):
        rng = Random(1)
        for number in range(7):
            await client.create(PODS, pod(shop, f"old-{number}"))
        changes: list[tuple[Pod | None, Pod | None]] = []
        cache = ListWatch(
            client,
            PODS,
            decode_pod,
            namespace=shop,
            on_change=lambda old, new: changes.append((old, new)),
            settings=WatchSettings(page_size=3),
        )
        async with following(cache):
            assert len(cache.objects) == 7
            names = [f"new-{number}" for number in range(40)]
            await asyncio.gather(*(client.create(PODS, pod(shop, name)) for name in names))
            for name in rng.sample(names, 20):
                await client.delete(PODS, name, namespace=shop, grace_seconds=0)
            await client.patch(PODS, "old-0", {"metadata": {"labels": {"a": "b"}}}, namespace=shop)
            expected = {
                f"{shop}/{found['metadata']['name']}": found["metadata"]["resourceVersion"]
                for found in await client.list_all(PODS, namespace=shop)
            }
            await until(lambda: {k: p.metadata.resource_version for k, p in cache.objects.items()} == expected)
        assert len(expected) == 27
        assert cache.objects[f"{shop}/old-0"].spec.containers[0].resources.requests == {"cpu": "100m"}
        assert sum(new is None for _, new in changes) == 20

    async def test_goes_on_when_the_server_ends_the_watch(self, client: Client, namespace: str):
        ended: list[str] = []
        cache = ListWatch(
            client,
            CONFIG_MAPS,
            bytes,
            namespace=namespace,
            on_change=lambda _old, _new: None,
            settings=WatchSettings(watch_seconds=1),
            observe=lambda _, what, detail: ended.append(detail) if what == "reconnect" else None,
        )
        async with following(cache):
            await until(lambda: ended)
            await client.create(CONFIG_MAPS, config_map(namespace, "late"))
            await until(lambda: f"{namespace}/late" in cache.objects)
        assert set(ended) == {"ended"}

    async def test_objects_that_leave_the_selection_are_gone(self, client: Client, shop: str):
        await client.create(PODS, pod(shop, "a"))
        cache = ListWatch(
            client,
            PODS,
            decode_pod,
            namespace=shop,
            on_change=lambda _old, _new: None,
            field_selector="status.phase!=Succeeded,status.phase!=Failed",
        )
        async with following(cache):
            assert list(cache.objects) == [f"{shop}/a"]
            await client.patch_status(PODS, "a", {"phase": "Failed"}, namespace=shop)
            await until(lambda: not cache.objects)

    async def test_nodes_are_followed_too(self, client: Client, namespace: str):
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{namespace}"}}
        await client.create(NODES, body)
        status = {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        await client.patch_status(NODES, f"node-{namespace}", status)
        cache = ListWatch(client, NODES, decode_node, on_change=lambda _old, _new: None)
        async with following(cache):
            node = cache.objects[f"node-{namespace}"]
            assert node.ready
            assert node.status.allocatable["cpu"] == "4"


class TestEvents:
    async def test_are_found_with_their_object(self, client: Client, namespace: str):
        created = await client.create(FRAMEWORKS, framework(namespace, "f"))
        recorder = EventRecorder(client, controller="master", instance="test")
        task = asyncio.create_task(recorder.run())
        about = Regarding(FRAMEWORKS, "f", namespace, created["metadata"]["uid"])
        recorder.record(about, "NotOffered", "No node has a free GPU.", warning=True)
        await recorder.drain()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        found = await client.list_all(EVENTS, namespace=namespace)
        assert [(e["reason"], e["note"], e["type"], e["regarding"]["name"]) for e in found] == [
            ("NotOffered", "No node has a free GPU.", "Warning", "f")
        ]
        assert recorder.dropped == 0

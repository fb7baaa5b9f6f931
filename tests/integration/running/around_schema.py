"""Writes objects around the API server's schema: into etcd, as an older version of a schema may have left them."""

import base64
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
from tests.integration.conftest import ApiServer

from cluster.address_plan import AddressPlan
from tender.cluster.resources import Resource


async def rewrite(
    api_server: ApiServer, resource: Resource, namespace: str, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    """Change a stored custom resource in place; the API server serves what it finds."""
    record = api_server.cluster.state
    plan = AddressPlan(record.index, record.port)
    key = _text(f"/registry/{resource.group}/{resource.plural}/{namespace}/{name}")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{plan.etcd_port}") as etcd:
        async with etcd.post("/v3/kv/range", json={"key": key}) as answer:
            [found] = (await answer.json())["kvs"]
        stored = msgspec.json.decode(base64.b64decode(found["value"]))
        change(stored)
        value = base64.b64encode(msgspec.json.encode(stored)).decode()
        async with etcd.post("/v3/kv/put", json={"key": key, "value": value}) as answer:
            answer.raise_for_status()


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()

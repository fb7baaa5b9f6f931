"""Events for people: told once, bounded, and never in the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
from tests.cluster.scripted import ScriptedServer, failure, reply

from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.events import EventRecorder, Regarding
from tender.cluster.resources import FRAMEWORKS, NODES
from tender.cluster.retry import ONCE

FRAMEWORK = Regarding(FRAMEWORKS, "web", "shop", "uid-1")


@asynccontextmanager
async def recording(access: Access, **options: Any) -> AsyncIterator[EventRecorder]:
    async with Client(access, retry=ONCE) as client:
        recorder = EventRecorder(
            client,
            controller="master",
            instance="tender-0",
            now=lambda: datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
            rng=Random(1),
            **options,
        )
        task = asyncio.create_task(recorder.run())
        try:
            yield recorder
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_an_event_tells_what_happened_to_which_object(server: ScriptedServer):
    server.others.append(reply({}))
    async with recording(server.access) as recorder:
        recorder.record(FRAMEWORK, "NotOffered", "No node has a free GPU.", warning=True, action="Offer")
        await recorder.drain()
    asked = server.asked[0]
    assert asked.path == "/apis/events.k8s.io/v1/namespaces/shop/events"
    assert asked.body["metadata"]["name"].startswith("web.")
    del asked.body["metadata"]
    assert asked.body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "eventTime": "2026-01-02T03:04:05.000678Z",
        "reportingController": "tender.dev/master",
        "reportingInstance": "tender-0",
        "action": "Offer",
        "reason": "NotOffered",
        "regarding": {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "Framework",
            "name": "web",
            "namespace": "shop",
            "uid": "uid-1",
        },
        "note": "No node has a free GPU.",
        "type": "Warning",
    }


async def test_events_about_the_cluster_go_to_the_default_namespace(server: ScriptedServer):
    server.others.append(reply({}))
    async with recording(server.access) as recorder:
        recorder.record(Regarding(NODES, "a"), "Ignored", "The node is not ready.")
        await recorder.drain()
    assert server.asked[0].path == "/apis/events.k8s.io/v1/namespaces/default/events"


async def test_the_same_is_told_once_within_the_window(server: ScriptedServer):
    server.others += [reply({})] * 10
    now = 0.0
    async with recording(server.access, window=300.0, clock=lambda: now) as recorder:
        recorder.record(FRAMEWORK, "Ready", "All tasks run.")
        recorder.record(FRAMEWORK, "Ready", "All tasks run.")
        recorder.record(FRAMEWORK, "Waiting", "One task waits.")
        recorder.record(Regarding(FRAMEWORKS, "db", "shop"), "Ready", "All tasks run.")
        now = 299.0
        recorder.record(FRAMEWORK, "Ready", "All tasks run.")
        now = 300.0
        recorder.record(FRAMEWORK, "Ready", "All tasks run.")
        await recorder.drain()
    told = [(asked.body["regarding"]["name"], asked.body["reason"]) for asked in server.asked]
    assert told == [("web", "Ready"), ("web", "Waiting"), ("db", "Ready"), ("web", "Ready")]


async def test_a_refused_event_is_dropped_and_the_next_one_posted(server: ScriptedServer):
    server.others += [failure(403, "not allowed"), reply({})]
    async with recording(server.access) as recorder:
        recorder.record(FRAMEWORK, "First", "1")
        recorder.record(FRAMEWORK, "Second", "2")
        await recorder.drain()
    assert recorder.dropped == 1
    assert len(server.asked) == 2


async def test_more_than_can_wait_are_dropped(server: ScriptedServer):
    async with Client(server.access) as client:
        recorder = EventRecorder(client, controller="master", instance="tender-0", capacity=2)
        for number in range(5):
            recorder.record(FRAMEWORK, "Changed", str(number))
    assert recorder.dropped == 3


async def test_long_names_and_notes_are_cut_to_what_the_api_server_takes(server: ScriptedServer):
    server.others.append(reply({}))
    async with recording(server.access) as recorder:
        recorder.record(Regarding(FRAMEWORKS, "x" * 253, "n"), "Changed", "ü" * 2000)
        await recorder.drain()
    body = server.asked[0].body
    assert len(body["metadata"]["name"]) == 253
    assert body["note"] == "ü" * 512
    assert len(msgspec.json.encode(body["note"])) == 1024 + 2

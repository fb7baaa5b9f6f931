"""The list-watch cache against an API server that misbehaves in every way known from real ones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel
from tests.cluster.scripted import (
    ScriptedServer,
    TopOfRange,
    bookmark,
    event,
    failure,
    page,
    pod,
    silence,
    status,
    stream,
)

from tender.api.core import Pod, decode_pod
from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.listwatch import ListWatch, WatchSettings
from tender.cluster.resources import PODS
from tender.cluster.retry import Backoff

MIB = 2**20


@dataclass
class Follower:
    """A running cache and all that it told."""

    cache: ListWatch[Pod]
    changes: list[tuple[str | None, str | None]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    refuses: str = ""

    def change(self, old: Pod | None, new: Pod | None) -> None:
        if new is not None and new.metadata.name == self.refuses:
            raise RuntimeError("this one is too much")
        self.changes.append((_version(old), _version(new)))

    def noted(self, what: str) -> list[str]:
        return [detail for kind, detail in self.notes if kind == what]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # conditions are about what the cache holds
                await asyncio.sleep(0.001)

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)


def _version(pod: Pod | None) -> str | None:
    return f"{pod.metadata.name}@{pod.metadata.resource_version}" if pod else None


@asynccontextmanager
async def following(
    access: Access,
    *,
    settings: WatchSettings | None = None,
    refuses: str = "",
    rng: Random | None = None,
    **options: Any,
) -> AsyncIterator[Follower]:
    async with Client(access) as client:
        follower = Follower(cache=None, refuses=refuses)  # type: ignore[arg-type]
        follower.cache = ListWatch(
            client,
            PODS,
            decode_pod,
            on_change=follower.change,
            on_invalid=lambda key, _: follower.invalid.append(key),
            settings=settings or WatchSettings(),
            rng=rng or TopOfRange(),
            sleep=follower.sleep,
            observe=lambda _, what, detail: follower.notes.append((what, detail)),
            **options,
        )
        task = asyncio.create_task(follower.cache.run())
        try:
            yield follower
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def names(follower: Follower) -> list[str]:
    return sorted(follower.cache.objects)


class TestListing:
    async def test_follows_the_pages(self, server: ScriptedServer):
        server.lists += [page(pod("a", 1), version=9, token="next"), page(pod("b", 2), version=9)]
        async with following(server.access, settings=WatchSettings(page_size=1)) as follower:
            await follower.cache.synced.wait()
            assert names(follower) == ["n/a", "n/b"]
            assert [asked.query.get("continue") for asked in server.asked_to("list")] == [None, "next"]
            assert {asked.query["limit"] for asked in server.asked_to("list")} == {"1"}

    async def test_is_synced_once_all_pages_are_delivered(self, server: ScriptedServer):
        server.lists += [page(pod("a", 1), version=9, token="next"), failure(500)]
        async with following(server.access) as follower:
            await follower.until(lambda: "initial" in follower.noted("relist"))
            await follower.until(lambda: follower.delays)
            assert follower.changes == [(None, "a@1")]
            assert not follower.cache.synced.is_set()

    async def test_starts_over_when_the_token_has_expired(self, server: ScriptedServer):
        server.lists += [
            page(pod("a", 1), pod("b", 2), version=9, token="next"),
            failure(410, "the provided continue parameter is too old", "Expired"),
            page(pod("a", 1), pod("c", 12), version=15),
        ]
        async with following(server.access) as follower:
            await follower.cache.synced.wait()
            assert names(follower) == ["n/a", "n/c"]
            assert follower.changes == [(None, "a@1"), (None, "b@2"), (None, "c@12"), ("b@2", None)]
            assert follower.noted("relist") == ["initial", "continue-expired"]
            assert "continue" not in server.asked_to("list")[-1].query

    async def test_asks_for_what_was_selected_only(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        selected: dict[str, Any] = {
            "namespace": "n",
            "label_selector": "a=b,c",
            "field_selector": "status.phase!=Failed",
        }
        async with following(server.access, **selected) as follower:
            await follower.until(lambda: server.asked_to("watch"))
        assert {asked.path for asked in server.asked} == {"/api/v1/namespaces/n/pods"}
        assert {asked.query["labelSelector"] for asked in server.asked} == {"a=b,c"}
        assert {asked.query["fieldSelector"] for asked in server.asked} == {"status.phase!=Failed"}


class TestWatching:
    async def test_applies_events_in_order(self, server: ScriptedServer):
        server.lists.append(page(pod("a", 1), version=9))
        events = [
            event("ADDED", pod("b", 10)),
            event("MODIFIED", pod("a", 11)),
            event("DELETED", pod("b", 12)),
        ]
        server.watches.append(silence(server, b"".join(events)))
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 4)
            assert follower.changes == [(None, "a@1"), (None, "b@10"), ("a@1", "a@11"), ("b@10", None)]
            assert names(follower) == ["n/a"]
            assert follower.noted("event") == ["ADDED", "MODIFIED", "DELETED"]

    async def test_starts_at_the_version_of_the_list_with_bookmarks_and_an_end(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        async with following(server.access, settings=WatchSettings(watch_seconds=240)) as follower:
            await follower.until(lambda: server.asked_to("watch"))
        query = server.asked_to("watch")[0].query
        assert query["resourceVersion"] == "9"
        assert query["allowWatchBookmarks"] == "true"
        assert query["timeoutSeconds"] == "240"

    async def test_goes_on_from_the_last_event_when_the_watch_ends(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        server.watches.append(stream(event("ADDED", pod("a", 10))))
        async with following(server.access) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert server.asked_to("watch")[1].query["resourceVersion"] == "10"
            assert len(server.asked_to("list")) == 1

    async def test_goes_on_from_the_last_bookmark(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        server.watches.append(stream(event("ADDED", pod("a", 10)), bookmark(77)))
        async with following(server.access) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert server.asked_to("watch")[1].query["resourceVersion"] == "77"
            assert follower.changes == [(None, "a@10")]

    async def test_an_event_seen_twice_changes_nothing(self, server: ScriptedServer):
        server.lists.append(page(pod("a", 1), version=9))
        server.watches.append(silence(server, event("MODIFIED", pod("a", 1)), bookmark(10)))
        async with following(server.access) as follower:
            await follower.until(lambda: "BOOKMARK" in follower.noted("event"))
            assert follower.changes == [(None, "a@1")]

    async def test_every_byte_is_a_sign_of_life(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        go = asyncio.Event()
        server.watches.append(silence(server, bookmark(10), after=go))
        now = 5.0
        async with following(server.access, clock=lambda: now) as follower:
            await follower.cache.synced.wait()
            assert follower.cache.last_contact == 5.0
            now = 65.0
            go.set()
            await follower.until(lambda: follower.cache.last_contact == 65.0)

    async def test_a_watch_that_is_taken_up_is_a_sign_of_life_though_nothing_happens(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        now = 5.0
        settings = WatchSettings(inactivity=0.05)
        async with following(server.access, clock=lambda: now, settings=settings) as follower:
            await follower.cache.synced.wait()
            now = 95.0
            await follower.until(lambda: follower.cache.last_contact == 95.0)
            assert follower.noted("event") == []

    async def test_objects_larger_than_a_mebibyte_pass(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        large = pod("large", 10, nodeName="x" * (2 * MIB))
        server.watches.append(silence(server, event("ADDED", large), event("ADDED", pod("small", 11))))
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 2)
            assert len(follower.cache.objects["n/large"].spec.node_name) == 2 * MIB

    async def test_lines_may_be_split_anywhere(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        whole = event("ADDED", pod("a", 10)) + event("ADDED", pod("b", 11))
        pieces = [whole[start : start + 7] for start in range(0, len(whole), 7)]
        server.watches.append(silence(server, *pieces))
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 2)
            assert names(follower) == ["n/a", "n/b"]

    async def test_pydantic_models_are_decoded_as_well(self, server: ScriptedServer):
        class Thing(BaseModel):
            kind: str

        server.lists.append(page(pod("a", 1), version=9))
        async with Client(server.access) as client:
            cache = ListWatch(client, PODS, Thing.model_validate_json, on_change=lambda _old, _new: None)
            task = asyncio.create_task(cache.run())
            await cache.synced.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert cache.objects == {"n/a": Thing(kind="Pod")}


class TestTooOldAVersion:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(failure(410, "too old resource version", "Expired"), id="as an HTTP code"),
            pytest.param(stream(event("ERROR", status(410, reason="Expired"))), id="as an event"),
        ],
    )
    async def test_lists_again_and_tells_what_was_deleted_meanwhile(self, server: ScriptedServer, answer):
        server.lists += [
            page(pod("gone", 1), pod("kept", 2), pod("changed", 3), version=9),
            page(pod("kept", 2), pod("changed", 20), pod("new", 21), version=30),
        ]
        server.watches.append(answer)
        async with following(server.access) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert follower.changes[3:] == [("changed@3", "changed@20"), (None, "new@21"), ("gone@1", None)]
            assert names(follower) == ["n/changed", "n/kept", "n/new"]
            assert follower.noted("relist") == ["initial", "expired"]
            assert server.asked_to("watch")[1].query["resourceVersion"] == "30"

    async def test_another_error_event_lists_again_too(self, server: ScriptedServer):
        server.lists += [page(version=9), page(version=12)]
        server.watches.append(stream(event("ERROR", status(500, "unable to decode an object"))))
        async with following(server.access) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert follower.noted("relist") == ["initial", "error-event"]

    async def test_a_line_that_is_no_event_lists_again(self, server: ScriptedServer):
        server.lists += [page(version=9), page(version=12)]
        server.watches.append(stream(b"<html>proxy error</html>\n"))
        async with following(server.access) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert follower.noted("relist") == ["initial", "broken-stream"]


class TestBrokenConnections:
    async def test_a_cut_within_an_object_loses_nothing(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        half = event("ADDED", pod("b", 11))[:40]
        server.watches += [
            stream(event("ADDED", pod("a", 10)) + half, then="cut"),
            silence(server, event("ADDED", pod("b", 11))),
        ]
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 2)
            assert server.asked_to("watch")[1].query["resourceVersion"] == "10"
            assert follower.changes == [(None, "a@10"), (None, "b@11")]
            assert follower.noted("relist") == ["initial"]

    async def test_silence_ends_the_watch(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        server.watches += [silence(server, bookmark(10)), silence(server, event("ADDED", pod("a", 11)))]
        async with following(server.access, settings=WatchSettings(inactivity=0.05)) as follower:
            await follower.until(lambda: follower.changes)
            assert server.asked_to("watch")[1].query["resourceVersion"] == "10"
            assert "Unreachable" in follower.noted("reconnect")

    async def test_a_server_that_never_answers_is_left(self, server: ScriptedServer):
        async def no_answer(_: Any) -> Any:
            await server.closing.wait()

        server.lists.append(page(version=9))
        server.watches += [no_answer, silence(server, event("ADDED", pod("a", 11)))]
        async with following(server.access, settings=WatchSettings(inactivity=0.05)) as follower:
            await follower.until(lambda: follower.changes)

    async def test_delays_grow_to_a_cap_while_the_server_fails(self, server: ScriptedServer):
        server.lists += [failure(500)] * 5 + [page(version=9)]
        settings = WatchSettings(backoff=Backoff(base=1.0, cap=10.0))
        async with following(server.access, settings=settings) as follower:
            await follower.cache.synced.wait()
            assert follower.delays == [1.0, 2.0, 4.0, 8.0, 10.0]

    async def test_delays_grow_while_the_connection_is_refused(self):
        settings = WatchSettings(backoff=Backoff(base=1.0, cap=10.0))
        async with following(Access(server="http://127.0.0.1:1"), settings=settings) as follower:
            await follower.until(lambda: len(follower.delays) >= 3)
            assert follower.delays[:3] == [1.0, 2.0, 4.0]

    async def test_delays_are_spread_over_their_range(self):
        settings = WatchSettings(backoff=Backoff(base=1.0, cap=1.0))
        async with following(Access(server="http://127.0.0.1:1"), settings=settings, rng=Random(1)) as follower:
            await follower.until(lambda: len(follower.delays) >= 20)
            assert len(set(follower.delays)) == len(follower.delays)
            assert min(follower.delays) < 0.5 < max(follower.delays) <= 1.0

    async def test_delays_start_over_once_events_come(self, server: ScriptedServer):
        server.lists += [failure(500), failure(500), page(version=9)]
        server.watches.append(stream(event("ADDED", pod("a", 10))))
        settings = WatchSettings(backoff=Backoff(base=1.0, cap=60.0))
        async with following(server.access, settings=settings) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 2)
            assert follower.delays == [1.0, 2.0, 1.0]

    async def test_a_watch_that_ends_at_once_again_and_again_is_slowed_down(self, server: ScriptedServer):
        server.lists.append(page(version=9))
        server.watches += [stream()] * 3
        settings = WatchSettings(backoff=Backoff(base=1.0, cap=60.0))
        async with following(server.access, settings=settings) as follower:
            await follower.until(lambda: len(server.asked_to("watch")) == 4)
            assert follower.delays == [1.0, 2.0, 4.0]

    async def test_waits_as_long_as_the_server_asks(self, server: ScriptedServer):
        server.lists += [failure(429, Retry_After="7"), page(version=9)]
        settings = WatchSettings(backoff=Backoff(base=1.0))
        async with following(server.access, settings=settings) as follower:
            await follower.cache.synced.wait()
            assert follower.delays[0] == 8.0


class TestObjectsThatCannotBeRead:
    async def test_do_not_hold_up_the_others(self, server: ScriptedServer):
        server.lists.append(page(pod("a", 1), pod("bad", 2, nodeName=7), pod("c", 3), version=9))
        async with following(server.access) as follower:
            await follower.cache.synced.wait()
            assert names(follower) == ["n/a", "n/c"]
            assert follower.invalid == ["n/bad"]

    async def test_are_reported_once_per_version(self, server: ScriptedServer):
        bad = pod("bad", 2, nodeName=7)
        server.lists += [page(bad, version=9), page(bad, version=20)]
        server.watches += [
            stream(event("ERROR", status(410))),
            silence(server, event("MODIFIED", pod("bad", 21, nodeName=8))),
        ]
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.invalid) == 2)
            assert follower.noted("invalid") == ["ValidationError", "ValidationError"]

    async def test_count_as_absent_until_they_can_be_read(self, server: ScriptedServer):
        server.lists.append(page(pod("a", 1), version=9))
        events = [event("MODIFIED", pod("a", 10, nodeName=7)), event("MODIFIED", pod("a", 11, nodeName="x"))]
        server.watches.append(silence(server, *events))
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 3)
            assert follower.changes == [(None, "a@1"), ("a@1", None), (None, "a@11")]

    @pytest.mark.parametrize("garbage", [{}, {"metadata": 3}, {"metadata": {}}, [], None, "text"])
    async def test_may_be_garbage_altogether(self, server: ScriptedServer, garbage):
        server.lists.append(page(garbage, pod("a", 1), version=9))
        server.watches.append(silence(server, event("ADDED", garbage), event("ADDED", pod("b", 10))))
        async with following(server.access) as follower:
            await follower.until(lambda: len(follower.changes) == 2)
            assert names(follower) == ["n/a", "n/b"]
            assert follower.invalid == ["", ""]


class TestCallbacks:
    async def test_one_that_raises_does_not_stop_the_stream(self, server: ScriptedServer):
        server.lists.append(page(pod("bad", 1), pod("a", 2), version=9))
        server.watches.append(silence(server, event("MODIFIED", pod("bad", 10)), event("ADDED", pod("b", 11))))
        async with following(server.access, refuses="bad") as follower:
            await follower.until(lambda: len(follower.changes) == 2)
            assert follower.noted("callback-error") == ["RuntimeError", "RuntimeError"]
            assert names(follower) == ["n/a", "n/b", "n/bad"]

    async def test_see_the_cache_as_it_is_after_the_change(self, server: ScriptedServer):
        server.lists.append(page(pod("a", 1), version=9))
        seen: list[list[str]] = []
        async with following(server.access) as follower:
            follower.cache._on_change = lambda _old, _new: seen.append(names(follower))
            await follower.cache.synced.wait()
        assert seen == [["n/a"]]

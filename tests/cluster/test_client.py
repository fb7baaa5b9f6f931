"""The client against an API server that refuses, delays and cuts off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from tests.cluster.scripted import Answer, ScriptedServer, TopOfRange, cut, failure, page, pod, reply

from tender.cluster.access import Access
from tender.cluster.client import Client
from tender.cluster.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unreachable,
)
from tender.cluster.resources import FRAMEWORK_ROLES, FRAMEWORKS, NODES, PODS, RESOURCE_OFFERS
from tender.cluster.retry import Backoff, RetryPolicy


@dataclass
class Watched:
    """A client and the waits and attempts it made."""

    client: Client
    delays: list[float] = field(default_factory=list)
    attempts: list[tuple[str, str, int]] = field(default_factory=list)


@asynccontextmanager
async def client_of(access: Access, **options: Any) -> AsyncIterator[Watched]:
    delays: list[float] = []
    attempts: list[tuple[str, str, int]] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    async with Client(
        access,
        rng=TopOfRange(),
        sleep=sleep,
        retry=RetryPolicy(attempts=4, backoff=Backoff(base=1.0, cap=10.0)),
        observe=lambda verb, resource, code, _: attempts.append((verb, resource, code)),
        **options,
    ) as client:
        yield Watched(client, delays, attempts)


class TestRetries:
    async def test_too_many_requests_wait_as_long_as_the_server_asks(self, server: ScriptedServer):
        server.others += [failure(429, Retry_After="3"), reply(pod("a", 1))]
        async with client_of(server.access) as watched:
            await watched.client.create(PODS, pod("a", 0))
        assert watched.delays == [4.0]
        assert watched.attempts == [("create", "pods", 429), ("create", "pods", 200)]

    async def test_an_unavailable_server_is_asked_again(self, server: ScriptedServer):
        server.others += [failure(503), failure(503), reply(pod("a", 1))]
        async with client_of(server.access) as watched:
            assert (await watched.client.get(PODS, "a", namespace="n"))["metadata"]["name"] == "a"
        assert watched.delays == [1.0, 2.0]

    async def test_end_after_the_last_attempt(self, server: ScriptedServer):
        server.others += [failure(503, "overloaded")] * 5
        async with client_of(server.access) as watched:
            with pytest.raises(ApiError, match="get pods n/a: 503: overloaded"):
                await watched.client.get(PODS, "a", namespace="n")
        assert len(server.asked) == 4

    @pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 410, 413, 422])
    async def test_refusals_are_final(self, server: ScriptedServer, code):
        server.others.append(failure(code))
        async with client_of(server.access) as watched:
            with pytest.raises(ApiError):
                await watched.client.patch(PODS, "a", {}, namespace="n")
        assert len(server.asked) == 1

    async def test_a_refused_connection_is_tried_again_and_then_reported(self):
        async with client_of(Access(server="http://127.0.0.1:1")) as watched:
            with pytest.raises(Unreachable, match="create pods n/a") as caught:
                await watched.client.create(PODS, pod("a", 0))
        assert len(watched.attempts) == 4
        assert not caught.value.sent
        assert not caught.value.ambiguous

    async def test_a_server_that_does_not_answer_in_time_is_asked_again(self, server: ScriptedServer):
        async def never(_: web.Request) -> web.StreamResponse:
            await server.closing.wait()
            return web.Response()

        server.others += [never, reply(pod("a", 1))]
        async with client_of(server.access, request_timeout=0.05) as watched:
            await watched.client.get(PODS, "a", namespace="n")
        assert watched.attempts == [("get", "pods", 0), ("get", "pods", 200)]


class TestCreate:
    async def test_after_a_cut_connection_an_existing_object_may_be_our_own(self, server: ScriptedServer):
        server.others += [cut(), failure(409, 'pods "a" already exists', "AlreadyExists")]
        async with client_of(server.access) as watched:
            with pytest.raises(AlreadyExists, match="an earlier attempt") as caught:
                await watched.client.create(PODS, pod("a", 0))
        assert caught.value.ambiguous
        assert len(server.asked) == 2

    async def test_an_object_that_exists_at_once_is_somebody_elses(self, server: ScriptedServer):
        server.others.append(failure(409, 'pods "a" already exists', "AlreadyExists"))
        async with client_of(server.access) as watched:
            with pytest.raises(AlreadyExists) as caught:
                await watched.client.create(PODS, pod("a", 0))
        assert not caught.value.ambiguous

    async def test_with_a_generated_name_is_not_repeated(self, server: ScriptedServer):
        server.others += [cut(), reply({})]
        async with client_of(server.access) as watched:
            with pytest.raises(Unreachable):
                await watched.client.create(PODS, {"metadata": {"generateName": "a-", "namespace": "n"}})
        assert len(server.asked) == 1

    async def test_with_a_generated_name_is_repeated_when_it_was_not_carried_out(self, server: ScriptedServer):
        server.others += [failure(429), reply({})]
        async with client_of(server.access) as watched:
            await watched.client.create(PODS, {"metadata": {"generateName": "a-", "namespace": "n"}})
        assert len(server.asked) == 2

    async def test_sends_the_body_to_the_collection(self, server: ScriptedServer):
        server.others.append(reply({}))
        async with client_of(server.access, field_manager="tender-test") as watched:
            await watched.client.create(PODS, pod("a", 0))
        asked = server.asked[0]
        assert (asked.method, asked.path) == ("POST", "/api/v1/namespaces/n/pods")
        assert asked.query == {"fieldManager": "tender-test", "fieldValidation": "Ignore"}
        assert asked.body == pod("a", 0)


class TestWrites:
    async def test_a_claim_is_written_against_one_version(self, server: ScriptedServer):
        server.others.append(failure(409, "the object has been modified", "Conflict"))
        async with client_of(server.access) as watched:
            with pytest.raises(Conflict, match="patch resourceoffers/status n/o: 409 Conflict"):
                await watched.client.patch_status(
                    RESOURCE_OFFERS, "o", {"phase": "Claimed"}, namespace="n", resource_version="7"
                )
        asked = server.asked[0]
        assert asked.headers["Content-Type"] == "application/merge-patch+json"
        assert asked.body == {"metadata": {"resourceVersion": "7"}, "status": {"phase": "Claimed"}}
        assert len(server.asked) == 1

    async def test_a_conflict_after_a_cut_connection_may_be_our_own(self, server: ScriptedServer):
        server.others += [cut(), failure(409, reason="Conflict")]
        async with client_of(server.access) as watched:
            with pytest.raises(Conflict) as caught:
                await watched.client.patch_status(RESOURCE_OFFERS, "o", {}, namespace="n", resource_version="7")
        assert caught.value.ambiguous

    async def test_a_status_is_applied_with_its_own_manager(self, server: ScriptedServer):
        server.others.append(reply({}))
        async with client_of(server.access) as watched:
            await watched.client.apply_status(FRAMEWORK_ROLES, "a", {"frameworks": 1}, field_manager="m")
        asked = server.asked[0]
        assert asked.path == "/apis/tender.dev/v1alpha1/frameworkroles/a/status"
        assert asked.query == {"fieldManager": "m", "fieldValidation": "Ignore", "force": "true"}
        assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
        assert asked.body == {
            "apiVersion": "tender.dev/v1alpha1",
            "kind": "FrameworkRole",
            "metadata": {"name": "a"},
            "status": {"frameworks": 1},
        }

    async def test_deletes_only_the_object_that_was_meant(self, server: ScriptedServer):
        server.others.append(reply({}))
        async with client_of(server.access) as watched:
            await watched.client.delete(PODS, "a", namespace="n", uid="u", propagation="Background", grace_seconds=0)
        assert server.asked[0].body == {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": "u"},
            "propagationPolicy": "Background",
            "gracePeriodSeconds": 0,
        }

    async def test_deletes_a_selection_in_one_request(self, server: ScriptedServer):
        server.others.append(reply({}))
        async with client_of(server.access) as watched:
            await watched.client.delete_collection(PODS, namespace="n", label_selector="a=b")
        asked = server.asked[0]
        assert (asked.method, asked.path, asked.query) == (
            "DELETE",
            "/api/v1/namespaces/n/pods",
            {"labelSelector": "a=b"},
        )

    async def test_run_side_by_side_up_to_the_bound(self, server: ScriptedServer):
        running, most = 0, 0

        def slow() -> Answer:
            async def answer(_: web.Request) -> web.StreamResponse:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.002)
                running -= 1
                return web.json_response({})

            return answer

        server.others += [slow() for _ in range(30)]
        async with client_of(server.access, writes_in_flight=3) as watched:
            await asyncio.gather(*(watched.client.create(PODS, pod(f"p{n}", 0)) for n in range(30)))
        assert most == 3

    async def test_do_not_hold_up_reads(self, server: ScriptedServer):
        entered = asyncio.Event()

        async def stuck(_: web.Request) -> web.StreamResponse:
            entered.set()
            await server.closing.wait()
            return web.json_response({})

        server.others += [stuck, reply(pod("a", 1))]
        async with client_of(server.access, writes_in_flight=1) as watched:
            write = asyncio.create_task(watched.client.create(PODS, pod("b", 0)))
            await entered.wait()
            assert await watched.client.get(PODS, "a", namespace="n") == pod("a", 1)
            write.cancel()
            await asyncio.gather(write, return_exceptions=True)


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "reason", "kind"),
        [
            (403, "Forbidden", Forbidden),
            (404, "NotFound", NotFound),
            (409, "Conflict", Conflict),
            (409, "AlreadyExists", AlreadyExists),
            (410, "Expired", Gone),
            (422, "Invalid", Invalid),
        ],
    )
    async def test_are_told_apart(self, server: ScriptedServer, code, reason, kind):
        server.others.append(failure(code, "because", reason))
        async with client_of(server.access) as watched:
            with pytest.raises(kind, match=f"get frameworks n/f: {code} {reason}: because") as caught:
                await watched.client.get(FRAMEWORKS, "f", namespace="n")
        assert (caught.value.status, caught.value.reason, caught.value.message) == (code, reason, "because")
        assert caught.value.object["kind"] == "Status"

    async def test_answers_of_others_than_kubernetes_are_quoted(self, server: ScriptedServer):
        async def proxy(_: web.Request) -> web.StreamResponse:
            return web.Response(status=407, text="Who are you?")

        server.others.append(proxy)
        async with client_of(server.access) as watched:
            with pytest.raises(ApiError, match=r"407: Who are you\?"):
                await watched.client.get(NODES, "a")

    async def test_a_success_that_is_no_json_is_an_error(self, server: ScriptedServer):
        async def portal(_: web.Request) -> web.StreamResponse:
            return web.Response(text="<html>Please log in</html>")

        server.others.append(portal)
        async with client_of(server.access) as watched:
            with pytest.raises(ApiError, match="get nodes a: 200 Unreadable"):
                await watched.client.get(NODES, "a")

    async def test_credentials_that_cannot_be_had_are_an_error_of_the_request(self, server: ScriptedServer):
        def broken() -> str:
            raise RuntimeError("the plugin is not installed")

        access = Access(server=server.address, authorization=broken)
        async with client_of(access) as watched:
            with pytest.raises(Unreachable, match="the plugin is not installed"):
                await watched.client.get(NODES, "a")
        assert server.asked == []


class TestReads:
    async def test_list_all_follows_the_pages(self, server: ScriptedServer):
        server.lists += [page(pod("a", 1), version=9, token="next"), page(pod("b", 2), version=9)]
        async with client_of(server.access) as watched:
            found = await watched.client.list_all(PODS)
        assert [item["metadata"]["name"] for item in found] == ["a", "b"]

    async def test_an_object_of_a_namespaced_kind_needs_a_namespace(self, server: ScriptedServer):
        async with client_of(server.access) as watched:
            with pytest.raises(ValueError, match="pods 'a': an object of this kind needs a namespace"):
                await watched.client.get(PODS, "a")


class TestCredentials:
    async def test_are_sent_with_every_request(self, server: ScriptedServer):
        server.others += [reply({}), reply({})]
        access = Access(server=server.address, authorization=lambda: "Bearer secret")
        async with client_of(access) as watched:
            await watched.client.get(NODES, "a")
            await watched.client.get(NODES, "a")
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer secret"] * 2

    async def test_are_renewed_after_a_while(self, server: ScriptedServer):
        server.others += [reply({})] * 3
        tokens = iter(["Bearer 1", "Bearer 2"])
        now = 0.0
        access = Access(server=server.address, authorization=lambda: next(tokens), clock=lambda: now)
        async with client_of(access) as watched:
            await watched.client.get(NODES, "a")
            now = 29.0
            await watched.client.get(NODES, "a")
            now = 31.0
            await watched.client.get(NODES, "a")
        assert [asked.headers["Authorization"] for asked in server.asked] == [
            "Bearer 1",
            "Bearer 1",
            "Bearer 2",
        ]

    async def test_stay_in_use_when_they_cannot_be_renewed(self, server: ScriptedServer):
        server.others += [reply({})] * 2
        answers: list[Any] = ["Bearer 1", RuntimeError("no network")]
        now = 0.0

        def source() -> str:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return str(answer)

        access = Access(server=server.address, authorization=source, clock=lambda: now)
        async with client_of(access) as watched:
            await watched.client.get(NODES, "a")
            now = 31.0
            await watched.client.get(NODES, "a")
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer 1"] * 2

"""What a running part serves: metrics, health and readiness."""

import gzip
import json
from collections.abc import Mapping

import aiohttp
from prometheus_client import CollectorRegistry, Counter

from tender.cluster.authentication import Refusal
from tender.cluster.serving import Check, Document, NotServed, Serving


async def ask(
    path: str,
    *,
    healthy: dict[str, Check] | None = None,
    ready: dict[str, Check] | None = None,
    documents: dict[str, Document] | None = None,
):
    registry = CollectorRegistry()
    Counter("tender_tests", "Tests.", registry=registry).inc(3)
    serving = Serving(registry, healthy=healthy or {}, ready=ready or {}, documents=documents, host="127.0.0.1", port=0)
    async with serving, aiohttp.ClientSession(f"http://127.0.0.1:{serving.port}") as session:
        response = await session.get(path)
        return response.status, await response.text()


def broken() -> str | None:
    raise RuntimeError("no clock")


async def test_metrics_are_those_of_the_registry():
    code, text = await ask("/metrics")
    assert code == 200
    assert "tender_tests_total 3.0" in text


async def test_metrics_are_compressed_for_those_who_can_read_that():
    registry = CollectorRegistry()
    Counter("tender_tests", "Tests.", registry=registry).inc(3)
    async with (
        Serving(registry, healthy={}, ready={}, host="127.0.0.1", port=0) as serving,
        aiohttp.ClientSession(f"http://127.0.0.1:{serving.port}", auto_decompress=False) as session,
    ):
        plain = await (await session.get("/metrics", headers={"Accept-Encoding": "identity"})).read()
        answer = await session.get("/metrics", headers={"Accept-Encoding": "deflate, gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == plain


async def test_a_guard_stands_before_all_but_the_probes():
    asked = []

    async def guard(authorization: str, path: str) -> Refusal | None:
        asked.append((authorization, path))
        return Refusal(401, "who are you?") if authorization != "Bearer known" else None

    serving = Serving(
        CollectorRegistry(),
        healthy={},
        ready={},
        documents={"/greetings/{name}": greeting},
        guard=guard,
        host="127.0.0.1",
        port=0,
    )
    async with serving, aiohttp.ClientSession(f"http://127.0.0.1:{serving.port}") as session:
        for path in ("/metrics", "/greetings/you"):
            refused = await session.get(path)
            assert (refused.status, await refused.text()) == (401, "who are you?\n")
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            assert (await session.get(path, headers={"Authorization": "Bearer known"})).status == 200
        for path in ("/healthz", "/readyz"):
            assert (await session.get(path)).status == 200
    assert {path for _, path in asked} == {"/metrics", "/greetings"}


async def test_a_part_whose_checks_pass_is_well():
    assert await ask("/healthz", healthy={"pods": lambda: None}) == (200, "ok\n")


async def test_failed_checks_are_named_with_their_reasons():
    ready: dict[str, Check] = {
        "nodes": lambda: "the first list is not complete",
        "pods": lambda: None,
        "lease": lambda: "another master leads",
    }
    code, text = await ask("/readyz", ready=ready)
    assert code == 503
    assert text == "nodes: the first list is not complete\nlease: another master leads\n"


async def test_health_does_not_depend_on_readiness():
    code, _ = await ask("/healthz", ready={"nodes": lambda: "not yet"})
    assert code == 200


async def test_a_check_that_breaks_does_not_pass():
    code, text = await ask("/healthz", healthy={"clock": broken})
    assert (code, text) == (503, "clock: the check itself failed: RuntimeError: no clock\n")


async def greeting(asked: Mapping[str, str]) -> object:
    if asked["name"] == "nobody":
        raise NotServed(404, "there is nobody")
    return {"hello": asked["name"]}


async def test_a_document_is_served_as_json():
    code, text = await ask("/greetings/you", documents={"/greetings/{name}": greeting})
    assert (code, json.loads(text)) == (200, {"hello": "you"})


async def test_a_document_that_is_not_there_says_so_as_json():
    code, text = await ask("/greetings/nobody", documents={"/greetings/{name}": greeting})
    assert (code, json.loads(text)) == (404, {"error": "there is nobody"})

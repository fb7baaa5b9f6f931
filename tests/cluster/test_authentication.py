"""Who may read: what is asked of the API server, for how long the answer holds, and what happens without one."""

import asyncio
from typing import Any, cast

import pytest

from tender.cluster import authentication
from tender.cluster.authentication import REMEMBERED_SECONDS, REVIEWS_AT_ONCE, Authentication
from tender.cluster.client import Client
from tender.cluster.errors import Unreachable
from tender.cluster.resources import TOKEN_REVIEWS, Resource

PROMETHEUS = {"username": "prometheus", "groups": ["watchers"], "uid": "1", "extra": {"pod": ["a"]}}


class Server:
    """An API server that knows the token "known", whose user may get /metrics; it may be away or slow."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.open = self.most_open = 0
        self.now = 0.0
        self.judge = Authentication(cast("Client", self), lambda: self.now)

    async def create(self, resource: Resource, review: dict[str, Any]) -> dict[str, Any]:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        await asyncio.sleep(0)
        self.open -= 1
        if self.away:
            raise Unreachable("cut")
        spec = review["spec"]
        self.asked.append((resource.kind, spec))
        if resource is TOKEN_REVIEWS:
            known = spec["token"] == "known"
            return {"status": {"authenticated": known, "user": PROMETHEUS} if known else {"error": "unknown"}}
        return {"status": {"allowed": spec["nonResourceAttributes"] == {"path": "/metrics", "verb": "get"}}}

    async def code(self, authorization: str = "Bearer known", path: str = "/metrics") -> int:
        refusal = await self.judge.refusal(authorization, path)
        return refusal.code if refusal is not None else 200


@pytest.fixture
def server() -> Server:
    return Server()


async def test_a_known_user_with_the_right_may_read(server: Server):
    assert await server.code() == 200
    [(_, token), (_, access)] = server.asked
    assert token == {"token": "known"}
    assert access == {
        "user": "prometheus",
        "groups": ["watchers"],
        "uid": "1",
        "extra": {"pod": ["a"]},
        "nonResourceAttributes": {"path": "/metrics", "verb": "get"},
    }


async def test_a_known_user_without_the_right_may_not(server: Server):
    refusal = await server.judge.refusal("Bearer known", "/reasons")
    assert refusal is not None
    assert (refusal.code, refusal.message.split(":")[0]) == (403, "prometheus may not get /reasons")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic known", "known", f"Bearer {'x' * 20_000}"])
async def test_without_a_bearer_token_nobody_is_asked(server: Server, header: str):
    assert await server.code(header) == 401
    assert server.asked == []


async def test_what_was_found_holds_for_a_minute(server: Server):
    for header, code in (("Bearer known", 200), ("bearer other", 401)):
        server.asked.clear()
        assert await server.code(header) == code
        first = len(server.asked)
        server.now += REMEMBERED_SECONDS - 1
        assert await server.code(header) == code
        assert len(server.asked) == first
        server.now += 1
        assert await server.code(header) == code
        assert len(server.asked) == 2 * first


async def test_an_api_server_that_is_away_is_asked_again_at_once(server: Server):
    server.away = True
    assert await server.code() == 503
    server.away = False
    assert await server.code() == 200


async def test_who_is_known_does_not_wait_for_many_who_are_not(server: Server):
    await server.code()
    strangers = [asyncio.create_task(server.code(f"Bearer {number}")) for number in range(50)]
    await asyncio.sleep(0)
    known = server.judge.refusal("Bearer known", "/metrics")
    with pytest.raises(StopIteration):
        known.send(None)  # it has its answer without waiting once
    assert await asyncio.gather(*strangers) == [401] * 50
    assert server.most_open == REVIEWS_AT_ONCE


async def test_only_so_many_are_remembered(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(authentication, "MOST_REMEMBERED", 2)
    for token in ("a", "b", "c"):
        await server.code(f"Bearer {token}")
    server.asked.clear()
    await server.code("Bearer c")
    assert server.asked == []
    await server.code("Bearer a")
    assert len(server.asked) == 1

"""An API server that answers as a script says, well or badly, on loopback; and builders of what it says."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

from tender.cluster.access import Access

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TopOfRange(Random):
    """Jitter that always takes the longest wait, so that delays can be read off."""

    def uniform(self, a: float, b: float) -> float:
        return b

    def randrange(self, start: Any, stop: Any = None, step: Any = 1) -> int:
        return 0


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedServer:
    """Gives the next answer of the script that a request belongs to; a watch beyond it stays silent."""

    lists: deque[Answer] = field(default_factory=deque)
    watches: deque[Answer] = field(default_factory=deque)
    others: deque[Answer] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    address: str = ""

    @property
    def access(self) -> Access:
        return Access(server=self.address)

    def asked_to(self, kind: str) -> list[Asked]:
        """The requests of one kind: "list", "watch" or "other"."""
        return [asked for asked in self.asked if _kind(asked.method, asked.query) == kind]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        content = json.loads(body) if body else None
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers), content))
        script = {"list": self.lists, "watch": self.watches, "other": self.others}[_kind(request.method, request.query)]
        if script:
            return await script.popleft()(request)
        if script is self.watches:
            return await silence(self)(request)
        return web.json_response(status(500, "the script has ended"), status=500)


def _kind(method: str, query: Mapping[str, str]) -> str:
    if method != "GET":
        return "other"
    if "watch" in query:
        return "watch"
    return "list" if "limit" in query else "other"


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.closing.set()
        await runner.cleanup()


def pod(name: str, version: int, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def status(code: int, message: str = "", reason: str = "") -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "code": code, "message": message, "reason": reason}


def event(kind: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"


def bookmark(version: int) -> bytes:
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


def page(*items: Any, version: int, token: str = "") -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        metadata = {"resourceVersion": str(version), "continue": token}
        return web.json_response({"metadata": metadata, "items": list(items)})

    return answer


def reply(body: Any, code: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=code, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def failure(code: int, message: str = "", reason: str = "", **headers: str) -> Answer:
    return reply(status(code, message, reason), code, **headers)


def stream(*pieces: bytes, then: str = "end") -> Answer:
    """A watch that sends these bytes and then ends properly ("end") or is torn off ("cut")."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if then == "cut":
            assert request.transport is not None
            request.transport.close()
        return response

    return answer


def cut() -> Answer:
    """The connection ends without an answer; what was asked may have been done."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def silence(server: ScriptedServer, *pieces: bytes, after: asyncio.Event | None = None) -> Answer:
    """A watch that sends these bytes, once `after` is set, and then nothing more until the server closes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        if after is not None:
            await after.wait()
        for piece in pieces:
            await response.write(piece)
        await server.closing.wait()
        return response

    return answer

"""A reverse proxy in front of the API server that can hold requests back, freeze watches and swallow their events."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from tender.cluster.access import Access


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    watch: bool

    def lists(self, plural: str) -> bool:
        """Whether it lists objects of this kind in all namespaces."""
        return self.method == "GET" and not self.watch and self.path.endswith(f"/{plural}")

    def watches(self, plural: str) -> bool:
        """Whether it watches objects of this kind in all namespaces."""
        return self.watch and self.path.endswith(f"/{plural}")


Matches = Callable[[Asked], bool]


@dataclass
class Proxy:
    """Passes everything on, but what a test asks it to hold back or to swallow; use it as an async context manager."""

    access: Access
    folder: Path
    asked: list[Asked] = field(default_factory=list)
    waiting: list[Asked] = field(default_factory=list)
    _gates: list[tuple[Matches, asyncio.Event]] = field(default_factory=list)
    _swallow: Callable[[Asked, dict[str, Any]], bool] | None = None
    _address: str = ""

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, ssl=self.access.ssl_context() or True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            read_bufsize=2**22,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},  # large answers would be compressed, and are passed on as they are
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for _matches, opened in self._gates:
            opened.set()
        await self._runner.cleanup()
        await self._session.close()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig that leads here; the proxy adds the credentials."""
        return self._write_kubeconfig("proxy", self._address)

    def _write_kubeconfig(self, name: str, server: str) -> Path:
        path = self.folder / f"{name}.kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": server}}],
            "users": [{"name": "anybody", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "anybody"}}],
            "current-context": "proxy",
        }
        path.write_text(yaml.safe_dump(content))
        return path

    @contextlib.contextmanager
    def holding(self, matches: Matches) -> Any:
        """Within it, matching requests get no answer and matching watches stand still; then all goes on."""
        gate = (matches, asyncio.Event())
        self._gates.append(gate)
        try:
            yield
        finally:
            self._gates.remove(gate)
            gate[1].set()

    @contextlib.contextmanager
    def swallowing(self, swallow: Callable[[Asked, dict[str, Any]], bool]) -> Any:
        """Within it, events of watches for which `swallow(request, event)` holds are lost."""
        self._swallow = swallow
        try:
            yield
        finally:
            self._swallow = None

    def _target(self, request: web.Request) -> URL:
        """What is asked for, as the API server knows it."""
        return request.rel_url

    async def _gate(self, asked: Asked) -> None:
        for matches, opened in list(self._gates):
            if matches(asked):
                self.waiting.append(asked)
                await opened.wait()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        target = self._target(request)
        asked = Asked(request.method, target.path, request.query.get("watch") in {"1", "true"})
        self.asked.append(asked)
        body = await request.read()
        await self._gate(asked)
        headers = {name: value for name, value in request.headers.items() if name in {"Content-Type", "Accept"}}
        url = self.access.server.rstrip("/") + str(target)
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(
            request.method, url, data=body or None, headers=headers, timeout=timeout
        ) as answer:
            if not asked.watch or answer.status != 200:
                payload = await answer.read()
                return web.Response(status=answer.status, body=payload, content_type="application/json")
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            async for line in self._lines(asked, answer):
                await response.write(line)
            await response.write_eof()
            return response

    async def _lines(self, asked: Asked, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        while line := await answer.content.readline():
            await self._gate(asked)
            if self._swallow is None or not self._swallow(asked, json.loads(line)):
                yield line

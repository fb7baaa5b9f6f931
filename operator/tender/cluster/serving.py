"""What a running part of Tender serves to the cluster: metrics for Prometheus, health and readiness for the
kubelet, and documents of its own as JSON for people and programs.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Self, cast

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder

from tender.cluster.authentication import Refusal

Check = Callable[[], str | None]
"""Returns None when all is well, else the reason why not, as a sentence for people."""

Document = Callable[[Mapping[str, str]], Awaitable[object]]
"""Returns what is to be served as JSON, given the variable parts of the path by name; or raises `NotServed`."""


Guard = Callable[[str, str], Awaitable[Refusal | None]]
"""Says why who sends this Authorization header may not read what is below this path, or None if it may."""

_COMPRESSION = 1
_FOR_EVERYBODY = ("/healthz", "/readyz")


class NotServed(Exception):  # noqa: N818  # an answer like another, not a failure
    """There is no such document, or not now: an HTTP code and a sentence for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Serving:
    """A small web server with /metrics, /healthz, /readyz and `documents` by path; an async context manager.

    A probe answers 200 when all of its named checks pass, else 503 with one line per reason. `port` 0 takes a
    free one; `port` holds the real one while it serves. A `guard` stands before everything but the probes.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        healthy: Mapping[str, Check],
        ready: Mapping[str, Check],
        documents: Mapping[str, Document] | None = None,
        guard: Guard | None = None,
        host: str = "0.0.0.0",  # noqa: S104  # the kubelet and Prometheus come from outside of the pod
        port: int = 8080,
    ) -> None:
        self.host = host
        self.port = port
        self._registry = registry
        self._scraping = asyncio.Lock()
        app = web.Application(middlewares=[_behind(guard)] if guard is not None else [])
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _probe(healthy))
        app.router.add_get("/readyz", _probe(ready))
        for path, document in (documents or {}).items():
            app.router.add_get(path, _json(document))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        """The metrics of one moment. Writing them takes longer than collecting them, so it is done beside the loop; one
        scrape comes after the other.
        """
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        async with self._scraping:
            moment = _Moment(list(self._registry.collect()))
            body = await asyncio.to_thread(_written, moment, encode, compressed)
        headers = {"Content-Type": content_type, **({"Content-Encoding": "gzip"} if compressed else {})}
        return web.Response(body=body, headers=headers)


class _Moment:
    """Metrics that have been collected, in the place of the registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _written(moment: _Moment, encode: Callable[[CollectorRegistry], bytes], compressed: bool) -> bytes:
    text = encode(cast("CollectorRegistry", moment))
    return gzip.compress(text, _COMPRESSION) if compressed else text


def _behind(guard: Guard) -> Middleware:
    """Ask the guard about the first part of the path, which stands for all that is below it."""

    @web.middleware
    async def judge(request: web.Request, handler: Handler) -> web.StreamResponse:
        first = f"/{request.path.split('/')[1]}"
        if first not in _FOR_EVERYBODY:
            refusal = await guard(request.headers.get("Authorization", ""), first)
            if refusal is not None:
                headers = {"WWW-Authenticate": "Bearer"} if refusal.code == 401 else {}
                return web.Response(status=refusal.code, text=refusal.message + "\n", headers=headers)
        return await handler(request)

    return judge


def _probe(checks: Mapping[str, Check]) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        reasons = {name: _outcome(check) for name, check in checks.items()}
        failed = [f"{name}: {reason}" for name, reason in reasons.items() if reason]
        if failed:
            return web.Response(status=503, text="\n".join(failed) + "\n")
        return web.Response(text="ok\n")

    return answer


def _json(document: Document) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        code = 200
        try:
            content = await document(request.match_info)
        except NotServed as reason:
            code, content = reason.code, {"error": str(reason)}
        text = msgspec.json.format(msgspec.json.encode(content))
        return web.Response(status=code, body=text + b"\n", content_type="application/json")

    return answer


def _outcome(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # a check that breaks must not look like a passed one
        return f"the check itself failed: {type(error).__name__}: {error}"

"""What a running part of Tender serves to the cluster: metrics for Prometheus, health and readiness for the
kubelet.
"""

from collections.abc import Callable, Mapping
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Check = Callable[[], str | None]
"""Returns None when all is well, else the reason why not, as a sentence for people."""


class Serving:
    """A small web server with /metrics, /healthz and /readyz; use it as an async context manager.

    A probe answers 200 when all of its named checks pass, else 503 with one line per reason. `port` 0 takes a
    free one; `port` holds the real one while it serves.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        healthy: Mapping[str, Check],
        ready: Mapping[str, Check],
        host: str = "0.0.0.0",  # noqa: S104  # the kubelet and Prometheus come from outside of the pod
        port: int = 8080,
    ) -> None:
        self.host = host
        self.port = port
        self._registry = registry
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _probe(healthy))
        app.router.add_get("/readyz", _probe(ready))
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
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})


def _probe(checks: Mapping[str, Check]) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        reasons = {name: _outcome(check) for name, check in checks.items()}
        failed = [f"{name}: {reason}" for name, reason in reasons.items() if reason]
        if failed:
            return web.Response(status=503, text="\n".join(failed) + "\n")
        return web.Response(text="ok\n")

    return answer


def _outcome(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # a check that breaks must not look like a passed one
        return f"the check itself failed: {type(error).__name__}: {error}"

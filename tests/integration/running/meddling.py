"""A proxy that does to a process and its requests what goes wrong in the world: it kills the process in the middle of a
write, answers with errors, loses answers, and cuts the process off.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp import web
from tests.integration.running.proxy import Proxy
from yarl import URL

WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
FAILURES = ("500", "429", "reset", "500 after it took effect", "504 after it took effect", "lost answer")
"""What can become of a request, besides a conflict for a patch."""

Forward = Callable[[], Awaitable[web.StreamResponse]]


@dataclass
class Death:
    """The process is to be killed at this write of its, either before the API server hears of it or after it took
    effect and before the answer. `kill` kills, and `happened` is set then.
    """

    at_write: int
    takes_effect: bool
    kill: Callable[[], Awaitable[None]]
    happened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Meddling(Proxy):
    """Passes everything on, but for the requests that something is to happen to.

    `errors` is how likely a request fails, by `rng`; `failed` names the failures there were. The next `silences` writes
    take effect, and the process waits for an answer until it gives up. Each life of the process comes by an address of
    its own (`kubeconfig_of`), so that what a dead one had under way is told from what the next one asks: only the
    present `life` is served.
    """

    rng: Random = field(default_factory=Random)
    errors: float = 0.0
    silences: int = 0
    failed: list[str] = field(default_factory=list)
    death: Death | None = None
    life: str = ""
    is_cut_off: bool = False

    def kubeconfig_of(self, life: str) -> Path:
        """A kubeconfig for this life of the process, which is the present one from now on."""
        self.life = life
        return self._write_kubeconfig(life, f"{self._address}/{life}")

    def _target(self, request: web.Request) -> URL:
        return URL(str(request.rel_url).removeprefix(f"/{self.life}"))

    @contextlib.contextmanager
    def cut_off(self) -> Iterator[None]:
        """Within it, connections break and nobody answers."""
        self.is_cut_off = True
        for stream in list(self._streams):
            stream.cancel()
        try:
            yield
        finally:
            self.is_cut_off = False

    def __post_init__(self) -> None:
        self._streams: set[asyncio.Task[object]] = set()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if self.is_cut_off or not request.path.startswith(f"/{self.life}/"):
            return _hang_up(request)
        if request.query.get("watch") in {"1", "true"}:
            return await self._stream(request)

        def forward() -> Awaitable[web.StreamResponse]:
            return super(Meddling, self)._pass(request)

        if request.method in WRITES and self.death is not None:
            return await self._count(self.death, request, forward)
        if request.method in WRITES and self.silences:
            self.silences -= 1
            await forward()
            self.failed.append("silence")
            await asyncio.sleep(3600)
        if self.rng.random() < self.errors:
            return await self._fail(request, forward)
        return await forward()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            return await super()._pass(request)
        except (asyncio.CancelledError, ConnectionResetError):
            return _hang_up(request)
        finally:
            self._streams.discard(task)

    async def _count(self, death: Death, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Pass a write on, or kill the process at it. A process that was killed writes nothing more."""
        death.at_write -= 1
        if death.at_write > 0:
            return await forward()
        if death.at_write < 0:
            return _hang_up(request)
        if not death.takes_effect:
            await death.kill()
            death.happened.set()
            return _hang_up(request)
        with contextlib.suppress(Exception):
            await forward()
        await death.kill()
        death.happened.set()
        return _hang_up(request)

    async def _fail(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Let a request fail, with or without an effect."""
        failures = [*FAILURES, *(["409"] if request.method == "PATCH" else [])]
        failure = self.rng.choice(failures)
        self.failed.append(failure)
        if failure in {"500 after it took effect", "504 after it took effect", "lost answer"}:
            await forward()
        match failure.split()[0]:
            case "500":
                return _refusal(500, "InternalError")
            case "504":
                return _refusal(504, "Timeout")
            case "429":
                return _refusal(429, "TooManyRequests", {"Retry-After": "1"})
            case "409":
                return _refusal(409, "Conflict")
        return _hang_up(request)


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Break the connection; the response goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refusal(code: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return web.json_response({**status, "message": f"{reason}, says the test"}, status=code, headers=headers)

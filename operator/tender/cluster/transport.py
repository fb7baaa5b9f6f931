"""One call to the API server, attempted until it succeeds, fails for good or runs out of attempts.

This is the part of the client that knows HTTP: the session, authentication, time limits, which failures may
be tried again, and what is measured. `Client` above it knows Kubernetes' verbs.
"""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tender.cluster.access import Access
from tender.cluster.errors import ApiError, NoCluster, NotLeading, Unreachable, from_response
from tender.cluster.fence import Fence
from tender.cluster.resources import Resource
from tender.cluster.retry import RetryPolicy

Observe = Callable[[str, str, int, float], None]
"""Called after each attempt with verb, resource, HTTP code (0: no answer) and seconds."""

_TRANSIENT = frozenset({500, 502, 503, 504})
_READS = frozenset({"get", "list", "watch"})
_READ_BUFFER = 2**20  # a flood of watch events is read in large pieces; twice this may wait in memory
_GOODBYE_SECONDS = 0.25  # TLS connections end in the background (aiohttp, "Graceful shutdown"); the loop must last
_KEEP_ALIVE_SECONDS = 120.0  # a burst of writes should not begin with a burst of TLS handshakes
_LOST = (aiohttp.ClientError, NoCluster, OSError)


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask of the API server.

    `idempotent` says that doing it twice leaves the same state as doing it once. `name` is the object's, also
    where the path does not have it (create), so that errors can tell.
    """

    verb: str
    method: str
    resource: Resource
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    idempotent: bool = True

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        kind = f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural
        return f"{self.verb} {kind} {place}".rstrip()

    def url(self, server: str) -> URL:
        """The address, with the query."""
        name = None if self.verb == "create" else self.name
        path = server + self.resource.path(self.namespace, name, self.subresource)
        return URL(f"{path}?{_encoded(tuple(self.query.items()))}" if self.query else path, encoded=True)


@lru_cache(maxsize=1024)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode(query)


@dataclass(slots=True)
class _Passage:
    """One attempt of a write on its way through the fence."""

    call: Call
    refused: NotLeading | None = None


class Transport:
    """Sends calls over one aiohttp session, in one event loop; at most `writes_in_flight` writes at once.

    With a `fence` every write passes it at the last moment before it is sent, and ends within its grace.
    """

    def __init__(
        self,
        access: Access,
        *,
        writes_in_flight: int,
        retry: RetryPolicy,
        request_timeout: float,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        observe: Observe | None = None,
        fence: Fence | None = None,
    ) -> None:
        self._access = access
        self._fence = fence
        self._server = access.server.rstrip("/")
        self._writes = asyncio.Semaphore(writes_in_flight)
        self._retry = retry
        self._seconds = request_timeout
        self._timeout = aiohttp.ClientTimeout(total=request_timeout)
        self._rng = rng or random.Random()
        self._sleep = sleep
        self._clock = clock
        self._observe = observe
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
            if self._server.startswith("https"):
                await asyncio.sleep(_GOODBYE_SECONDS)

    async def send(self, call: Call, retry: RetryPolicy | None = None) -> bytes:
        """The answer's body. Raises ApiError, with `ambiguous` set if an earlier attempt may have taken
        effect.
        """
        policy = retry or self._retry
        ambiguous = False
        failures = 0
        while True:
            try:
                if call.verb in _READS:
                    return await self._attempt(call)
                async with self._writes:
                    return await self._attempt(call)
            except ApiError as error:
                error.ambiguous = ambiguous
                failures += 1
                if failures >= policy.attempts or not _may_retry(error, call):
                    raise
                ambiguous = ambiguous or _may_have_taken_effect(error, call)
                pause = error.retry_after + policy.backoff.delay(failures - 1, self._rng)
            await self._sleep(pause)

    @contextlib.asynccontextmanager
    async def stream(self, call: Call, inactivity: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer's body in pieces as they arrive, for as long as the server sends; one attempt.

        Raises Unreachable inside the `async with` when nothing came for `inactivity` seconds or the
        connection broke.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=inactivity, sock_read=inactivity)
        started = self._clock()
        code = 0
        try:
            async with await self._open(call, limits) as response:
                code = response.status
                if code >= 400:
                    raise self._refusal(call, response, await response.read())
                yield response.content.iter_any()
        except _LOST as error:
            raise _unreachable(call, error) from error
        finally:
            self._note(call, code, started)

    async def _attempt(self, call: Call) -> bytes:
        started = self._clock()
        code = 0
        limits, passage = self._timeout, None
        if self._fence is not None and call.verb not in _READS:
            self._fence.check(str(call))
            passage = _Passage(call)
            limits = aiohttp.ClientTimeout(total=min(self._seconds, self._fence.seconds + self._fence.grace))
        try:
            async with await self._open(call, limits, passage) as response:
                code = response.status
                payload = await response.read()
        except _LOST as error:
            code = 0
            if passage is not None and passage.refused is not None:
                raise passage.refused from None
            raise _unreachable(call, error) from error
        finally:
            self._note(call, code, started)
        if code >= 400:
            raise self._refusal(call, response, payload)
        return payload

    async def _open(
        self, call: Call, limits: aiohttp.ClientTimeout, passage: _Passage | None = None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = self._new_session()
        headers = await self._access.headers()
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        headers["Accept"] = call.accept
        return await self._session.request(
            call.method,
            call.url(self._server),
            data=call.body,
            headers=headers,
            timeout=limits,
            allow_redirects=False,
            proxy=self._access.proxy,
            server_hostname=self._access.server_name,
            trace_request_ctx=passage,
        )

    def _new_session(self) -> aiohttp.ClientSession:
        context = self._access.ssl_context()
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ssl=context or True,
            socket_factory=None if self._fence is None else self._fenced_socket,
        )
        return aiohttp.ClientSession(
            read_bufsize=_READ_BUFFER,
            connector=connector,
            trace_configs=[] if self._fence is None else [self._gate(self._fence)],
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "tender"},
        )

    def _gate(self, fence: Fence) -> aiohttp.TraceConfig:
        """Asks the fence right before bytes of a write go out: a connection may have been waited for, and the process
        may have been stopped since the attempt began.
        """

        async def about_to_send(_: aiohttp.ClientSession, context: Any, __: object) -> None:
            passage = context.trace_request_ctx
            if isinstance(passage, _Passage):
                try:
                    fence.check(str(passage.call))
                except NotLeading as refusal:
                    passage.refused = refusal
                    raise

        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(about_to_send)
        trace.on_request_chunk_sent.append(about_to_send)
        return trace

    def _fenced_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """A socket of which the kernel gives up what is not acknowledged within the fence's grace: else it would go on
        sending, also for a process that is gone, until the network is back.
        """
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        if self._fence is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * self._fence.grace))
        return made

    def _refusal(self, call: Call, response: aiohttp.ClientResponse, payload: bytes) -> ApiError:
        return from_response(response.status, payload, response.headers.get("Retry-After"), where=str(call))

    def _note(self, call: Call, code: int, started: float) -> None:
        if self._observe is not None:
            self._observe(call.verb, call.resource.plural, code, self._clock() - started)


def _unreachable(call: Call, error: BaseException) -> Unreachable:
    sent = not isinstance(error, (aiohttp.ClientConnectorError, NoCluster))
    return Unreachable(str(error) or type(error).__name__, where=str(call), sent=sent)


def _may_retry(error: ApiError, call: Call) -> bool:
    if isinstance(error, NotLeading):
        return False
    if error.status == 429 or (isinstance(error, Unreachable) and not error.sent):
        return True  # it was not carried out
    return call.idempotent and (error.status == 0 or error.status in _TRANSIENT)


def _may_have_taken_effect(error: ApiError, call: Call) -> bool:
    if call.verb in _READS or error.status == 429:
        return False
    return not isinstance(error, Unreachable) or error.sent

"""The one list-watch cache: a dictionary of objects that follows the API server, and a call for every change.

It lists page by page, then watches from the list's version, and carries on from the last version seen
whenever the connection ends. When that version is too old it lists again and works out what was deleted
meanwhile: to miss a deletion would be usage that never ends. It never gives up; how stale it is can be read
from `last_contact`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
import structlog

from tender.cluster.client import Client
from tender.cluster.errors import ApiError, Gone
from tender.cluster.resources import Resource
from tender.cluster.retry import ONCE, Backoff
from tender.cluster.stream import Identity, decode_event, decode_identity, lines

log = structlog.get_logger(__name__)

T = TypeVar("T")

Observe = Callable[[str, str, str], None]
"""Called with resource, what happened and its detail.

`event` ADDED, MODIFIED, DELETED, BOOKMARK or ERROR; `relist` initial, expired, continue-expired, error-event,
broken-stream or refused; `reconnect` the reason; `invalid` and `callback-error` the exception's name.
"""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How the cache talks to the API server; times in seconds.

    A watch lasts between `watch_seconds` and twice as long, so that many do not end together. Bookmarks come
    about every minute, so silence for `inactivity` means a dead connection.
    """

    page_size: int = 500
    watch_seconds: int = 300
    inactivity: float = 90.0
    backoff: Backoff = field(default_factory=Backoff)


class _Relist(Exception):  # noqa: N818  # a turn of the loop, not an error
    """The version that the cache has reached is of no use any more; the text is the reason."""


class ListWatch(Generic[T]):
    """Objects of one kind, kept as the API server has them; `run()` does the work.

    `decode` turns one object's JSON into a T and raises on one that it cannot read: such an object is
    reported through `on_invalid(key, error)` once per version and counts as absent. `on_change(old, new)` is
    called after `objects` has changed, with None for an object that was not, or is no longer, there; old and
    new differ in uid when an object was replaced unseen. Both are called synchronously and should be quick;
    what they raise is logged and counted.

    Attributes: `objects` by "namespace/name" (or "name"); `synced` set once the first list is complete and
    delivered; `last_contact` the clock at the last byte from the server, or when it last took up a watch; or None.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        decode: Callable[[bytes], T],
        *,
        on_change: Callable[[T | None, T | None], None],
        on_invalid: Callable[[str, Exception], None] | None = None,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        settings: WatchSettings | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        observe: Observe | None = None,
    ) -> None:
        self.objects: dict[str, T] = {}
        self.synced = asyncio.Event()
        self.last_contact: float | None = None
        self.resource = resource
        self._client = client
        self._decode = decode
        self._on_change = on_change
        self._on_invalid = on_invalid
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._settings = settings or WatchSettings()
        self._rng = rng or random.Random()
        self._clock = clock
        self._sleep = sleep
        self._observe = observe
        self._versions: dict[str, str] = {}  # of valid and invalid objects alike
        self._version = ""
        self._relist_reason = "initial"
        self._failures = 0

    @property
    def title(self) -> str:
        """What it follows, as people are told: "pods", or "pods in shop"."""
        return self.resource.plural + (f" in {self._namespace}" if self._namespace else "")

    @property
    def invalid(self) -> set[str]:
        """The keys of objects that are there and cannot be read."""
        return self._versions.keys() - self.objects.keys()

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        while True:
            wait = 0.0
            try:
                if self._relist_reason:
                    await self._list()
                await self._watch()
                reason = "ended"
            except _Relist as why:
                reason = self._relist_reason = str(why)
                log.info("listing again", resource=self.resource.plural, reason=reason)
            except ApiError as error:
                reason, wait = error.reason or str(error.status), error.retry_after
                log.warning("list-watch interrupted", resource=self.resource.plural, error=str(error))
            self._note("reconnect", reason)
            wait += self._settings.backoff.delay(self._failures, self._rng)
            self._failures += 1
            await self._sleep(wait)

    async def _list(self) -> None:
        self._note("relist", self._relist_reason)
        seen: set[str] = set()
        token = ""
        while True:
            try:
                page = await self._client.list_page(
                    self.resource,
                    namespace=self._namespace,
                    label_selector=self._label_selector,
                    field_selector=self._field_selector,
                    limit=self._settings.page_size,
                    continue_token=token,
                    retry=ONCE,
                )
            except Gone as error:
                raise _Relist("continue-expired") from error
            self.last_contact = self._clock()
            seen.update(key for key in map(self._keep_listed, page.items) if key)
            token = page.metadata.continue_
            if not token:
                break
        for key in [key for key in self._versions if key not in seen]:
            self._drop(key)
        self._version = page.metadata.resource_version
        self._relist_reason = ""
        self.synced.set()

    async def _watch(self) -> None:
        opened = self._clock()
        seconds = self._settings.watch_seconds
        try:
            async with self._client.watch(
                self.resource,
                resource_version=self._version,
                namespace=self._namespace,
                label_selector=self._label_selector,
                field_selector=self._field_selector,
                seconds=seconds + self._rng.randrange(seconds),
                inactivity=self._settings.inactivity,
            ) as chunks:
                # Of a kind of which there has never been an object the server sends no bookmarks either.
                self.last_contact = self._clock()
                rest: list[bytes] = []
                async for chunk in chunks:
                    self.last_contact = self._clock()
                    for line in lines(chunk, rest):
                        self._handle(line)
        except Gone as error:
            raise _Relist("expired") from error
        except ApiError as error:
            if 400 <= error.status < 500 and error.status not in (401, 403, 429):
                raise _Relist("refused") from error
            raise
        finally:
            if self._clock() - opened > self._settings.backoff.cap:
                self._failures = 0

    def _handle(self, line: bytes) -> None:
        try:
            event = decode_event(line)
        except msgspec.DecodeError as error:
            raise _Relist("broken-stream") from error
        self._note("event", event.type)
        if event.type == "ERROR":
            self._fail(event.object)
        try:
            meta = decode_identity(event.object).metadata
        except msgspec.DecodeError as error:
            self._report("", error)
            return
        if event.type in ("ADDED", "MODIFIED"):
            self._keep(meta, event.object)
        elif event.type == "DELETED":
            self._drop(meta.key)
        self._version = meta.resource_version or self._version
        self._failures = 0

    def _fail(self, status: msgspec.Raw) -> None:
        content = msgspec.json.decode(status)
        code = content.get("code", 0) if isinstance(content, dict) else 0
        raise _Relist("expired" if code == 410 else "error-event")

    def _keep_listed(self, item: msgspec.Raw) -> str:
        try:
            meta = decode_identity(item).metadata
        except msgspec.DecodeError as error:
            self._report("", error)
            return ""
        self._keep(meta, item)
        return meta.key

    def _keep(self, meta: Identity, item: msgspec.Raw) -> None:
        key = meta.key
        if meta.resource_version and self._versions.get(key) == meta.resource_version:
            return
        self._versions[key] = meta.resource_version
        try:
            new = self._decode(bytes(item))
        except Exception as error:  # whatever a decoder raises concerns this object only
            self._report(key, error)
            self._change(self.objects.pop(key, None), None)
            return
        old = self.objects.get(key)
        self.objects[key] = new
        self._change(old, new)

    def _drop(self, key: str) -> None:
        self._versions.pop(key, None)
        self._change(self.objects.pop(key, None), None)

    def _change(self, old: T | None, new: T | None) -> None:
        if old is None and new is None:
            return
        try:
            self._on_change(old, new)
        except Exception as error:
            self._note("callback-error", type(error).__name__)
            log.exception("a change could not be handled", resource=self.resource.plural)

    def _report(self, key: str, error: Exception) -> None:
        self._note("invalid", type(error).__name__)
        log.warning("object ignored", resource=self.resource.plural, object=key or "(unnamed)", error=str(error))
        if self._on_invalid is None:
            return
        try:
            self._on_invalid(key, error)
        except Exception as failure:
            self._note("callback-error", type(failure).__name__)
            log.exception("an invalid object could not be reported", resource=self.resource.plural)

    def _note(self, what: str, detail: str) -> None:
        if self._observe is not None:
            self._observe(self.resource.plural, what, detail)

"""Kubernetes' verbs: read, list, create, patch, apply and delete objects, and open watches.

Everything that Tender reads once or writes passes here; what it follows continuously passes through
`ListWatch`, which borrows `list_page` and `watch`. The path is kept short because hundreds of pods per second
are created through it: bodies are encoded by msgspec, paths are built without parsing, and answers are
decoded once. The API server is asked not to look for unknown fields, of which it would only warn: that takes
a tenth off its CPU time for a status, and more off that for a pod.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Self, TypeVar

import msgspec

from tender.cluster.access import Access
from tender.cluster.errors import ApiError
from tender.cluster.fence import Fence
from tender.cluster.resources import PODS, SERVER_VERSION, Resource
from tender.cluster.retry import ONCE, RetryPolicy
from tender.cluster.transport import Call, Observe, Transport

Object = dict[str, Any]
"""An object as decoded JSON."""
Propagation = Literal["Background", "Foreground", "Orphan"]
"""What happens to the dependents of an object that is deleted."""

JSON = "application/json"
METADATA_ONLY = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Metadata of a list; `continue_` is empty on the last page."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct, frozen=True):
    """One page of a list; the items are JSON still."""

    metadata: ListMeta
    items: list[msgspec.Raw] = []


_decode_page = msgspec.json.Decoder(Page).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

T = TypeVar("T")


class Client:
    """A client of one API server; use it as an async context manager, in one event loop.

    `field_manager` names the writer in server-side apply and managedFields. At most `writes_in_flight` writes
    run at once. `request_timeout` is in seconds and for one attempt. Writes pass the `fence`, if there is one, or raise
    NotLeading. Every method raises `ApiError` or a subclass.
    """

    def __init__(
        self,
        access: Access,
        *,
        field_manager: str = "tender",
        writes_in_flight: int = 64,
        retry: RetryPolicy | None = None,
        request_timeout: float = 30.0,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        observe: Observe | None = None,
        fence: Fence | None = None,
    ) -> None:
        self.access = access
        self.field_manager = field_manager
        self._transport = Transport(
            access,
            writes_in_flight=writes_in_flight,
            retry=retry or RetryPolicy(),
            request_timeout=request_timeout,
            rng=rng,
            sleep=sleep,
            clock=clock,
            observe=observe,
            fence=fence,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._transport.close()

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Object:
        """Read one object."""
        return await self._object(Call("get", "GET", resource, namespace, name))

    async def list_page(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
        continue_token: str = "",
        retry: RetryPolicy | None = None,
    ) -> Page:
        """Read one page of a list; an empty `continue_token` starts it. Raises Gone when the token has
        expired.
        """
        query = _selectors(label_selector, field_selector) | {"limit": str(limit)}
        if continue_token:
            query["continue"] = continue_token
        call = Call("list", "GET", resource, namespace, query=query)
        return _decoded(call, _decode_page, await self._transport.send(call, retry))

    async def list_all(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Object]:
        """Read all objects that match, page by page. Items carry no `kind` where the API server leaves it
        out.
        """
        objects: list[Object] = []
        token = ""
        while True:
            page = await self.list_page(
                resource,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                continue_token=token,
            )
            objects += [msgspec.json.decode(item) for item in page.items]
            token = page.metadata.continue_
            if not token:
                return objects

    def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        seconds: int = 300,
        inactivity: float = 90.0,
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch with bookmarks from a version on; gives the bytes as they arrive, one JSON event per
        line.

        The server ends it after `seconds`; `inactivity` seconds without a byte raise Unreachable.
        """
        query = _selectors(label_selector, field_selector) | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        return self._transport.stream(Call("watch", "GET", resource, namespace, query=query), inactivity)

    async def server_version(self) -> str:
        """The version of Kubernetes, such as v1.36.3."""
        return str((await self._object(Call("get", "GET", SERVER_VERSION))).get("gitVersion", ""))

    async def proxied(
        self, resource: Resource, name: str, path: str, *, namespace: str, port: int | str, scheme: str = "http"
    ) -> bytes:
        """What the web server of a pod or Service answers to a GET of `path`, through the API server; one attempt.

        An answer of the web server that is no success raises ApiError as one of the API server does, but with an
        `object` that is no Status.
        """
        target = f"{scheme}:{name}:{port}" if scheme != "http" else f"{name}:{port}"
        call = Call("get", "GET", resource, namespace, target, f"proxy/{path.lstrip('/')}", accept="*/*")
        return await self._transport.send(call, ONCE)

    async def create(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        *,
        namespace: str | None = None,
        field_manager: str | None = None,
        metadata_only: bool = False,
    ) -> Object:
        """Create an object; its namespace is taken from the body if not given.

        `metadata_only` asks for nothing but the new object's metadata.

        With a name in the body the call is tried again when its outcome is unknown, and raises AlreadyExists
        with `ambiguous` set if the object is there then. With `generateName` it is not: that could make two.
        """
        metadata = body.get("metadata") or {}
        name = metadata.get("name")
        return await self._object(
            Call(
                "create",
                "POST",
                resource,
                namespace or metadata.get("namespace"),
                name or metadata.get("generateName"),
                query=self._written_by(field_manager),
                body=_encode(body),
                accept=METADATA_ONLY if metadata_only else JSON,
                idempotent=bool(name),
            )
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """Merge `patch` into an object (RFC 7386: None removes a field, lists are replaced).

        With `metadata.resourceVersion` in the patch it raises Conflict when the object has changed since.
        """
        return await self._object(
            Call(
                "patch",
                "PATCH",
                resource,
                namespace,
                name,
                subresource,
                query=self._written_by(field_manager),
                body=_encode(patch),
                content_type=MERGE_PATCH,
            )
        )

    async def patch_status(
        self,
        resource: Resource,
        name: str,
        status: Mapping[str, Any],
        *,
        namespace: str | None = None,
        resource_version: str | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """Merge into the status; with `resource_version` only if the object is still that one, else
        Conflict.
        """
        patch: Object = {"status": status}
        if resource_version is not None:
            patch["metadata"] = {"resourceVersion": resource_version}
        return await self.patch(
            resource, name, patch, namespace=namespace, subresource="status", field_manager=field_manager
        )

    async def apply(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        *,
        field_manager: str | None = None,
        force: bool = True,
        subresource: str | None = None,
    ) -> Object:
        """Server-side apply: this field manager owns exactly the fields in `body`, and creates the object if
        need be.

        `body` needs apiVersion, kind and metadata.name. Without `force` a field of another manager raises
        Conflict.
        """
        metadata = body["metadata"]
        return await self._object(
            Call(
                "apply",
                "PATCH",
                resource,
                metadata.get("namespace"),
                metadata["name"],
                subresource,
                query=self._written_by(field_manager) | {"force": "true" if force else "false"},
                body=_encode(body),
                content_type=APPLY_PATCH,
            )
        )

    async def apply_status(
        self,
        resource: Resource,
        name: str,
        status: Mapping[str, Any],
        *,
        namespace: str | None = None,
        field_manager: str | None = None,
        force: bool = True,
    ) -> Object:
        """Server-side apply of a status: fields that this manager applied before and leaves out now are
        removed.

        Some field of the status has to remain: the API server refuses to remove the last one.
        """
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        body = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": metadata,
            "status": status,
        }
        return await self.apply(resource, body, field_manager=field_manager, force=force, subresource="status")

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Propagation | None = None,
        grace_seconds: int | None = None,
    ) -> Object:
        """Delete one object; with `uid` or `resource_version` only that very one, else Conflict."""
        preconditions = _given(uid=uid, resourceVersion=resource_version)
        options = _given(
            preconditions=preconditions or None,
            propagationPolicy=propagation,
            gracePeriodSeconds=grace_seconds,
        )
        return await self._object(Call("delete", "DELETE", resource, namespace, name, body=_options(options)))

    async def evict(self, name: str, *, namespace: str, uid: str | None = None) -> Object:
        """Delete a pod as its disruption budget allows: raises ApiError 429 when that forbids it now."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": _given(preconditions={"uid": uid} if uid else None),
        }
        call = Call("evict", "POST", PODS, namespace, name, "eviction", body=_encode(body))
        return await self._object(call)

    async def delete_collection(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        propagation: Propagation | None = None,
        grace_seconds: int | None = None,
    ) -> Object:
        """Delete all objects that match, in one request; of a namespaced kind only within one namespace."""
        options = _given(propagationPolicy=propagation, gracePeriodSeconds=grace_seconds)
        query = _selectors(label_selector, field_selector)
        call = Call("deletecollection", "DELETE", resource, namespace, query=query, body=_options(options))
        return await self._object(call)

    def _written_by(self, field_manager: str | None) -> dict[str, str]:
        return {"fieldManager": field_manager or self.field_manager, "fieldValidation": "Ignore"}

    async def _object(self, call: Call) -> Object:
        return _decoded(call, _decode_object, await self._transport.send(call))


def _decoded(call: Call, decode: Callable[[bytes], T], payload: bytes) -> T:
    try:
        return decode(payload)
    except msgspec.DecodeError as error:
        raise ApiError(
            200, "Unreadable", f"the answer is not what Kubernetes sends: {error}", where=str(call)
        ) from error


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    return _given(labelSelector=label_selector or None, fieldSelector=field_selector or None)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _options(options: Object) -> bytes | None:
    return _encode({"apiVersion": "v1", "kind": "DeleteOptions", **options}) if options else None

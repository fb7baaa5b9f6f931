"""Who may read what a part serves: asked of the API server, as kube-rbac-proxy does.

A bearer token is reviewed (TokenReview), and whether its user may `get` the path as a non-resource URL
(SubjectAccessReview). What was found holds for a minute, so a scrape mostly costs no request; who sends ever new tokens
waits in line with a few others.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import structlog

from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource

log = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 1024
REVIEWS_AT_ONCE = 4
LONGEST_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: an HTTP code (401, 403, 503) and a sentence for people."""

    code: int
    message: str


_NO_TOKEN = Refusal(401, "a bearer token of this cluster is needed")
_NOT_KNOWN = Refusal(401, "the API server does not know this token")
_NOT_CHECKED = Refusal(503, "the API server cannot be asked who this is; try again")


class Authentication:
    """Judges requests. `clock` gives seconds."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[tuple[bytes, str], tuple[float, Refusal | None]] = {}
        self._reviews = asyncio.Semaphore(REVIEWS_AT_ONCE)

    async def refusal(self, authorization: str, path: str) -> Refusal | None:
        """Why who sends this Authorization header may not read the path; None if it may."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
            return _NO_TOKEN
        key = (sha256(token.encode()).digest(), path)
        if not self._remembers(key):
            async with self._reviews:
                if not self._remembers(key):
                    try:
                        self._remember(key, await self._review(token, path))
                    except ApiError as error:
                        log.warning("a request could not be authenticated", path=path, error=str(error))
                        return _NOT_CHECKED
        return self._known[key][1]

    def _remembers(self, key: tuple[bytes, str]) -> bool:
        return key in self._known and self._known[key][0] > self._clock()

    async def _review(self, token: str, path: str) -> Refusal | None:
        status = await self._ask(TOKEN_REVIEWS, {"token": token})
        user = status.get("user") or {}
        if not status.get("authenticated"):
            return _NOT_KNOWN
        who = {
            "user": user.get("username", ""),
            "groups": user.get("groups") or [],
            "uid": user.get("uid", ""),
            "extra": user.get("extra") or {},
        }
        attributes = {"path": path, "verb": "get"}
        allowed = await self._ask(SUBJECT_ACCESS_REVIEWS, {**who, "nonResourceAttributes": attributes})
        if not allowed.get("allowed"):
            return Refusal(403, f"{who['user']} may not get {path}: bind it a ClusterRole with this nonResourceURL")
        return None

    async def _ask(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        review = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {}, "spec": spec}
        status: dict[str, Any] = (await self._client.create(resource, review)).get("status") or {}
        return status

    def _remember(self, key: tuple[bytes, str], found: Refusal | None) -> None:
        self._known.pop(key, None)
        self._known[key] = (self._clock() + REMEMBERED_SECONDS, found)
        while len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]

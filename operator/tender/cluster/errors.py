# ruff: noqa: N818  # named after the reasons that Kubernetes gives
"""What can go wrong between Tender and the API server, as exceptions that say for which object and why."""

from typing import Any

import msgspec


class NoCluster(Exception):
    """There is no usable kubeconfig and this is no pod of a cluster, or the credentials cannot be had."""


class ApiError(Exception):
    """The API server refused a request, or could not be reached (status 0).

    Attributes: `status` the HTTP code; `reason` Kubernetes' word for it, such as "Conflict"; `message` the
    server's sentence; `object` the Status object it sent, or None; `retry_after` the seconds it asked to
    wait; `ambiguous` is True when an earlier attempt of the same call may have succeeded, so that the caller
    has to look before it concludes that somebody else was first.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        object: dict[str, Any] | None = None,  # noqa: A002  # the name in Kubernetes' own watch events
        *,
        where: str = "",
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message
        self.object = object
        self.where = where
        self.retry_after = retry_after
        self.ambiguous = False

    def __str__(self) -> str:
        code = f"{self.status} {self.reason}".strip() if self.status else self.reason
        text = f"{self.where}: {code}: {self.message}" if self.where else f"{code}: {self.message}"
        return f"{text} (an earlier attempt of this request may have succeeded)" if self.ambiguous else text


class NotFound(ApiError):
    """There is no such object, or no such kind."""


class Conflict(ApiError):
    """The object changed since it was read, or a precondition does not hold."""


class AlreadyExists(ApiError):
    """An object of this name is there already."""


class Invalid(ApiError):
    """The object breaks its schema or a validation rule."""


class Forbidden(ApiError):
    """RBAC, a quota or an admission policy does not allow the request."""


class Gone(ApiError):
    """The resourceVersion or continue token is too old: list again."""


class Unreachable(ApiError):
    """No answer came: connection refused, cut or timed out. `sent` is False if the request cannot have
    arrived.
    """

    def __init__(self, message: str, *, where: str = "", sent: bool = True) -> None:
        super().__init__(0, "Unreachable", message, where=where)
        self.sent = sent


class NotLeading(ApiError):
    """The write was not sent: this process does not lead, or cannot be sure of it at the moment."""

    def __init__(self, where: str) -> None:
        super().__init__(0, "NotLeading", "not sent, since the lease was not renewed in time", where=where)


_BY_STATUS: dict[int, type[ApiError]] = {
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
}


def from_status(
    code: int, status: dict[str, Any] | None, text: str = "", *, where: str = "", retry_after: float = 0.0
) -> ApiError:
    """The exception for an HTTP code and the Status object that came with it; `text` is for answers without
    one.
    """
    status = status or {}
    reason = str(status.get("reason") or "")
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_STATUS.get(code, ApiError)
    details = status.get("details")
    if not retry_after and isinstance(details, dict):
        retry_after = float(details.get("retryAfterSeconds") or 0)
    message = str(status.get("message") or text or "no explanation")
    return kind(code, reason, message, status or None, where=where, retry_after=retry_after)


def from_response(code: int, body: bytes, retry_after: str | None, *, where: str) -> ApiError:
    """The exception for an HTTP answer that is no success."""
    try:
        status = msgspec.json.decode(body)
    except msgspec.DecodeError:
        status = None
    if not isinstance(status, dict):
        status = None
    text = body[:200].decode(errors="replace").strip()
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    return from_status(code, status, text, where=where, retry_after=seconds)

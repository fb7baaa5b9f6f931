"""Times as Kubernetes writes them."""

from datetime import UTC, datetime


def timestamp(at: float, timespec: str = "auto") -> str:
    """The RFC 3339 text for `at` (epoch seconds), in UTC; `timespec` as of datetime.isoformat."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")

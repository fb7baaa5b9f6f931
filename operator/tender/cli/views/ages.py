"""Ages as kubectl writes them (k8s.io/apimachinery/pkg/util/duration, HumanDuration): 12s, 5m3s, 90m, 3h20m, 4d."""

from datetime import datetime

from tender.cli.views.table import NONE

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def age(since: datetime | None, now: datetime) -> str:
    """How long ago that is."""
    return NONE if since is None else duration((now - since).total_seconds())


def duration(length: float) -> str:
    """So many seconds, with a precision that fits their number."""
    seconds = max(0, int(length))
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two(seconds, _YEAR, "y", _DAY, "d")
    return f"{seconds // _YEAR}y"


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    whole, rest = divmod(seconds, large)
    return f"{whole}{large_unit}" + (f"{rest // small}{small_unit}" if rest // small else "")

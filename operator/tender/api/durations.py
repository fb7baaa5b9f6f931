"""Durations as users write them ("500ms", "60s", "1h30m", "1d") and as seconds."""

import re

DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
"""What the CRDs accept for a duration."""

LONGEST_SECONDS = 100 * 365 * 86_400.0
"""Longer ones are capped: nothing waits for longer, and a time that far away can still be written."""

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MILLISECONDS = {"ms": 1, **{unit: seconds * 1000 for unit, seconds in _SECONDS.items()}}


def parse_duration(text: str) -> float:
    """Seconds in `text`, a hundred years at most. Raises ValueError, naming the text, when it is no duration."""
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write 500ms, 60s, 1h30m or 1d")
    milliseconds = sum(float(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text))
    return min(LONGEST_SECONDS, milliseconds / 1000)


def format_duration(seconds: float) -> str:
    """The shortest usual form of `seconds`, to the millisecond. Raises ValueError for a negative number."""
    if seconds < 0:
        raise ValueError(f"a duration must not be negative, got {seconds} s")
    rest = round(seconds * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _MILLISECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"

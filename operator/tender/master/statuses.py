"""How statuses are written, of whatever kind. What they say is in `framework_statuses`, `role_statuses` and
`reservation_statuses`; `status_writer` writes them when they have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tender.allocation import Ledger, Settings
from tender.allocation.shares import dominant_share
from tender.api.quantities import Resources


@dataclass(frozen=True, slots=True)
class News:
    """What an event says of a change of state."""

    reason: str
    note: str
    warning: bool


def without_empty(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without what is empty or None: server-side apply would make null of a map that is emptied."""
    return {name: value for name, value in status.items() if value not in ({}, [], None)}


def written_share(held: Resources, ledger: Ledger, settings: Settings) -> str:
    """The dominant share of what somebody holds, as it is written."""
    return f"{dominant_share(held, ledger.totals, settings.unshared_resources):.4f}"

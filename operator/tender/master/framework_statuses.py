"""What the master tells people of a framework: its share, what it holds, and why it was not offered more. Pure."""

from collections.abc import Mapping
from typing import Any

from tender.allocation import CycleResult, Ledger, Settings
from tender.allocation.shares import add_into
from tender.api.conditions import THROTTLED
from tender.api.quantities import format_resources
from tender.master.statuses import News, without_empty, written_share
from tender.master.throttle import WITHIN_BUDGET


def framework_status(
    name: str,
    ledger: Ledger,
    result: CycleResult,
    settings: Settings,
    throttled: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The master's part of a framework's status. `throttled` is the condition of that type, if there is one."""
    held, offered = ledger.held(name), ledger.offered(name)
    allocated = dict(held)
    add_into(allocated, offered, -1)
    return {
        **({} if throttled is None else {"conditions": [dict(throttled)]}),
        "allocation": without_empty(
            {
                "dominantShare": written_share(held, ledger, settings),
                "allocated": format_resources(allocated),
                "offered": format_resources(offered),
                "notOffered": [
                    {"reason": one.reason.value, "nodes": one.nodes, "message": one.message[:1024]}
                    for one in result.not_offered.get(name, ())
                ],
            }
        ),
    }


def news_of_throttling(before: Mapping[str, Any], after: Mapping[str, Any]) -> News | None:
    """What has to be told when a framework's status becomes another: that it is throttled, for what, or no longer."""
    was, now = (
        next((one for one in status.get("conditions", ()) if one["type"] == THROTTLED), None)
        for status in (before, after)
    )
    if now is None or now["reason"] == (WITHIN_BUDGET if was is None else was["reason"]):
        return None
    throttled = now["status"] == "True"
    return News(THROTTLED if throttled else now["reason"], now["message"], warning=throttled)

"""What the master tells people of a framework: its share, what it holds, and why it was not offered more. Pure."""

from typing import Any

from tender.allocation import CycleResult, Ledger, Settings
from tender.allocation.shares import add_into
from tender.api.quantities import format_resources
from tender.master.statuses import without_empty, written_share


def framework_status(name: str, ledger: Ledger, result: CycleResult, settings: Settings) -> dict[str, Any]:
    """The master's part of a framework's status."""
    held, offered = ledger.held(name), ledger.offered(name)
    allocated = dict(held)
    add_into(allocated, offered, -1)
    return {
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
        )
    }

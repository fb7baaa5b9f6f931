"""Requests to plans and pods of a stateful service: the list with one more, as a patch of the Framework."""

from collections.abc import Mapping, Sequence
from typing import Any

from tender.cli.views.refused import RefusedError
from tender.cli.views.standings import stateful_status

KEPT = 32
"""How many requests stay in a spec; beyond that, those that were answered go, the oldest first. It takes 64."""

Object = Mapping[str, Any]


def with_request(framework: Object, kind: str, request: Object) -> dict[str, Any]:
    """The patch that adds a request; `kind` is planRequests or podRequests.

    Raises RefusedError for a framework of another kind.
    """
    stateful = framework["spec"].get("stateful")
    if stateful is None:
        raise RefusedError(f"framework {framework['metadata']['name']} is no stateful service: it has no plans")
    present: Sequence[Object] = stateful.get(kind, ())
    answered = {one["id"] for one in stateful_status(framework).get(kind, ())}
    superfluous = len(present) + 1 - KEPT
    kept = []
    for one in present:
        if superfluous > 0 and one["id"] in answered:
            superfluous -= 1
        else:
            kept.append(one)
    return {"spec": {"stateful": {kind: [*kept, request]}}}

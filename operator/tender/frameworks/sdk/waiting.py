"""What a framework's tasks wait for (`Framework.status.waiting`): Marathon's statistics of offers, kept in the status.

The last offer of a node is known from this turn, from offers that were answered and still stand, or from the status
itself. So it outlasts a restart, and of up to 32 nodes it is complete at any time; of more, while refusals last.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tender.api.framework import RefusedNode, Waiting
from tender.api.timestamps import timestamp
from tender.frameworks.sdk.funnel import REASONS, Refusal

MOST_NODES = 32
_LONGEST_MESSAGE = 256


def still_waiting(
    before: Waiting | None,
    tasks: int,
    refusals: Iterable[Refusal],
    *,
    placed: bool,
    of_use: Iterable[str] = (),
    nodes: Iterable[str] | None = None,
    now: float,
) -> dict[str, Any] | None:
    """The field as it is to be written; None when nothing waits. It changes by time alone in nothing.

    `before` is what is written now, `tasks` how many wait. `placed` if a task was placed in this turn; `of_use` names
    the nodes of which something is claimed; of those not among `nodes` (None: not known) nothing is said any more.
    """
    if tasks <= 0:
        return None
    known = {one.node: one for one in before.nodes} if before is not None else {}
    last = {name: one for name, one in known.items() if nodes is None or name in nodes}
    for name in of_use:
        last.pop(name, None)
    for refusal in refusals:
        last[refusal.node] = _refused(refusal, known.get(refusal.node), now)
    since = timestamp(int(now)) if placed or before is None else timestamp(before.since.timestamp())
    newest = sorted(sorted(last.values(), key=lambda one: one.node), key=lambda one: one.at, reverse=True)
    waiting: dict[str, Any] = {"since": since, "tasks": tasks}
    if last:
        waiting["reasons"] = _reasons(last.values())
        waiting["nodes"] = [one.manifest() for one in newest[:MOST_NODES]]
    return waiting


def _refused(refusal: Refusal, known: RefusedNode | None, now: float) -> RefusedNode:
    """A refused node as it is written. While the reason stays, so does the time."""
    reason = refusal.obstacle.reason
    at = datetime.fromtimestamp(int(now if refusal.at is None else refusal.at), UTC)
    return RefusedNode(
        node=refusal.node,
        task=refusal.task,
        reason=reason,
        message=_cut(refusal.obstacle.message),
        at=known.at if known is not None and known.reason == reason else at,
    )


def _reasons(nodes: Iterable[RefusedNode]) -> list[dict[str, Any]]:
    """How many nodes were refused for each reason, in the order of the funnel, and one of them as an example."""
    by_reason: dict[str, list[RefusedNode]] = {}
    for one in nodes:
        by_reason.setdefault(one.reason, []).append(one)
    order = {reason: place for place, reason in enumerate(REASONS)}
    told = []
    for reason in sorted(by_reason, key=lambda one: (order.get(one, len(order)), one)):
        own = by_reason[reason]
        example = min(own, key=lambda one: one.node)
        told.append({"reason": reason, "nodes": len(own), "message": f"{example.node}: {example.message}"[:512]})
    return told


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"

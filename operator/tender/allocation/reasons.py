"""Why frameworks were not offered nodes: worked out after a cycle, for all nodes at once.

A node counts once, under the first thing that stands in the way: what the node is, then what lay free there when the
cycle began, then what was refused, then quotas and headroom, and at last that others, who hold less, were served first.
"""

from collections.abc import Iterable, Iterator

from tender.allocation.account import Account
from tender.allocation.model import NotOffered, Reason
from tender.allocation.pool import describe, enough
from tender.allocation.shares import positive
from tender.allocation.slots import each_from, first_from
from tender.allocation.tasks import Want
from tender.allocation.whole_nodes import WholeNodes
from tender.api.quantities import Resources

Cause = tuple[Reason, str, int]
"""A reason, in words, and the nodes that were not offered for it."""

_FILTERED = "as much was refused a short time ago"
_HEADROOM = "what is free is kept for guarantees that are not met"
_SHARE_ORDER = "frameworks that hold less were served first"


def summary(causes: Iterable[Cause]) -> tuple[NotOffered, ...]:
    """The reasons with their numbers of nodes, the most frequent first, each with the first message given for it."""
    counts: dict[Reason, int] = {}
    messages: dict[Reason, str] = {}
    for reason, message, nodes in causes:
        counts[reason] = counts.get(reason, 0) + nodes.bit_count()
        messages.setdefault(reason, message)
    return tuple(
        NotOffered(reason, count, messages[reason])
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def of_whole_nodes(one: WholeNodes, account: Account) -> Iterator[Cause]:
    """Why a framework without demand was not offered more than the nodes it was granted."""
    left = _Left(account.pool.scope & ~one.granted.nodes())
    pool = account.pool
    for reason, message, nodes in one.suit.obstacles:
        yield from left.take(reason, message, nodes)
    if short := left.nodes & ~pool.room(one.minimum, reserved=True):
        named = {resource for sets in one.minimum for resource in sets}
        if some := short & pool.something_of(named):
            amounts = describe(positive(account.pool.at_start(first_from(some, 0)).free))
            yield from left.take(Reason.TOO_SMALL, f"{amounts} is less than the minimum offer", some)
        yield from left.take(Reason.EXHAUSTED, "nothing is free", short)
    if reserved := left.nodes & ~pool.room(one.minimum):
        yield from _reserved(one, left, reserved, account)
    yield from left.take(Reason.FILTERED, _FILTERED, one.filtered)
    if not left.nodes:
        return
    role = one.member.role
    still = left.nodes & pool.room_now(one.minimum, reserved=True)
    if account.bound(role):
        first = first_from(still or left.nodes, 0)
        there = account.at_start(one.member, first)
        within = account.quotas.cut(role, there)
        if not enough(within, one.minimum):
            words = account.quotas.breach(role, there) or f"quota of role {role} is used up"
            yield from left.take(Reason.QUOTA, words, left.nodes)
        else:
            yield from left.take(Reason.HEADROOM, _HEADROOM, still)
    yield from left.take(Reason.SHARE_ORDER, _SHARE_ORDER, left.nodes)


def of_want(want: Want, account: Account) -> Iterator[Cause]:
    """Why no more tasks of a demand were offered."""
    left = _Left(account.pool.scope)
    pool, requests, role = account.pool, want.requests, want.member.role
    for reason, message, nodes in want.suit.obstacles:
        yield from left.take(reason, message, nodes)
    missing = f"a task needs {describe(requests)}, and less is free"
    yield from left.take(Reason.EXHAUSTED, missing, left.nodes & ~pool.fitting(requests, reserved=True))
    if reserved := left.nodes & ~pool.fitting(requests):
        yield from _reserved_from(want, left, reserved, account)
    most = want.demand.max_per_node
    if most is not None:
        filled = sum(1 << slot for slot, count in want.placed.items() if count >= most)
        yield from left.take(Reason.UNSUITABLE, f"a node may hold {most} of {want.demand.name} at most", filled)
    yield from left.take(Reason.FILTERED, _FILTERED, want.filtered)
    if not left.nodes:
        return
    if (breach := account.quotas.breach(role, requests)) is not None and account.bound(role):
        nodes = left.nodes & ~want.entitled
        yield from left.take(Reason.QUOTA, breach, nodes)
    yield from left.take(Reason.HEADROOM, _HEADROOM, left.nodes & pool.fitting_now(requests, reserved=True))
    own = sum(1 << slot for slot in want.mine if left.nodes >> slot & 1 and _filled_by_itself(want, slot, account))
    yield from left.take(Reason.EXHAUSTED, "filled by the tasks that it is offered for now", own)
    yield from left.take(Reason.SHARE_ORDER, _SHARE_ORDER, left.nodes)


class _Left:
    """The nodes that no reason has been found for yet."""

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes

    def take(self, reason: Reason, message: str, nodes: int) -> Iterator[Cause]:
        """Count those of these nodes that are left."""
        concerned = nodes & self.nodes
        if concerned:
            self.nodes ^= concerned
            yield reason, message, concerned


def _reserved(one: WholeNodes, left: _Left, nodes: int, account: Account) -> Iterator[Cause]:
    """Nodes with room, but for what is reserved there for others."""
    own = sum(
        1 << slot for slot in each_from(nodes & one.entitled) if enough(account.at_start(one.member, slot), one.minimum)
    )
    if others := nodes & ~own:
        slot = first_from(others, 0)
        free = describe(positive(account.pool.at_start(slot).free))
        yield from left.take(Reason.RESERVED, f"{free} is free, reserved for {_holders(slot, account)}", others)


def _reserved_from(want: Want, left: _Left, nodes: int, account: Account) -> Iterator[Cause]:
    requests = want.requests
    own = sum(
        1 << slot
        for slot in each_from(nodes & want.entitled)
        if account.at_start(want.member, slot, requests) == requests
    )
    if others := nodes & ~own:
        holders = _holders(first_from(others, 0), account)
        needs = describe(requests)
        yield from left.take(Reason.RESERVED, f"a task needs {needs}; what is free is reserved for {holders}", others)


def _holders(slot: int, account: Account) -> str:
    return ", ".join(sorted({role for role, _ in account.pool.at_start(slot).kept or ()}))


def _filled_by_itself(want: Want, slot: int, account: Account) -> bool:
    """Whether one task more would not have fitted even if nobody else had been served."""
    count = want.mine[slot] + 1
    wanted: Resources = {resource: amount * count for resource, amount in want.requests.items()}
    return account.at_start(want.member, slot, wanted) != wanted

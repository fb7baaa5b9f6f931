"""Why frameworks were not offered nodes: worked out after a cycle, for all nodes at once.

A node counts once, under the first thing that stands in the way: what the node is, then what lay free there when the
cycle began, then what was refused, then quotas and headroom, and at last that others, who hold less, were served first.

Messages say what is the case and what would have to change. Statuses carry them, so they are cheap to make, and no
figure in them changes by time alone; `explanation` adds what costs more when somebody asks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tender.allocation.account import Account
from tender.allocation.model import Member, NotOffered, Reason
from tender.allocation.pool import Stock, describe, enough
from tender.allocation.shares import positive, shared_scale
from tender.allocation.slots import each_from, first_from, joined
from tender.allocation.tasks import Tasks, Want
from tender.allocation.whole_nodes import WholeNodes
from tender.api.quantities import Resources

Cause = tuple[Reason, str, int]
"""A reason, in words, and the nodes that were not offered for it."""

_NO_NODES = NotOffered(
    Reason.EXHAUSTED, 0, "there is no node to offer; add nodes, or select more of them for the master"
)
_NOTHING_FREE = "nothing is free; free something there or add nodes"
_FILLED = "filled by the tasks that it is offered for now; add nodes for the others"
_FILTERED = "as much was refused a short time ago; it is offered again when the refusal ends or the demand changes"
_MOST_ROLES = 3
"""So many roles are named in one message."""


class _Kind(NamedTuple):
    """What was in the way of all who want the same, the other nodes, their number, and those reserved for anybody."""

    causes: list[Cause]
    rest: int
    number: int
    reserved: int


class Reasons:
    """Finds what stood in the way in one cycle, after it. What is the same for many is put into words once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._shared = shared_scale(account.ledger.totals, account.settings.unshared_resources)
        self._minimums: dict[int, str] = {}
        self._kinds: dict[tuple[int, int], _Kind] = {}
        self._kept: dict[tuple[str, ...], str] = {}

    def of(self, claimants: Sequence[WholeNodes | Tasks]) -> tuple[NotOffered, ...]:
        """What a framework is told, given what it took in each of its roles; nothing if it lacks nothing."""
        if len(claimants) == 1:
            if (told_at_once := self._at_once(claimants[0])) is not None:
                return told_at_once
            causes = self._first_causes(claimants[0], 0)
            if causes is None:
                return ()
            told = summary(causes)
        else:
            by_role = {}
            for one in claimants:
                causes = self._first_causes(one, granted_elsewhere(one, claimants))
                if causes is not None:
                    by_role[one.member.role] = causes
            if not by_role:
                return ()
            told = summary_of_roles(by_role)
        if not told and any(one.granted for one in claimants if isinstance(one, WholeNodes)):
            return ()
        return told or (_NO_NODES,)

    def _at_once(self, one: WholeNodes | Tasks) -> tuple[NotOffered, ...] | None:
        """What is told to one, as mostly to the most, in whose way were only its refusals and those who came first."""
        account = self._account
        if account.pool.live or not isinstance(one, WholeNodes) or account.bound(one.member.role):
            return None
        kind = self._from_the_start(one)
        if kind.causes or kind.reserved:
            return None
        refused = (one.filtered & kind.rest).bit_count() if one.filtered else 0
        told = [NotOffered(Reason.FILTERED, refused, _FILTERED)] if refused else []
        others = kind.number - refused - len(one.granted)
        if others:
            told.insert(others <= refused, NotOffered(Reason.SHARE_ORDER, others, self._share_order(one.member)))
        return tuple(told) if told or one.granted else None

    def of_whole_nodes(self, one: WholeNodes, elsewhere: int = 0) -> Iterator[Cause]:
        """Why a framework without demand was not offered more than the nodes it was granted, here or `elsewhere`."""
        account = self._account
        pool = account.pool
        kind = self._from_the_start(one)
        yield from kind.causes
        left = _Left(kind.rest & ~(one.granted.nodes() | elsewhere))
        if reserved := left.nodes & kind.reserved:
            yield from self._reserved(one, left, reserved)
        if one.filtered:
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
                yield from left.take(Reason.QUOTA, _quota(account.quotas.breach(role, there), role), left.nodes)
            else:
                yield from left.take(Reason.HEADROOM, self._headroom(there), still)
        if left.nodes:
            yield from left.take(Reason.SHARE_ORDER, self._share_order(one.member), left.nodes)

    def _from_the_start(self, one: WholeNodes) -> "_Kind":
        """What was in the way before anybody was served, which is the same for all who want the same."""
        key = (id(one.suit), id(one.minimum))
        known = self._kinds.get(key)
        if known is None:
            pool = self._account.pool
            left = _Left(pool.scope)
            causes = [cause for obstacle in one.suit.obstacles for cause in left.take(*obstacle)]
            if short := left.nodes & ~pool.room(one.minimum, reserved=True):
                named = {resource for sets in one.minimum for resource in sets}
                causes += left.take(Reason.TOO_SMALL, self._below(one.minimum), short & pool.something_of(named))
                causes += left.take(Reason.EXHAUSTED, _NOTHING_FREE, short)
            reserved = left.nodes & ~pool.room(one.minimum)
            known = self._kinds[key] = _Kind(causes, left.nodes, left.nodes.bit_count(), reserved)
        return known

    def of_want(self, want: Want, elsewhere: int = 0) -> Iterator[Cause]:
        """Why no more tasks of a demand were offered. `elsewhere`: where it was granted some in other roles."""
        account = self._account
        pool, requests, role = account.pool, want.requests, want.member.role
        left = _Left(pool.scope)
        for reason, message, nodes in want.suit.obstacles:
            yield from left.take(reason, message, nodes)
        if short := left.nodes & ~pool.fitting(requests, reserved=True):
            yield from left.take(Reason.EXHAUSTED, _short_of(requests), short)
        if reserved := left.nodes & ~pool.fitting(requests):
            yield from self._reserved_from(want, left, reserved)
        most = want.demand.max_per_node
        if most is not None:
            filled = joined(slot for slot, count in want.placed.items() if count >= most)
            message = f"a node may hold {most} of {want.demand.name} at most; raise maxPerNode or add nodes"
            yield from left.take(Reason.UNSUITABLE, message, filled)
        yield from left.take(Reason.FILTERED, _FILTERED, want.filtered)
        if not left.nodes:
            return
        if (breach := account.quotas.breach(role, requests, of_task=True)) is not None and account.bound(role):
            beyond = joined(
                slot for slot in each_from(left.nodes & want.entitled) if _beyond_quota(want, slot, account)
            )
            yield from left.take(Reason.QUOTA, _quota(breach, role), left.nodes & ~want.entitled | beyond)
        if still := left.nodes & pool.fitting_now(requests, reserved=True):
            yield from left.take(Reason.HEADROOM, self._headroom(requests), still)
        own = joined(slot for slot in want.mine() if left.nodes >> slot & 1 and _filled_by_itself(want, slot, account))
        yield from left.take(Reason.EXHAUSTED, _FILLED, own | elsewhere)
        if left.nodes:
            yield from left.take(Reason.SHARE_ORDER, self._share_order(want.member), left.nodes)

    def _first_causes(self, one: WholeNodes | Tasks, elsewhere: int) -> Iterator[Cause] | None:
        """Of a demand of several tasks, its first entry that is not met."""
        if isinstance(one, WholeNodes):
            return self.of_whole_nodes(one, elsewhere)
        want = next(one.unmet(), None)
        return None if want is None else self.of_want(want, elsewhere)

    def _below(self, minimum: tuple[Resources, ...]) -> str:
        words = self._minimums.get(id(minimum))
        if words is None:
            least = " or ".join(describe(one) for one in minimum)
            words = f"less is free than the minimum offer of {least}; free more there or lower spec.offers.minimum"
            self._minimums[id(minimum)] = words
        return words

    def _reserved(self, one: WholeNodes, left: "_Left", nodes: int) -> Iterator[Cause]:
        """Nodes with room, but for what is reserved there for others."""
        account = self._account
        if one.entitled:
            own = (slot for slot in each_from(nodes & one.entitled))
            nodes &= ~joined(slot for slot in own if enough(account.at_start(one.member, slot), one.minimum))
        if nodes:
            yield from left.take(Reason.RESERVED, words_of_reserved(first_from(nodes, 0), account), nodes)

    def _reserved_from(self, want: Want, left: "_Left", nodes: int) -> Iterator[Cause]:
        account, requests = self._account, want.requests
        if want.entitled:
            own = (slot for slot in each_from(nodes & want.entitled))
            nodes &= ~joined(slot for slot in own if account.at_start(want.member, slot, requests) == requests)
        if nodes:
            words = words_of_reserved(first_from(nodes, 0), account, requests)
            yield from left.take(Reason.RESERVED, words, nodes)

    def _headroom(self, wanted: Resources) -> str:
        """What is kept of these resources, and for whom."""
        required = self._account.quotas.required
        resources = tuple(sorted(name for name in wanted if required.get(name, 0) > 0))
        words = self._kept.get(resources)
        if words is None:
            words = self._kept[resources] = self._kept_of(resources)
        return words

    def _kept_of(self, resources: tuple[str, ...]) -> str:
        if not resources:
            return "what is free was kept for guarantees that this cycle has met; the next one offers it"
        required = self._account.quotas.required
        roles = sorted(self._account.quotas.unmet_roles(resources))
        named = ", ".join(roles[:_MOST_ROLES])
        others = f" and {len(roles) - _MOST_ROLES} more" if len(roles) > _MOST_ROLES else ""
        kept = describe({name: required[name] for name in resources})
        plural = "s" if len(roles) > 1 else ""
        return (
            f"{kept} is kept for guarantees that are not met (role{plural} {named}{others}); "
            "free as much more, add nodes or lower the guarantee" + plural
        )

    def _share_order(self, member: Member) -> str:
        if self._account.settings.sorter == "random":
            return "the lot fell on other frameworks first; add nodes or raise the weight of its role"
        share = self._account.ledger.share_of(member, self._shared)
        return (
            f"others came first in the order of shares (its own in role {member.role} was {share:.4f}); "
            "add nodes or raise the weight of its role"
        )


def summary(causes: Iterable[Cause]) -> tuple[NotOffered, ...]:
    """The reasons with their numbers of nodes, the most frequent first, each with the first message given for it."""
    counts: dict[Reason, int] = {}
    messages: dict[Reason, str] = {}
    for reason, message, nodes in causes:
        counts[reason] = counts.get(reason, 0) + nodes.bit_count()
        messages.setdefault(reason, message)
    return _sorted(counts, messages)


def summary_of_roles(causes: Mapping[str, Iterable[Cause]]) -> tuple[NotOffered, ...]:
    """The same for a framework in several roles: what was in the way in any of them.

    A node counts once for each reason. A message that is not the same in all roles says in which it applies.
    """
    nodes: dict[Reason, int] = {}
    messages: dict[Reason, dict[str, str]] = {}
    for role, of_role in causes.items():
        for reason, message, concerned in of_role:
            nodes[reason] = nodes.get(reason, 0) | concerned
            messages.setdefault(reason, {}).setdefault(role, message)
    words = {}
    for reason, by_role in messages.items():
        same = len(by_role) == len(causes) and len(set(by_role.values())) == 1
        each = by_role.values() if same else (f"in role {role}: {message}" for role, message in by_role.items())
        words[reason] = next(iter(each)) if same else ". ".join(each)
    return _sorted({reason: concerned.bit_count() for reason, concerned in nodes.items()}, words)


def granted_elsewhere(one: WholeNodes | Tasks, all_roles: Iterable[WholeNodes | Tasks]) -> int:
    """The nodes that a framework was granted something on in roles other than this one."""
    nodes = 0
    for other in all_roles:
        if other is not one:
            nodes |= other.granted.nodes()
    return nodes


def needs(requests: Resources) -> str:
    """What a task needs, in words. That it is a pod goes without saying."""
    return describe({name: amount for name, amount in requests.items() if name != "pods"} or requests)


def words_of_reserved(slot: int, account: Account, requests: Resources | None = None) -> str:
    """What is free on a node (or that these requests of a task would fit there), and for whom it is reserved."""
    stock = account.pool.at_start(slot)
    what = describe(positive(stock.free)) if requests is None else f"a task needs {needs(requests)}, which"
    return f"{what} is free, but reserved for {', '.join(holders_of(stock))}; end a reservation or add nodes"


def holders_of(stock: Stock) -> tuple[str, ...]:
    """For whom a node is reserved, in words."""
    groups = sorted((role, named or "") for role, named in stock.kept or ())
    return tuple(f"{role} (framework {named})" if named else role for role, named in groups)


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


def _sorted(counts: Mapping[Reason, int], messages: Mapping[Reason, str]) -> tuple[NotOffered, ...]:
    if len(counts) < 2:
        return tuple([NotOffered(reason, count, messages[reason]) for reason, count in counts.items()])
    return tuple(
        NotOffered(reason, count, messages[reason])
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _short_of(requests: Resources) -> str:
    return f"a task needs {needs(requests)}, and less is free; free as much on one node, add nodes or ask for less"


def _quota(breach: str | None, role: str) -> str:
    return f"{breach or f'quota of role {role} is used up'}; raise its limit or free some"


def _beyond_quota(want: Want, slot: int, account: Account) -> bool:
    """Whether a task would fit a node with reservations for it, but for a quota."""
    takings = account.takings(want.member, slot, want.requests)
    return takings.there == want.requests and takings.within_quota != want.requests


def _filled_by_itself(want: Want, slot: int, account: Account) -> bool:
    """Whether one task more would not have fitted even if nobody else had been served."""
    count = want.mine()[slot] + 1
    wanted: Resources = {resource: amount * count for resource, amount in want.requests.items()}
    return account.at_start(want.member, slot, wanted) != wanted

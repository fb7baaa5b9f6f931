"""What a framework with demand can take in a cycle: one task at a time, so that fairness holds per task.

Tasks spread: each goes to the next node with room, round robin. Nodes with a scarce resource come last for tasks that
do not use it, and nodes where the framework has refused something come last of all, and then for so many tasks at once
that the offer holds more than was refused.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tender.allocation.account import Account, Portion
from tender.allocation.filters import is_refused
from tender.allocation.granted import Granted
from tender.allocation.ledger import Ledger
from tender.allocation.model import Demand, Framework, Member
from tender.allocation.pool import Draw
from tender.allocation.shares import add_into
from tender.allocation.slots import PATIENCE, Walk
from tender.allocation.suitability import wants_of_task
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random


class Need:
    """How many tasks of one demand a framework still lacks, in all of its roles together."""

    __slots__ = ("missing",)

    def __init__(self, missing: int) -> None:
        self.missing = missing


class Needs:
    """What a framework still lacks, and what it was given on nodes where it had refused something."""

    def __init__(self, ledger: Ledger, framework: Framework) -> None:
        self.of = {entry.name: Need(missing(ledger, framework, entry)) for entry in framework.demand or ()}
        self.given: dict[int, dict[str, int]] = {}


class Tasks:
    """A framework that wants tasks, in one role. Each demand is served in turn until it is met or no node has room."""

    def __init__(
        self, framework: Framework, member: Member, account: Account, now: float, needs: Needs, rng: "Random"
    ) -> None:
        self.member = member
        self.granted = Granted()
        self._account = account
        refused, _ = account.ledger.filters(framework.name, now)
        self._all = [
            Want(framework, member, entry, account, self.granted, refused, now, needs, rng)
            for entry in framework.demand or ()
            if needs.of[entry.name].missing > 0
        ]
        self._wants = deque(self._all)

    def unmet(self) -> "Iterator[Want]":
        """The demands that are not met yet."""
        return (want for want in self._all if want.need.missing > 0)

    def take(self, *, owed: bool) -> Portion | None:
        """Take the next portion; None when every demand is met or cannot be.

        With `owed`, only tasks that bring the role nearer to its guarantee count.
        """
        skipped: list[Want] = []
        portion = None
        while self._wants and portion is None:
            want = self._wants[0]
            if owed and self._account.quotas.guaranteed(self.member.role).keys().isdisjoint(want.requests):
                skipped.append(self._wants.popleft())
                continue
            if want.need.missing > 0:
                portion = want.place()
            if portion is None:
                self._wants.popleft()
        if skipped:
            self._wants.extendleft(reversed(skipped))
        return portion


def is_met(ledger: Ledger, framework: Framework) -> bool:
    """Whether a framework with demand has, in tasks running, claimed or on offer, all that it wants."""
    return framework.demand is not None and all(missing(ledger, framework, entry) <= 0 for entry in framework.demand)


def missing(ledger: Ledger, framework: Framework, entry: Demand) -> int:
    """How many tasks of a demand are neither running nor claimed nor on offer."""
    return entry.count - sum(ledger.tasks(framework.name, entry.name).values())


def requests_of(entry: Demand) -> dict[str, int]:
    """What one task of a demand takes, of what it takes at all."""
    return {name: amount for name, amount in entry.requests.items() if amount > 0}


class Want:
    """One demand during a cycle: how many tasks are missing and which nodes may still have room.

    `filtered` are the nodes left out as too little would be offered there after a refusal.
    """

    def __init__(
        self,
        framework: Framework,
        member: Member,
        demand: Demand,
        account: Account,
        granted: Granted,
        refused: int,
        now: float,
        needs: Needs,
        rng: "Random",
    ) -> None:
        self.requests = requests_of(demand)
        self.demand = demand
        self.member = member
        self.need = needs.of[demand.name]
        self.filtered = 0
        self._granted = granted
        self._given = needs.given
        self._account = account
        self._now = now
        self._bound = account.bound(member.role)
        pool = account.pool
        slots = pool.table.slots
        placed = account.ledger.tasks(framework.name, demand.name) if demand.max_per_node is not None else {}
        self.placed = {slots[name]: count for name, count in placed.items() if name in slots}
        scarce = account.settings.scarce_resources
        wants = wants_of_task(framework, demand, scarce)
        self.suit = pool.table.suit(wants)
        self.entitled = account.entitled(member) & self.suit.nodes
        roomy = pool.fitting(self.requests) & self.suit.nodes
        if self.entitled:
            roomy |= pool.fitting(self.requests, reserved=True) & self.entitled
        spared = 0
        for resource in scarce - wants.unasked - self.requests.keys():
            spared |= pool.table.having(resource)
        start = rng.randrange(len(pool.table.names)) if roomy else 0
        fresh = roomy & ~refused
        self._fresh = [Walk(nodes, start) for nodes in (fresh & ~spared, fresh & spared) if nodes]
        self._open: deque[int] = deque()
        self._refused = Walk(roomy & refused, start)

    def mine(self) -> dict[int, int]:
        """How many tasks it was given, by the slot of the node."""
        return self._granted.tasks(self.demand.name)

    def place(self) -> Portion | None:
        """Take the next portion; None when no node has room or a limit forbids it."""
        if self._bound and not self._within_terms():
            return None
        while self._fresh:
            portion = self._next_fresh()
            if portion is not None:
                return portion
        while self._open:
            portion = self._portion(self._open.popleft())
            if portion is not None:
                return portion
        while (slot := self._refused.next()) is not None:
            count = self._least_past_refusal(slot)
            portion = self._portion(slot, count) if count <= self.need.missing else None
            if portion is not None:
                add_into(self._given.setdefault(slot, {}), portion.resources)
                return portion
            if count > 1:
                self.filtered |= 1 << slot
        return None

    def _next_fresh(self) -> Portion | None:
        """A task on the next node that has none yet, or None when this set of nodes is done with."""
        walk = self._fresh[0]
        full = 0
        while (slot := walk.next()) is not None:
            portion = self._portion(slot)
            if portion is not None:
                return portion
            full += 1
            if full == PATIENCE:
                walk.cut(self._fitting_now(self._account.pool.fitting_now))
        self._fresh.pop(0)
        return None

    def _fitting_now(self, fitting: Callable[..., int]) -> int:
        nodes = fitting(self.requests)
        if self.entitled:
            nodes |= fitting(self.requests, reserved=True) & self.entitled
        return nodes

    def _within_terms(self) -> bool:
        """Whether quotas and headroom may allow one more task anywhere; nodes where they do not are left out."""
        account = self._account
        room, kept = account.most(self.member.role)
        nodes = self.entitled
        if _at_most(self.requests, room):
            nodes |= account.pool.scope & ~account.headroom.nodes
            if _at_most(self.requests, kept):
                nodes |= account.headroom.nodes
        if not nodes:
            return False
        if nodes != account.pool.scope:
            for walk in (*self._fresh, self._refused):
                walk.cut(nodes)
        return True

    def _portion(self, slot: int, count: int = 1) -> Portion | None:
        """Take room for so many tasks on this node; None: then the node is done with."""
        most = self.demand.max_per_node
        if most is not None and self.placed.get(slot, 0) + count > most:
            return None
        wanted = self.requests if count == 1 else {one: amount * count for one, amount in self.requests.items()}
        account, pool = self._account, self._account.pool
        draws: tuple[Draw, ...] = ()
        if self._bound or (pool.reserved and pool.is_reserved(slot)):
            takings = account.takings(self.member, slot, wanted)
            if takings.allowed != wanted:
                return None
            draws = takings.draws
            account.take(self.member, slot, draws)
        elif not pool.take_if_there(slot, wanted):
            return None
        self.need.missing -= count
        if most is not None:
            self.placed[slot] = self.placed.get(slot, 0) + count
        self._open.append(slot)
        first = self._granted.add(slot, wanted, self.demand.name, count)
        return Portion(slot, wanted, first, draws)

    def _least_past_refusal(self, slot: int) -> int:
        """The least number of tasks that makes the offer of this node hold more than was refused there."""
        given: Mapping[str, int] = self._given.get(slot, {})
        offer = dict(given)
        add_into(offer, self.requests)
        name = self._account.pool.table.names[slot]
        refusals = self._account.ledger.refused_on(self.member.framework, name, self._now)
        if not is_refused(offer, refusals):
            return 1
        never = self.need.missing + 1
        return max(
            min(
                (
                    (refused.get(resource, 0) - given.get(resource, 0)) // amount + 1
                    for resource, amount in self.requests.items()
                    if resource != "pods"
                ),
                default=never,
            )
            for refused in refusals
        )


def _at_most(requests: Resources, most: Resources) -> bool:
    return all(amount <= most.get(resource, amount) for resource, amount in requests.items())

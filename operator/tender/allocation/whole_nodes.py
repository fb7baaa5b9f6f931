"""What a framework without demand can take in a cycle: all that is left of one node after the other.

This is Mesos' way. What is taken is cut to the quota of the role and to what is not kept for guarantees.
"""

import math
from dataclasses import replace

from tender.allocation.account import Account, Portion, Takings
from tender.allocation.filters import is_refused
from tender.allocation.granted import Granted
from tender.allocation.model import Framework, Member, Settings
from tender.allocation.pool import enough
from tender.allocation.shares import fits
from tender.allocation.slots import PATIENCE, first_from
from tender.api.quantities import Resources


class WholeNodes:
    """A framework that takes what it can get, in one role. Each node is looked at once: what is free only shrinks.

    `left` are the nodes that it may still take, `filtered` those that it would not have taken as it has refused them.
    """

    def __init__(self, framework: Framework, member: Member, account: Account, now: float, start: int) -> None:
        self.member = member
        self.granted = Granted()
        self.minimum = minimum_of(framework, account.settings)
        self._account = account
        self._now = now
        self._start = start
        self._bound = account.bound(member.role)
        self._later = 0
        pool = account.pool
        self.suit = pool.table.suit_of(framework, account.settings.scarce_resources)
        self.entitled = account.entitled(member) & self.suit.nodes
        refused, blocked = account.ledger.filters(framework.name, now)
        self.filtered = blocked & ~self.entitled
        self.left = pool.room(self.minimum) & self.suit.nodes & ~self.filtered
        if self.entitled:
            self.left |= pool.room(self.minimum, reserved=True) & self.entitled
        self._doubtful = self.left & refused

    def take(self, *, owed: bool) -> Portion | None:
        """Take the next portion; None when nothing more can be had.

        With `owed`, only portions that bring the role nearer to its guarantee count; other nodes are left for later.
        """
        if not self.left and not self._later:
            return None
        account = self._account
        guaranteed = account.quotas.guaranteed(self.member.role) if owed else None
        if guaranteed is not None:
            if not guaranteed:
                return None
        elif self._later:
            self.left |= self._later
            self._later = 0
        pool = account.pool
        reach = self.left & self._within_terms() if self._bound else self.left
        failed = 0
        while near := reach & pool.live:
            slot = first_from(near, self._start)
            if not self._bound and not (pool.reserved and pool.is_reserved(slot)):
                left = pool.left(slot, self.minimum)
                if left is not None and not (self._doubtful and self._refuses(slot, left)):
                    pool.take_all(slot)
                    self.granted.put(slot, left)
                    return Portion(slot, left, True)
                takings = None
            else:
                takings = self._takings(slot)
            bit = 1 << slot
            reach ^= bit
            self.left ^= bit
            if takings is None:
                failed += 1
                if failed == PATIENCE:
                    reach &= self._with_room_now()
            elif guaranteed is None or takings.allowed.keys() & guaranteed.keys():
                account.take(self.member, slot, takings.draws)
                return Portion(slot, takings.allowed, self.granted.add(slot, takings.allowed), takings.draws)
            else:
                self._later |= bit
        return None

    def _within_terms(self) -> int:
        """The nodes where quotas and headroom may leave enough to be worth an offer."""
        account = self._account
        room, kept = account.most(self.member.role)
        nodes = self.entitled
        if self._may_be_enough(room):
            nodes |= ~account.headroom.nodes
            if self._may_be_enough(kept):
                nodes |= account.headroom.nodes
        return nodes & account.pool.scope

    def _with_room_now(self) -> int:
        """The nodes where enough is left after what has been granted, of what quotas and headroom leave to the role."""
        account = self._account
        room, kept = account.most(self.member.role)
        outside = self._with_any_of(room) & ~account.headroom.nodes
        inside = self._with_any_of(kept) & account.headroom.nodes if account.headroom.nodes else 0
        return self.entitled | outside | inside

    def _with_any_of(self, most: Resources) -> int:
        """The nodes where one of the sets is left, of those sets that hold no more than this of anything."""
        pool = self._account.pool
        sets = self.minimum or [{resource: 1} for resource in self._account.ledger.totals if resource != "pods"]
        nodes = 0
        for one in sets:
            if fits(one, {**one, **most}):
                nodes |= pool.fitting_now(one)
        return nodes

    def _may_be_enough(self, most: Resources) -> bool:
        totals = self._account.ledger.totals
        return enough(
            {name: most.get(name, total) for name, total in totals.items() if most.get(name, 1)}, self.minimum
        )

    def _takings(self, slot: int) -> Takings | None:
        """What quotas, headroom and reservations leave of a node, if it is worth an offer."""
        takings = _with_fair_pods(self._account.takings(self.member, slot))
        if not enough(takings.allowed, self.minimum) or self._refuses(slot, takings.allowed):
            return None
        return takings

    def _refuses(self, slot: int, resources: Resources) -> bool:
        """Whether it has refused as much on this node."""
        if not self._doubtful >> slot & 1:
            return False
        account = self._account
        refused = account.ledger.refused_on(self.member.framework, account.pool.table.names[slot], self._now)
        if not is_refused(resources, refused):
            return False
        self.filtered |= 1 << slot
        return True


def minimum_of(framework: Framework, settings: Settings) -> tuple[Resources, ...]:
    """The sets of which an offer to a framework holds at least one."""
    return settings.minimum_offer if framework.minimum is None else framework.minimum


def _with_fair_pods(takings: Takings) -> Takings:
    """The takings with as many of the node's pods as of what else is there: a part must not use them all up."""
    allowed, there = takings.allowed, takings.there
    pods = allowed.get("pods", 0)
    part = max((amount / there[name] for name, amount in allowed.items() if name != "pods"), default=1.0)
    spared = pods - math.ceil(pods * part)
    if spared <= 0:
        return takings
    draws = []
    left_over = spared
    for group, amounts in reversed(takings.draws):
        there_are = amounts.get("pods", 0)
        less = min(there_are, left_over)
        left_over -= less
        draws.append((group, {**amounts, "pods": there_are - less} if less else amounts))
    return replace(takings, allowed={**allowed, "pods": pods - spared}, draws=tuple(reversed(draws)))

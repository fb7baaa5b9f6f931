"""Which outstanding offers would go to others if all of them were made anew, now that weights or parents have changed.

The offers are put aside for a moment, and a cycle says what each role would get. Roles that would get less than they
have on offer give up offers for those that would get more: the smallest first, no framework below what it would get
anew, and no more in all than the others lack. An offer of several nodes can only end as a whole: one that holds too
much ends, and the next cycle offers the rest of it again. At last a cycle tells whether those others would really get
what is given up (they may have refused those nodes); if not, it is left alone.

Offers differ from what would be offered anew for other reasons too: who came first, or who was served first of equals.
Only what the change brings about counts. With a higher weight a role and those below it gain, with a lower one they
lose. In another place in the tree anybody may do either, but nobody loses who would have got as little before.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tender.allocation.cycle import run_cycle, taking_part
from tender.allocation.just_enough import just_enough
from tender.allocation.ledger import Key, Ledger
from tender.allocation.model import Charge, Grant, Member, Settings
from tender.allocation.role_change import RoleChange
from tender.allocation.shares import add_into, dominant_share, positive
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

Outstanding = Sequence[tuple[Key, Charge]]
"""The charges of one offer, which end together."""


def outweighed(
    ledger: Ledger,
    settings: Settings,
    change: RoleChange,
    offers: Iterable[Outstanding],
    ending: Sequence[Key],
    now: float,
    rng: "Random",
) -> list[Key]:
    """The charges to take back of these offers, which come in the order in which they are to be given up.

    `ending` are charges of other offers that end anyway. The ledger, which knows of the change, and `rng` are left as
    they are. By lot every offer might be made again, so none is taken back.
    """
    moves = change.moves(ledger)
    if settings.sorter == "random" or not (moves or change.gain()):
        return []
    present = {framework.name for framework in taking_part(ledger)}
    made = [
        _Offer(member, offer)
        for offer in offers
        if (member := ledger.member_of(offer[0][1])) is not None and member.framework in present
    ]
    aside = [*ending, *(key for offer in made for key in offer.keys)]

    def cycle(without: Iterable[Key]) -> tuple[Grant, ...]:
        with _without(ledger, without):
            return run_cycle(ledger, settings, now, copy.copy(rng), explain=False).grants

    trial = _Trial(ledger, settings, made, cycle(aside))
    gaining, losing = trial.gaining(), trial.losing()
    if not moves:
        concerned = {role for role in gaining | losing if change.name in ledger.line(role)}
        gaining, losing = (gaining & concerned, losing) if change.gain() > 0 else (gaining, losing & concerned)
    if not gaining or not losing:
        return []
    if moves:
        with change.undone(ledger):
            earlier = _Sums.of(cycle(aside))
        losing = {role for role in losing if trial.share(earlier.role(role)) > trial.share(trial.anew.role(role))}
    trial.give_up(losing, gaining)
    if not trial.taken:
        return []
    result = cycle([*ending, *trial.keys()])
    trial.leave_alone_but_on({grant.node for grant in result if grant.role in gaining})
    return trial.keys()


class _Offer:
    """An offer, and how much it is of in all."""

    def __init__(self, member: Member, charges: Outstanding) -> None:
        self.member = member
        self.keys = [key for key, _ in charges]
        self.nodes = [charge.node for _, charge in charges]
        self.amounts: dict[str, int] = {}
        for _, charge in charges:
            add_into(self.amounts, charge.resources)


class _Sums:
    """What roles, and frameworks in them, have in all."""

    def __init__(self) -> None:
        self._roles: dict[str, dict[str, int]] = {}
        self._members: dict[Member, dict[str, int]] = {}

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> "_Sums":
        sums = cls()
        for grant in grants:
            sums.add(Member(grant.framework, grant.role), grant.resources)
        return sums

    def add(self, member: Member, amounts: Resources, sign: int = 1) -> None:
        add_into(self._roles.setdefault(member.role, {}), amounts, sign)
        add_into(self._members.setdefault(member, {}), amounts, sign)

    def role(self, name: str) -> Resources:
        return self._roles.get(name, {})

    def member(self, member: Member) -> Resources:
        return self._members.get(member, {})

    def roles(self) -> Iterable[str]:
        return self._roles


class _Trial:
    """What is on offer, and what would be if everything were offered anew; `taken` are the offers given up."""

    def __init__(self, ledger: Ledger, settings: Settings, offers: Sequence[_Offer], grants: Iterable[Grant]) -> None:
        self.anew = _Sums.of(grants)
        self.taken: dict[_Offer, None] = {}
        self._totals = ledger.totals
        self._unshared = settings.unshared_resources
        self._offers = offers
        self._left = _Sums()
        for offer in offers:
            self._left.add(offer.member, offer.amounts)
        self._lacking: dict[str, int] = {}

    def share(self, amounts: Resources) -> float:
        """How much of the cluster this is."""
        return dominant_share(amounts, self._totals, self._unshared)

    def losing(self) -> set[str]:
        """The roles that have more on offer than they would get."""
        return {role for role in self._left.roles() if self._has_too_much(role)}

    def gaining(self) -> set[str]:
        """The roles that would get more than they have on offer."""
        anew, left = self.anew, self._left
        return {role for role in anew.roles() if self.share(anew.role(role)) > self.share(left.role(role))}

    def give_up(self, losing: set[str], gaining: set[str]) -> None:
        """Choose from the offers of some roles as much as others would get more."""
        for role in gaining:
            add_into(self._lacking, _excess(self.anew, self._left, role))
        just_enough(self._candidates(losing), self._take, self._give_back, self._short)

    def leave_alone_but_on(self, nodes: Set[str]) -> None:
        """Give up only offers on these nodes."""
        for offer in [offer for offer in self.taken if nodes.isdisjoint(offer.nodes)]:
            del self.taken[offer]

    def keys(self) -> list[Key]:
        """The charges of what is given up."""
        return [key for offer in self.taken for key in offer.keys]

    def _short(self) -> dict[str, int]:
        """What is still to be given up, of the resources that shares are of."""
        return {name: amount for name, amount in positive(self._lacking).items() if name not in self._unshared}

    def _candidates(self, losing: set[str]) -> Iterator[_Offer]:
        """First what leaves a framework no less than it would be offered anew, then offers of several nodes."""
        offers = [offer for offer in self._offers if offer.member.role in losing]
        yield from (offer for offer in offers if self._spares(offer))
        for offer in offers:
            if len(offer.nodes) > 1 and offer not in self.taken and self._has_too_much(offer.member.role):
                yield offer

    def _spares(self, offer: _Offer) -> bool:
        member = offer.member
        for left, anew in (
            (self._left.role(member.role), self.anew.role(member.role)),
            (self._left.member(member), self.anew.member(member)),
        ):
            rest = dict(left)
            add_into(rest, offer.amounts, -1)
            if self.share(rest) < self.share(anew):
                return False
        return True

    def _has_too_much(self, role: str) -> bool:
        return self.share(self._left.role(role)) > self.share(self.anew.role(role))

    def _take(self, offer: _Offer) -> None:
        self.taken[offer] = None
        self._count(offer, -1)

    def _give_back(self, offer: _Offer) -> None:
        del self.taken[offer]
        self._count(offer, 1)

    def _count(self, offer: _Offer, sign: int) -> None:
        """Only what a role has too much of is for others: the rest it would get again."""
        role = offer.member.role
        add_into(self._lacking, _excess(self._left, self.anew, role), -1)
        self._left.add(offer.member, offer.amounts, sign)
        add_into(self._lacking, _excess(self._left, self.anew, role))


def _excess(some: _Sums, others: _Sums, role: str) -> dict[str, int]:
    """How much more a role has in the first than in the other."""
    excess = dict(some.role(role))
    add_into(excess, others.role(role), -1)
    return positive(excess)


@contextmanager
def _without(ledger: Ledger, keys: Iterable[Key]) -> Iterator[None]:
    """The ledger without these charges, for a while."""
    aside = [(key, charge) for key in keys if (charge := ledger.charge(key)) is not None]
    for key, _ in aside:
        ledger.remove_charge(key)
    try:
        yield
    finally:
        for key, charge in aside:
            ledger.put_charge(key, charge)

"""Why one framework waits, in full: in every role, for every demand that is not met, node by node.

Nothing is kept for it from cycle to cycle: a cycle is tried on the ledger as it is, which changes nothing, and the
causes (`reasons`) are resolved to names of nodes. What is too dear to tell everybody in every cycle is added here:
which node comes nearest, who holds the others, when refusals end, who was served instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tender.allocation.cycle import Claimant, Claimants, decide, why_idle
from tender.allocation.ledger import Ledger
from tender.allocation.model import Charge, Demand, Grant, Reason, Settings
from tender.allocation.pool import describe
from tender.allocation.reasons import Cause, Reasons, granted_elsewhere, holders_of, words_of_reserved
from tender.allocation.shares import add_into, dominant_share, fits
from tender.allocation.slots import each_from
from tender.allocation.whole_nodes import WholeNodes
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

_MOST_NAMED = 3
"""So many holders are named in one sentence."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way on these nodes: `message` as the framework's status has it, `detail` what else is known."""

    reason: Reason
    message: str
    detail: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a framework waits for in one role: so many tasks of a demand, or (both None) more of everything."""

    role: str
    demand: Demand | None
    missing: int | None
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a framework waits. `idle` says why it takes no part at all, `next_offers` what a cycle would offer it now."""

    idle: str
    waits: tuple[Wait, ...]
    next_offers: tuple[Grant, ...]


def explain(ledger: Ledger, settings: Settings, now: float, rng: "Random", framework: str) -> Explanation:
    """Why a framework, which the ledger knows, waits now. Takes about as long as a cycle."""
    asking = ledger.frameworks[framework]
    if idle := why_idle(asking):
        return Explanation(idle, (), ())
    claimants = decide(ledger, settings, now, rng)
    if claimants is None or asking not in claimants.waiting:
        return Explanation("", (), ())
    in_roles = claimants.of(asking)
    told = _InFull(claimants, now)
    waits = tuple(wait for one in in_roles for wait in told.waits(one, granted_elsewhere(one, in_roles)))
    return Explanation("", waits, tuple(grant for grant in claimants.grants() if grant.framework == framework))


class _InFull:
    """What was in the way in a cycle, with all that can be said of it."""

    def __init__(self, claimants: Claimants, now: float) -> None:
        self._claimants = claimants
        self._account = claimants.account
        self._ledger = claimants.account.ledger
        self._names = claimants.account.pool.table.names
        self._now = now

    def waits(self, one: Claimant, elsewhere: int) -> Iterator[Wait]:
        """What it waits for in one role; `elsewhere`: the nodes that it was granted something on in the others."""
        reasons = Reasons(self._account)
        role = one.member.role
        if isinstance(one, WholeNodes):
            causes = reasons.of_whole_nodes(one, elsewhere)
            yield Wait(role, None, None, tuple(self._obstacles(one, causes, None, one.minimum)))
            return
        for want in one.unmet():
            causes = reasons.of_want(want, elsewhere)
            obstacles = self._obstacles(one, causes, want.requests, (want.requests,))
            yield Wait(role, want.demand, want.need.missing, tuple(obstacles))

    def _obstacles(
        self, one: Claimant, causes: Iterable[Cause], requests: Resources | None, least: tuple[Resources, ...]
    ) -> Iterator[Obstacle]:
        """`requests` of a task, if it is about tasks; `least`: the sets of amounts of which one has to be free."""
        for reason, message, nodes in causes:
            match reason:
                case Reason.RESERVED:
                    for slots in self._grouped(nodes, lambda slot: holders_of(self._account.pool.at_start(slot))):
                        words = words_of_reserved(slots[0], self._account, requests)
                        yield Obstacle(reason, words, "", self._named(slots))
                    continue
                case Reason.EXHAUSTED | Reason.TOO_SMALL:
                    detail = self._of_room(nodes, least)
                case Reason.FILTERED:
                    detail = self._of_refusals(one.member.framework, nodes)
                case Reason.SHARE_ORDER:
                    detail = f"{self._of_shares(one.member.role)}{self._of_those_served(one, nodes)}"
                case _:
                    detail = ""
            yield Obstacle(reason, message, detail, self._named(each_from(nodes)))

    def _named(self, slots: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self._names[slot] for slot in slots))

    def _grouped(self, nodes: int, key: Callable[[int], tuple[str, ...]]) -> list[list[int]]:
        groups: dict[tuple[str, ...], list[int]] = {}
        for slot in each_from(nodes):
            groups.setdefault(key(slot), []).append(slot)
        return [slots for _, slots in sorted(groups.items())]

    def _of_room(self, nodes: int, least: tuple[Resources, ...]) -> str:
        """Which of these nodes comes nearest to having as much free, and who holds what is taken there."""
        free = {self._names[slot]: self._ledger.free(self._names[slot]) for slot in each_from(nodes)}
        if any(fits(one, amounts) for one in least for amounts in free.values()):
            return ""
        name, wanted = max(
            ((name, one) for name in sorted(free) for one in least or (self._ledger.totals,)),
            key=lambda pair: _nearness(free[pair[0]], pair[1]),
        )
        shown = {
            resource: max(0, free[name].get(resource, 0))
            for resource, amount in wanted.items()
            if resource != "pods" or free[name].get(resource, 0) < amount
        }
        nearest = f"{name} comes nearest, with {describe(shown)} free" if any(shown.values()) else "nothing is free"
        holders = self._holders(free, {resource for one in least for resource in one} or self._ledger.totals.keys())
        return f"{nearest}; held on these nodes by {holders}" if holders else nearest

    def _holders(self, nodes: Iterable[str], resources: Iterable[str]) -> str:
        wanted = frozenset(resources) - {"pods"}
        held: dict[str, dict[str, int]] = {}
        for node in nodes:
            for _, charge in self._ledger.charges_on(node):
                amounts = {name: amount for name, amount in charge.resources.items() if name in wanted}
                add_into(held.setdefault(_holder(charge), {}), amounts)
        present = [(holder, amounts) for holder, amounts in held.items() if amounts]
        present.sort(key=lambda item: (-dominant_share(item[1], self._ledger.totals), item[0]))
        return _listed([f"{holder} ({describe(amounts)})" for holder, amounts in present])

    def _of_refusals(self, framework: str, nodes: int) -> str:
        """When the refusals on these nodes end."""
        ends = [
            max(until) - self._now
            for slot in each_from(nodes)
            if (until := self._ledger.refusals_end(framework, self._names[slot], self._now))
        ]
        if not ends:
            return ""
        first, last = min(ends), max(ends)
        return f"ends in {last:.0f} s" if first == last else f"ends in {first:.0f} to {last:.0f} s, node by node"

    def _of_shares(self, role: str) -> str:
        """The shares by weight from the role up to the root: where it was decided who comes first."""
        totals, unshared = self._ledger.totals, self._account.settings.unshared_resources
        holdings = self._ledger.role_holdings()
        shares = [
            f"{above.name} {dominant_share(holdings.get(above.name, {}), totals, unshared) / above.weight:.4f}"
            for above in self._ledger.lineage(role)
        ]
        return f"shares of roles by weight: {', '.join(shares)}"

    def _of_those_served(self, one: Claimant, nodes: int) -> str:
        counts: Counter[str] = Counter()
        for other in self._claimants.served():
            if other.member.framework != one.member.framework and (theirs := other.granted.nodes() & nodes):
                counts[other.member.framework] += theirs.bit_count()
        served = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = _listed([f"{name} on {count}" for name, count in served])
        return f"; served there: {words}" if words else ""


def _nearness(free: Resources, wanted: Resources) -> tuple[float, float]:
    """How much of what is wanted is free: of the scarcest resource, and in all."""
    parts = [min(1.0, max(0, free.get(resource, 0)) / amount) for resource, amount in wanted.items() if amount > 0]
    return min(parts, default=0.0), sum(parts)


def _holder(charge: Charge) -> str:
    if charge.framework is None:
        return "pods outside of frameworks"
    return f"offers to {charge.framework}" if charge.offered else charge.framework


def _listed(words: Sequence[str]) -> str:
    others = f" and {len(words) - _MOST_NAMED} more" if len(words) > _MOST_NAMED else ""
    return ", ".join(words[:_MOST_NAMED]) + others

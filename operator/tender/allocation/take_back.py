"""Which outstanding offers are to be taken back, and just enough of them.

A limit that holds too little takes back offers of its role until the rest fits; a guarantee for which too little is
free takes back offers of others; weights and parents take back what would go to others now (`outweighed`); a node takes
back what it can no longer give. Offers that do not help are left alone, the smallest that help go first, and what turns
out not to be needed for the end is left alone after all. What frameworks have claimed is never touched, so a target may
be missed: then as much is taken back as helps.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tender.allocation.headroom import Headroom
from tender.allocation.just_enough import just_enough
from tender.allocation.ledger import Key, Ledger
from tender.allocation.model import Charge, Role, Settings
from tender.allocation.outweighed import outweighed
from tender.allocation.pool import Draw
from tender.allocation.quotas import Quotas
from tender.allocation.role_change import RoleChange
from tender.allocation.shares import add_into, dominant_share, positive
from tender.allocation.suitability import untolerated_taint
from tender.api.quantities import Resources

if TYPE_CHECKING:
    from random import Random

Bundle = Hashable
"""Offers are taken back in bundles: all slices of one offer object end together."""


def after_role_change(
    ledger: Ledger,
    settings: Settings,
    before: Role | None,
    after: Role | None,
    now: float,
    rng: "Random",
    bundle: Callable[[Key], Bundle] = lambda key: key,
) -> list[Key]:
    """The charges of outstanding offers to take back now that a role has changed, come (`before` None) or gone.

    The ledger knows of the change already. Whatever changed, wherever in the tree it shows: what a limit does not allow
    that it allowed before is taken back, and as much as is missing for guarantees in excess of what was missing before.
    For `now` and `rng` see `run_cycle`; `rng` is left as it is.
    """
    change = RoleChange(before, after)
    if before == after or not any(True for _ in ledger.offers()):
        return []
    with change.undone(ledger):
        old = _State(ledger, settings)
        exceeded, short = old.exceeded(), old.short()
    trial = _Trial(ledger, settings, bundle)
    for name, excess in trial.state.exceeded().items():
        more = _more(excess, exceeded.get(name, {}))
        trial.shrink(partial(trial.state.excess, name, more), within=name)
    trial.shrink(lambda: _more(trial.state.short(), short))
    return trial.taken + outweighed(ledger, settings, change, trial.rest(), trial.taken, now, rng)


def on_node(ledger: Ledger, settings: Settings, name: str) -> list[Key]:
    """The charges of outstanding offers to take back on a node that has changed, or on which more is used or reserved.

    All of them if nothing may start there, those whose framework does not tolerate its taints, and just enough to make
    what is used and what is reserved fit.
    """
    node = ledger.nodes[name]
    offers = [(key, charge) for key, charge in ledger.charges_on(name) if charge.offered]
    if node.unavailable:
        return [key for key, _ in offers]
    taken = [key for key, charge in offers if not _tolerated(ledger, charge)]

    def overfull(without: Sequence[Key], *, reserved: bool) -> dict[str, int]:
        free = ledger.free(name)
        for key in without:
            charge = ledger.charge(key)
            if charge is not None:
                add_into(free, charge.resources)
        if reserved:
            for amounts in ledger.unused(name, without).values():
                add_into(free, amounts, -1)
        return {resource: -amount for resource, amount in free.items() if amount < 0}

    order = _smallest_first(ledger, settings, {key: [(key, charge)] for key, charge in offers if key not in taken})
    for reserved in (True, False):
        just_enough(
            [key for key in order if key not in taken],
            taken.append,
            taken.remove,
            partial(overfull, taken, reserved=reserved),
        )
    return taken


def _more(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """By how much it is more now."""
    more = dict(now)
    add_into(more, before, -1)
    return positive(more)


class _State:
    """How limits and guarantees stand."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self.quotas = Quotas(ledger, ledger.role_holdings())
        self.headroom = Headroom(ledger, settings, self.quotas)
        self._ledger = ledger

    def exceeded(self) -> dict[str, dict[str, int]]:
        """By how much limits are exceeded, by role, the lowest in the tree first."""
        limited = [role.name for role in self._ledger.roles.values() if role.limit]
        limited.sort(key=lambda name: -len(self._ledger.line(name)))
        return {name: excess for name in limited if (excess := self.quotas.excess(name))}

    def excess(self, role: str, resources: Collection[str]) -> dict[str, int]:
        """By how much a role exceeds its limit of these resources."""
        return {resource: amount for resource, amount in self.quotas.excess(role).items() if resource in resources}

    def short(self) -> dict[str, int]:
        """How much is not free that guarantees require."""
        return self.headroom.shortfall(self.quotas.required)


class _Trial:
    """How limits and guarantees would stand if offers were taken back."""

    def __init__(self, ledger: Ledger, settings: Settings, bundle: Callable[[Key], Bundle]) -> None:
        self.taken: list[Key] = []
        self.state = _State(ledger, settings)
        self._ledger = ledger
        self._settings = settings
        self._slots = ledger.table().slots
        self._draws: dict[Key, list[Draw]] = {}
        self._bundles: dict[Bundle, list[tuple[Key, Charge]]] = {}
        for key, charge in ledger.offers():
            if charge.framework in ledger.frameworks:
                self._bundles.setdefault(bundle(key), []).append((key, charge))

    def shrink(self, short: Callable[[], Mapping[str, int]], within: str | None = None) -> None:
        """Take bundles back until nothing is short; with `within`, those of frameworks in this role's subtree."""
        if short():
            just_enough(self._left(within), self._take, self._give_back, short)

    def rest(self) -> list[Sequence[tuple[Key, Charge]]]:
        """The offers that are not taken back, the smallest first."""
        return [self._bundles[name] for name in self._left()]

    def _left(self, within: str | None = None) -> list[Bundle]:
        taken = set(self.taken)
        left = {
            name: members
            for name, members in self._bundles.items()
            if members[0][0] not in taken and (within is None or within in self._line(members[0][1]))
        }
        return _smallest_first(self._ledger, self._settings, left)

    def _take(self, bundle: Bundle) -> None:
        for key, charge in self._bundles[bundle]:
            draws = self._draws[key] = self._drawn(key, charge)
            self.taken.append(key)
            self._count(charge, draws, -1)

    def _give_back(self, bundle: Bundle) -> None:
        for key, charge in self._bundles[bundle]:
            self.taken.remove(key)
            self._count(charge, self._draws.pop(key), 1)

    def _count(self, charge: Charge, draws: Iterable[Draw], sign: int) -> None:
        member = self._ledger.member_of(charge)
        role = "" if member is None else member.role
        for group, amounts in draws:
            self.state.quotas.grant(role, amounts, None if group is None else group[0], sign)
            if group is None:
                self.state.headroom.take(self._slots[charge.node], amounts, sign)

    def _line(self, charge: Charge) -> list[str]:
        member = self._ledger.member_of(charge)
        return [] if member is None else self._ledger.line(member.role)

    def _drawn(self, key: Key, charge: Charge) -> list[Draw]:
        """Which reservations would be unused again without this charge; the rest of it is unreserved."""
        before = self._ledger.unused(charge.node, self.taken)
        after = self._ledger.unused(charge.node, [*self.taken, key])
        rest = dict(charge.resources)
        draws: list[Draw] = []
        for group, amounts in after.items():
            gained = dict(amounts)
            add_into(gained, before.get(group, {}), -1)
            if gained:
                draws.append((group, gained))
                add_into(rest, gained, -1)
        return [*draws, (None, rest)]


def _tolerated(ledger: Ledger, charge: Charge) -> bool:
    """Whether the framework that an offer was made to, or one of its tasks, tolerates the node's taints."""
    framework = ledger.frameworks.get(charge.framework or "")
    taints = ledger.nodes[charge.node].taints
    if framework is None or not taints:
        return True
    ways = [entry.tolerations for entry in framework.demand or ()] or [()]
    return any(untolerated_taint(taints, framework.tolerations + more) is None for more in ways)


def _smallest_first(
    ledger: Ledger, settings: Settings, bundles: Mapping[Bundle, Sequence[tuple[Key, Charge]]]
) -> list[Bundle]:
    """Bundles by how much of the cluster they are; of equal ones, those of whoever holds most first."""
    unshared = settings.unshared_resources

    def share(amounts: Resources) -> float:
        return dominant_share(amounts, ledger.totals, unshared)

    def rank(name: Bundle) -> tuple[float, float, str, str]:
        total: dict[str, int] = {}
        for _, charge in bundles[name]:
            add_into(total, charge.resources)
        first = bundles[name][0][1]
        framework = first.framework or ""
        return share(total), -share(ledger.held(framework)), framework, first.node

    return sorted(bundles, key=rank)

"""Which outstanding offers are to be taken back, and just enough of them.

A lowered limit takes back offers of its role until the rest fits; a raised guarantee takes back offers of others until
what it lacks is free; a node takes back what it can no longer give. Offers that do not help are left alone, the
smallest that help go first, and what turns out not to be needed for the end is left alone after all. What frameworks
have claimed is never touched, so a target may be missed: then as much is taken back as helps.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from tender.allocation.headroom import Headroom
from tender.allocation.ledger import Key, Ledger
from tender.allocation.model import Charge, Role, Settings
from tender.allocation.pool import Draw
from tender.allocation.quotas import Quotas
from tender.allocation.shares import add_into, dominant_share
from tender.allocation.suitability import untolerated_taint
from tender.api.quantities import Resources

_T = TypeVar("_T")
Bundle = Hashable
"""Offers are taken back in bundles: all slices of one offer object end together."""


def after_role_change(
    ledger: Ledger,
    settings: Settings,
    before: Role | None,
    after: Role,
    bundle: Callable[[Key], Bundle] = lambda key: key,
) -> list[Key]:
    """The charges of outstanding offers to take back now that a role (already in the ledger) has changed.

    Limits that were lowered are looked at, and guarantees that were raised; with a new parent, all limits above too.
    """
    old = before or Role(after.name)
    moved = old.parent != after.parent
    lowered = moved or any(amount < old.limit.get(resource, amount + 1) for resource, amount in after.limit.items())
    raised = {name for name, amount in after.guarantee.items() if moved or amount > old.guarantee.get(name, 0)}
    if not lowered and not raised:
        return []
    trial = _Trial(ledger, settings, bundle)
    if lowered:
        for role in ledger.lineage(after.name) if moved else [after]:
            trial.shrink(lambda role=role: trial.quotas.excess(role.name), within=role.name)  # type: ignore[misc]
    if raised:
        trial.shrink(lambda: trial.headroom.shortfall(raised))
    return trial.taken


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
            lambda reserved=reserved: overfull(taken, reserved=reserved),  # type: ignore[misc]
        )
    return taken


def just_enough(
    candidates: Iterable[_T],
    take: Callable[[_T], object],
    give_back: Callable[[_T], object],
    short: Callable[[], Mapping[str, int]],
) -> None:
    """Take the candidates that help, in order, until nothing is short; give back what was not needed after all."""
    chosen = []
    for one in candidates:
        before = short()
        if not before:
            break
        take(one)
        after = short()
        if any(after.get(name, 0) < amount for name, amount in before.items()):
            chosen.append(one)
        else:
            give_back(one)
    least = short()
    for one in chosen:
        give_back(one)
        if any(amount > least.get(name, 0) for name, amount in short().items()):
            take(one)


class _Trial:
    """The quotas and the headroom as they would be if offers were taken back."""

    def __init__(self, ledger: Ledger, settings: Settings, bundle: Callable[[Key], Bundle]) -> None:
        self.taken: list[Key] = []
        self.quotas = Quotas(ledger, ledger.role_holdings())
        self.headroom = Headroom(ledger, settings, self.quotas)
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
        if not short():
            return
        left = {
            name: members
            for name, members in self._bundles.items()
            if members[0][0] not in self.taken and (within is None or within in self._line(members[0][1]))
        }
        just_enough(_smallest_first(self._ledger, self._settings, left), self._take, self._give_back, short)

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
            self.quotas.grant(role, amounts, None if group is None else group[0], sign)
            if group is None:
                self.headroom.take(self._slots[charge.node], amounts, sign)

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

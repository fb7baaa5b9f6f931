"""What would be given if tasks could be divided without end: linear programmes, solved by scipy's HiGHS.

The variables are the dominant shares of the frameworks and, besides, levels (share ÷ weight). Shares are of the pooled
cluster, so it is on one node that the allocator comes near to these solutions as tasks become small.
"""

from collections.abc import Iterable, Mapping

from scipy.optimize import linprog
from tests.unit.allocation.oracles.branches import Branch, root
from tests.unit.allocation.oracles.cases import Case, Wish

TOLERANCE = 1e-7
_SLACK = 1e-9

Row = Mapping[str, float]


def max_min(case: Case) -> dict[str, float]:
    """The weighted max-min fair shares of frameworks with a role of their own each, lexicographically.

    Raise the lowest share ÷ weight as far as it goes; hold those whose share cannot be raised then, one by one, without
    lowering another below that; and raise the rest again. Nothing here presumes an order of filling.
    """
    held: dict[str, float] = {}
    while free := [wish for wish in case.wishes if wish.name not in held]:
        weights = {wish.name: float(case.weight(wish.role)) for wish in free}
        rising = [{"level": weight, name: -1.0} for name, weight in weights.items()]
        level = _most("level", case, least=held, at_most_zero=rising)["level"]
        least = held | {name: weight * level for name, weight in weights.items()}
        found = {name: share for name, share in least.items() if name in weights and not _can_rise(name, case, least)}
        assert found, "somebody is in the way of all others"
        held |= found
    return held


def level_by_level(case: Case) -> dict[str, float]:
    """The shares in a tree of roles when all branches are filled at once, each level by weight, until they are held.

    The share of a branch is taken to be the sum of its frameworks' shares, so all of them must have one dominant
    resource. A framework is held when it has all it wants, or when a resource that it uses is used up.
    """
    top = root(case)
    inner = [branch for branch in _branches(top) if branch.children]
    levels = {id(branch): f"level {at}" for at, branch in enumerate(inner)}
    held: dict[str, float] = {}
    while len(held) < len(case.wishes):
        equal: list[Row] = []
        for branch in inner:
            for child in branch.children:
                below = [wish.name for wish in child.wishes()]
                if not held.keys() >= set(below):
                    equal.append({levels[id(branch)]: float(child.weight), **dict.fromkeys(below, -1.0)})
        shares = _most(levels[id(top)], case, least=held, most=held, zero=equal, others=tuple(levels.values()))
        used = usage(case, shares)
        found = {
            wish.name: shares[wish.name]
            for wish in case.wishes
            if wish.name not in held
            and (
                shares[wish.name] >= most_share(case, wish) - TOLERANCE
                or any(amount and used[one] >= 1 - TOLERANCE for one, amount in enumerate(wish.task))
            )
        }
        assert found, "somebody is in the way of all others"
        held |= found
    return held


def most_share(case: Case, wish: Wish) -> float:
    """The share of a framework that has all it wants, or of one alone."""
    return min(1.0, float(wish.count * case.share(wish.task)))


def usage(case: Case, shares: Mapping[str, float]) -> list[float]:
    """Which part of each resource is used when the frameworks have these shares."""
    return [
        sum(shares[wish.name] * _per_share(case, wish, one) for wish in case.wishes) for one in range(len(case.totals))
    ]


def _per_share(case: Case, wish: Wish, resource: int) -> float:
    """Which part of a resource a framework takes for each unit of its dominant share."""
    return float(wish.task[resource] / (case.totals[resource] * case.share(wish.task)))


def _branches(branch: Branch) -> Iterable[Branch]:
    yield branch
    for child in branch.children:
        yield from _branches(child)


def _can_rise(name: str, case: Case, least: Mapping[str, float]) -> bool:
    return _most(name, case, least=least)[name] > least[name] + TOLERANCE


def _most(
    goal: str,
    case: Case,
    *,
    least: Row,
    most: Row | None = None,
    at_most_zero: Iterable[Row] = (),
    zero: Iterable[Row] = (),
    others: tuple[str, ...] = ("level",),
) -> dict[str, float]:
    """The variables when one of them is as large as can be.

    Shares have a least and a most, sums of variables have to be at most zero or zero, and resources are there once.
    """
    names = [*(wish.name for wish in case.wishes), *others]
    caps = {wish.name: most_share(case, wish) for wish in case.wishes} | dict(most or {})
    bounds = [(max(0.0, least.get(name, 0.0) - _SLACK), caps.get(name)) for name in names]
    room = [{wish.name: _per_share(case, wish, one) for wish in case.wishes} for one in range(len(case.totals))]
    below = [*((row, 1.0) for row in room), *((row, 0.0) for row in at_most_zero)]
    same = list(zero)
    result = linprog(
        [-1.0 if name == goal else 0.0 for name in names],
        A_ub=[[row.get(name, 0.0) for name in names] for row, _ in below],
        b_ub=[bound for _, bound in below],
        A_eq=[[row.get(name, 0.0) for name in names] for row in same] or None,
        b_eq=[0.0] * len(same) or None,
        bounds=bounds,
        method="highs",
    )
    assert result.status == 0, result.message
    return dict(zip(names, map(float, result.x), strict=True))

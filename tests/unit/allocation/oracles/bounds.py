"""How far filling by whole tasks can end from the fluid solution, framework by framework, on one node.

Three facts carry everything. Write x for a framework's level (share ÷ weight) and s for the share of one task.
When framework i finds no room for its next task,

1. some resource that i uses has less left than one task of i takes;
2. every other framework k had a level of at most that of i when it was last served, so it has at most
   (weight of k times level of i) ÷ s of k, plus one, tasks;
3. what happens later only adds tasks.

The fluid solution says in which order to use them: frameworks that it holds at a low level bound those above.
"""

from collections.abc import Mapping
from math import ceil, floor

from tests.unit.allocation.oracles.cases import Case, Wish
from tests.unit.allocation.oracles.fluid import most_share, usage

_CLOSE = 1e-6


def bounds(case: Case, fluid: Mapping[str, float]) -> dict[str, tuple[int, int]]:
    """The fewest and the most tasks each framework can end with, given the fluid shares."""
    levels = {wish.name: fluid[wish.name] / float(case.weight(wish.role)) for wish in case.wishes}
    least: dict[str, float] = {}
    most: dict[str, float] = {}
    waiting = sorted(case.wishes, key=lambda wish: levels[wish.name])
    while waiting:
        level = levels[waiting[0].name]
        here = [wish for wish in waiting if levels[wish.name] <= level + _CLOSE]
        waiting = waiting[len(here) :]
        for wish in here:
            least[wish.name] = _fewest(case, wish, most)
        most |= {wish.name: _most(case, wish, fluid, levels, least) for wish in here}
    return {name: (ceil(fewest - _CLOSE), floor(most[name] + _CLOSE)) for name, fewest in least.items()}


def _fewest(case: Case, wish: Wish, most: Mapping[str, float]) -> float:
    """The tasks at which, by facts 1 and 2, the first resource can be in the way."""

    def used(resource: int, tasks: float) -> float:
        """The most that can be used of a resource when the framework has so many tasks and no room for another."""
        level = tasks * float(case.share(wish.task) / case.weight(wish.role))
        total = (tasks + 1) * wish.task[resource]
        for other in case.wishes:
            if other is not wish:
                served = level * float(case.weight(other.role) / case.share(other.task)) + 1
                total += min(served, other.count, most.get(other.name, served)) * other.task[resource]
        return total

    fewest = float(wish.count)
    for resource, amount in enumerate(wish.task):
        if amount and used(resource, fewest) > case.totals[resource]:
            low, high = 0.0, fewest
            while high - low > _CLOSE / 10:
                middle = (low + high) / 2
                low, high = (low, middle) if used(resource, middle) > case.totals[resource] else (middle, high)
            fewest = low
    return fewest


def _most(
    case: Case, wish: Wish, fluid: Mapping[str, float], levels: Mapping[str, float], least: Mapping[str, float]
) -> float:
    """What the others leave of a resource that holds the framework in the fluid solution, if they have their least."""
    if fluid[wish.name] >= most_share(case, wish) - _CLOSE and most_share(case, wish) < 1:
        return wish.count
    used = usage(case, fluid)
    holding = [
        one
        for one, amount in enumerate(wish.task)
        if amount
        and used[one] >= 1 - _CLOSE
        and all(levels[other.name] <= levels[wish.name] + _CLOSE for other in case.wishes if other.task[one])
    ]
    assert holding, "in a max-min fair solution everybody who wants more has a bottleneck"
    others = [other for other in case.wishes if other is not wish]
    return min(
        (case.totals[one] - sum(least[other.name] * other.task[one] for other in others if other.task[one]))
        / wish.task[one]
        for one in holding
    )

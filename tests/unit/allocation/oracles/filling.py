"""Progressive filling, written once more from the papers, on one node and with exact fractions."""

from fractions import Fraction

from tests.unit.allocation.oracles.branches import Branch, root
from tests.unit.allocation.oracles.cases import Case, held


def until_misfit(case: Case) -> dict[str, int]:
    """The tasks that Algorithm 1 of Ghodsi et al. (Dominant Resource Fairness, NSDI 2011) gives, taken literally.

    Each user is a framework with a role of its own; one takes part while it has tasks that wait; ties go by name.
    The algorithm ends when the next task does not fit ("the cluster is full"). The names are the paper's: capacities,
    what is consumed, what each user has, and dominant shares, with the weights of the paper's weighted DRF.
    """
    capacities, consumed = case.totals, [0] * len(case.totals)
    has = {wish.name: [0] * len(case.totals) for wish in case.wishes}
    dominant = {wish.name: Fraction(0) for wish in case.wishes}
    tasks = {wish.name: 0 for wish in case.wishes}
    while ready := [wish for wish in case.wishes if tasks[wish.name] < wish.count]:
        user = min(ready, key=lambda wish: (dominant[wish.name], wish.name))
        if any(c + d > r for c, d, r in zip(consumed, user.task, capacities, strict=True)):
            break
        consumed = [c + d for c, d in zip(consumed, user.task, strict=True)]
        has[user.name] = [u + d for u, d in zip(has[user.name], user.task, strict=True)]
        ratios = zip(has[user.name], capacities, strict=True)
        dominant[user.name] = max(Fraction(u, r) / case.weight(user.role) for u, r in ratios)
        tasks[user.name] += 1
    return tasks


def filling(case: Case) -> dict[str, int]:
    """The tasks given when, level by level, the lowest share ÷ weight is served until nobody's next task fits.

    This goes on where Algorithm 1 ends, with those whose tasks still fit, and down a tree of roles as DESIGN.md has it
    in section 3: equal shares are served by fewer past allocations (as there is one node: by how many frameworks of
    the branch have anything), then by name.
    """
    top, width = root(case), len(case.totals)
    tasks = {wish.name: 0 for wish in case.wishes}
    waiting = {wish.name for wish in case.wishes}

    def rank(branch: Branch) -> tuple[Fraction, int, str]:
        started = sum(tasks[wish.name] > 0 for wish in branch.wishes())
        return branch.share(case, tasks) / branch.weight, started, branch.name

    while waiting:
        branch = top
        while branch.children:
            served = [one for one in branch.children if any(wish.name in waiting for wish in one.wishes())]
            branch = min(served, key=rank)
        wish = branch.wish
        assert wish is not None
        tasks[wish.name] += 1
        used = held(case.wishes, tasks, width)
        if any(amount > whole for amount, whole in zip(used, case.totals, strict=True)):
            tasks[wish.name] -= 1
            waiting.remove(wish.name)
        elif tasks[wish.name] == wish.count:
            waiting.remove(wish.name)
    return tasks

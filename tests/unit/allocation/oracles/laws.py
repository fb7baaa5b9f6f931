"""What fairness guarantees when tasks cannot be divided, as figures that an outcome can be held against.

All of it follows from three facts about a framework i that found no room for its next task. Then (1) every node has
less left of some resource than one task of i takes; (2) every branch of the tree beside the way to i had, when it was
last served, a share ÷ weight of at most that of the branch of i, so now it has at most that and one task; and (3) what
is given later comes out of what (1) says is left.
"""

from fractions import Fraction
from itertools import product

from tests.unit.allocation.oracles.branches import Branch, root
from tests.unit.allocation.oracles.cases import Outcome, Wish


def entitlement(outcome: Outcome, wish: Wish) -> Fraction:
    """The dominant share that a framework which wants more has at least, by its weight and those above.

    Fluid tasks would give it its part of the whole by weight at every level. Two things are taken off that: what may be
    left of the cluster where its next task finds no room, and at each level one task of each sibling.
    """
    part = _used(outcome, wish)
    for branch, siblings in root(outcome.case).way(wish):
        ahead = sum(_one_task(outcome, sibling) for sibling in siblings)
        part = (part - ahead) * branch.weight / (branch.weight + sum(sibling.weight for sibling in siblings))
    return part


def _one_task(outcome: Outcome, branch: Branch) -> Fraction:
    """By how much a branch may be ahead: one task, if it has any."""
    return min(branch.largest_task(outcome.case), branch.share(outcome.case, outcome.tasks))


def _used(outcome: Outcome, wish: Wish) -> Fraction:
    """The part of some one resource that is in use when no node has room for a task, at the least.

    Each node lacks some resource; which one it lacked first is not known, so the least of all possibilities counts.
    """
    case = outcome.case
    least = Fraction(1)
    for lacking in product(*outcome.blocking(wish)):
        used = [Fraction(0)] * len(case.totals)
        for size, resource in zip(case.nodes, lacking, strict=True):
            used[resource] += Fraction(max(0, size[resource] - wish.task[resource] + 1), case.totals[resource])
        least = min(least, max(used))
    return least


def worth(bundle: Wish, to: Wish) -> Fraction:
    """How many tasks of one framework could be made of one task of another."""
    return min(Fraction(theirs, ours) for theirs, ours in zip(bundle.task, to.task, strict=True) if ours)


def envy(outcome: Outcome, wish: Wish, other: Wish) -> Fraction:
    """How many tasks more a framework could run on what another has, scaled by the ratio of their weights."""
    ratio = outcome.case.weight(wish.role) / outcome.case.weight(other.role)
    return outcome.tasks[other.name] * worth(other, wish) * ratio - outcome.tasks[wish.name]


def ahead_of_bottleneck(outcome: Outcome, wish: Wish, resource: int) -> list[Fraction]:
    """By how much the siblings all the way up exceed their fair level, beyond what facts 2 and 3 allow, on one node.

    Counted are siblings all of whose frameworks use a resource of which too little is left for this framework.
    """
    case, tasks = outcome.case, outcome.tasks
    room = wish.task[resource] - 1 - outcome.left[0][resource]
    excesses = []
    for branch, siblings in root(case).way(wish):
        level = branch.share(case, tasks) / branch.weight
        for sibling in siblings:
            members = list(sibling.wishes())
            if all(one.task[resource] for one in members):
                later = max(case.share(one.task) / one.task[resource] for one in members) * room
                allowed = level * sibling.weight + _one_task(outcome, sibling) + later
                excesses.append(sibling.share(case, tasks) - allowed)
    return excesses

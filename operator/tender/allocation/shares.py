"""Dominant shares: how much of the cluster somebody holds, as one number.

Weighted dominant resource fairness (Ghodsi et al., NSDI 2011): the share of a claimant is the largest fraction it
holds of any resource of the whole cluster, divided by its weight. The lowest is served first.
"""

from collections.abc import Mapping

from tender.api.quantities import Resources

Scale = tuple[tuple[str, float], ...]
"""The resources that shares are of, each with what counts as all of it."""


def shared_scale(totals: Resources, unshared: frozenset[str]) -> Scale:
    """The resources of a cluster that shares are of, each with its total, by name."""
    return tuple((name, total) for name, total in sorted(totals.items()) if total > 0 and name not in unshared)


def dominant_share(held: Resources, totals: Resources, unshared: frozenset[str] = frozenset()) -> float:
    """The largest fraction of the cluster's total that `held` makes up; 0.0 in an empty cluster."""
    share = 0.0
    for resource, amount in held.items():
        total = totals.get(resource, 0)
        if amount > 0 and total > 0 and resource not in unshared:
            share = max(share, amount / total)
    return share


def add_into(sums: dict[str, int], amounts: Resources, sign: int = 1) -> None:
    """Add amounts to running sums in place; `sign` -1 takes them off. Resources that come to zero are dropped."""
    for resource, amount in amounts.items():
        left = sums.get(resource, 0) + sign * amount
        if left:
            sums[resource] = left
        else:
            sums.pop(resource, None)


def fits(request: Resources, free: Mapping[str, int]) -> bool:
    """Whether a request is contained in what is free."""
    return all(amount <= free.get(resource, 0) for resource, amount in request.items())


def positive(amounts: Resources) -> dict[str, int]:
    """The amounts above zero."""
    return {resource: amount for resource, amount in amounts.items() if amount > 0}

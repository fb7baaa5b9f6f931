"""All allocations of a small cluster, pooled to one node."""

from collections.abc import Iterator, Mapping

from tests.unit.allocation.oracles.cases import Case


def better(case: Case, tasks: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The allocations that give everybody as many tasks as these, and somebody more."""
    for other in allocations(case):
        if other != tasks and all(other[name] >= count for name, count in tasks.items()):
            yield other


def allocations(case: Case) -> Iterator[dict[str, int]]:
    """Every way in which whole tasks fit into what the cluster has in all, wanted by somebody."""

    def rest(at: int, free: tuple[int, ...]) -> Iterator[dict[str, int]]:
        if at == len(case.wishes):
            yield {}
            return
        wish = case.wishes[at]
        most = min(whole // amount for whole, amount in zip(free, wish.task, strict=True) if amount)
        for count in range(min(most, wish.count) + 1):
            left = tuple(whole - count * amount for whole, amount in zip(free, wish.task, strict=True))
            for others in rest(at + 1, left):
                yield {wish.name: count, **others}

    return rest(0, case.totals)

"""Taking what helps until nothing is short, and not more than that."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

_T = TypeVar("_T")


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

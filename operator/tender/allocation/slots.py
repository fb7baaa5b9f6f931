"""Sets of nodes as integers: bit n stands for the node in slot n of the node table.

A cycle asks of thousands of frameworks which of thousands of nodes are left for each. As integers such sets are
joined, cut and counted in a microsecond, so that the cost of a cycle lies in what it grants and not in what it looks
through.
"""

from collections.abc import Iterator


def first_from(nodes: int, start: int) -> int:
    """The first slot of a set from `start` on, going round at the end; the set is not empty."""
    later = nodes >> start
    if later:
        return start + (later & -later).bit_length() - 1
    return (nodes & -nodes).bit_length() - 1


def each_from(nodes: int, start: int = 0) -> Iterator[int]:
    """The slots of a set, from `start` on and round."""
    later = nodes >> start << start
    for part in (later, nodes ^ later):
        rest = part
        while rest:
            lowest = rest & -rest
            yield lowest.bit_length() - 1
            rest ^= lowest


def with_slot(nodes: int, slot: int) -> int:
    """The set after a slot was put in: what was there and later moves up by one."""
    later = nodes >> slot
    return later << (slot + 1) | nodes ^ (later << slot)


def without_slot(nodes: int, slot: int) -> int:
    """The set after a slot was taken out: what came later moves down by one."""
    later = nodes >> slot
    return later >> 1 << slot | nodes ^ (later << slot)

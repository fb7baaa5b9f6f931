"""Amounts of resources for people: cpu and memory first, bytes with at most one digit after the point."""

from collections.abc import Iterable, Mapping

from tender.api.quantities import Resources, format_amount, parse_resources

_UNITS = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_BYTES = ("memory", "ephemeral-storage", "hugepages-")


def ordered(names: Iterable[str]) -> list[str]:
    """Names of resources: cpu and memory, others by name, and pods in the end."""
    rank = {"cpu": 0, "memory": 1, "ephemeral-storage": 2, "pods": 9}
    return sorted(names, key=lambda name: (rank.get(name, 5), name))


def amount(resource: str, number: int) -> str:
    """One amount: 1500m, 3, 7.5Gi."""
    if not resource.startswith(_BYTES) or number < 1024:
        return format_amount(resource, number)
    size, unit = float(number), ""
    for each in _UNITS:
        if size < 1024:
            break
        size, unit = size / 1024, each
    return f"{size:.1f}".removesuffix(".0") + unit


def amounts(resources: Resources) -> str:
    """Several amounts, as "cpu 2, memory 1.5Gi"; those that are zero are left out."""
    return ", ".join(f"{name} {amount(name, resources[name])}" for name in ordered(resources) if resources[name])


def quantities(written: Mapping[str, str]) -> str:
    """The same for quantities as objects have them."""
    return amounts(parse_resources(written))

"""Kubernetes quantities as integers, and back.

Everything inside Tender counts in integers: milli-CPU for `cpu`, bytes for memory and storage, plain counts
for the rest. This module is the only place that reads or writes the textual form, at the edge to the API
server. Reading follows `k8s.io/apimachinery/pkg/api/resource`: fractions below the unit are rounded away
from zero and amounts beyond 64 bits are capped.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

Resources = Mapping[str, int]
"""Amounts by resource name: milli-CPU, bytes, or counts."""

LARGEST_AMOUNT = 2**63 - 1
_LONGEST_TEXT = 64

_QUANTITY = re.compile(
    r"(?P<sign>[+-]?)"
    r"(?:(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]*))?|\.(?P<bare_fraction>[0-9]+))"
    r"(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_UNITS = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")
_BINARY_FACTORS = {unit: 1024 ** (6 - position) for position, unit in enumerate(_BINARY_UNITS)}


def parse(resource: str, quantity: str | int) -> int:
    """The amount of `resource` that `quantity` stands for: milli-CPU for cpu, otherwise bytes or a count.

    Negative amounts are read as such; whoever must not have them refuses them. Raises ValueError, naming the
    text, when it is no quantity.
    """
    if isinstance(quantity, str):
        return _parse_text(quantity, 3 if resource == "cpu" else 0)
    return _capped(quantity * 1000 if resource == "cpu" else quantity)


def format_amount(resource: str, amount: int) -> str:
    """The quantity for `amount`: cpu as "2" or "250m", bytes in the largest exact binary unit."""
    if resource == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    if amount and _is_counted_in_bytes(resource):
        for unit in _BINARY_UNITS:
            if amount % _BINARY_FACTORS[unit] == 0:
                return f"{amount // _BINARY_FACTORS[unit]}{unit}"
    return str(amount)


def parse_resources(quantities: Mapping[str, str | int]) -> dict[str, int]:
    """Amounts by resource name. Raises ValueError, naming resource and text, when one is no quantity."""
    amounts = {}
    for resource, quantity in quantities.items():
        try:
            amounts[resource] = parse(resource, quantity)
        except ValueError as error:
            raise ValueError(f"{resource}: {error}") from None
    return amounts


def format_resources(amounts: Resources) -> dict[str, str]:
    """Quantities by resource name, as the API server takes them."""
    return {resource: format_amount(resource, amount) for resource, amount in amounts.items()}


def _is_counted_in_bytes(resource: str) -> bool:
    return resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-")


@lru_cache(maxsize=1 << 16)
def _parse_text(text: str, decimals: int) -> int:
    """The number in `text` times 10 to the power `decimals`, rounded away from zero."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise ValueError(f"{text[:_LONGEST_TEXT]!r} is no quantity: write a number such as 2, 250m, 0.5 or 512Mi")
    fraction = match["fraction"] or match["bare_fraction"] or ""
    digits = int((match["whole"] or "") + fraction)
    suffix, exponent = match["suffix"], match["exponent"]
    power = decimals - len(fraction)
    if exponent is not None:
        power += int(exponent)
    elif suffix in _BINARY_FACTORS:
        digits *= _BINARY_FACTORS[suffix]
    elif suffix is not None:
        power += _DECIMAL_POWERS[suffix]
    magnitude = digits * 10**power if power >= 0 else -(-digits // 10**-power)
    return _capped(-magnitude if match["sign"] == "-" else magnitude)


def _capped(amount: int) -> int:
    return max(-LARGEST_AMOUNT, min(LARGEST_AMOUNT, amount))

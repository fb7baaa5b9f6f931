"""The options of `tender master` that say how it allocates: they become the settings of its cycles.

The defaults are those of the settings themselves. An environment variable that is set to nothing counts as given: an
empty list of scarce resources, for example, switches that rule off.
"""

import functools
import os
import re
from collections.abc import Callable
from typing import Any

import click

from tender.allocation import Settings
from tender.api.meta import RESOURCE_NAME
from tender.api.quantities import Resources, format_resources, parse_resources

_DEFAULTS = Settings()


def _read_names(_: click.Context, __: click.Parameter, value: str) -> frozenset[str]:
    """Names of resources, separated by commas."""
    names = frozenset(name.strip() for name in value.split(",")) if value.strip() else frozenset()
    for name in sorted(names):
        if not re.fullmatch(RESOURCE_NAME, name):
            raise click.BadParameter(f"{name!r} is no name of a resource: write such as cpu or nvidia.com/gpu")
    return names


def _read_minimum(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Resources, ...]:
    """Sets of amounts. An empty one is in every offer, so the others say nothing beside it."""
    minimum = tuple(_read_amounts(value) for value in values)
    return minimum if all(minimum) else ()


def _read_amounts(value: str) -> Resources:
    """Amounts of resources as in cpu=1,memory=1Gi."""
    quantities: dict[str, str] = {}
    for part in value.split(",") if value.strip() else ():
        resource, equals, quantity = (piece.strip() for piece in part.partition("="))
        if not equals or not re.fullmatch(RESOURCE_NAME, resource):
            raise click.BadParameter(f"{part!r} is no amount of a resource: write such as cpu=10m or memory=32Mi")
        if resource in quantities:
            raise click.BadParameter(f"{value!r} names {resource} twice")
        quantities[resource] = quantity
    try:
        amounts = parse_resources(quantities)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    for resource, amount in amounts.items():
        if amount < 0:
            raise click.BadParameter(f"{resource}: {quantities[resource]!r} is negative: write 0 or more")
    return amounts


class _Option(click.Option):
    """An option whose environment variable may also say "nothing"."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return os.environ.get(str(self.envvar))


def _text(amounts: Resources) -> str:
    return ",".join(f"{resource}={quantity}" for resource, quantity in format_resources(amounts).items())


_OPTIONS = (
    click.option(
        "--sorter",
        type=click.Choice(["drf", "random"]),
        default=_DEFAULTS.sorter,
        show_default=True,
        envvar="TENDER_SORTER",
        help="Who is served next: whoever has the lowest dominant share for its weight (drf), or one drawn by lot, with"
        " chances by weight (random).",
    ),
    click.option(
        "--unshared-resources",
        cls=_Option,
        callback=_read_names,
        metavar="NAMES",
        default=",".join(sorted(_DEFAULTS.unshared_resources)),
        show_default=True,
        envvar="TENDER_UNSHARED_RESOURCES",
        help="Resources that do not count in dominant shares, separated by commas. Empty: all count.",
    ),
    click.option(
        "--scarce-resources",
        cls=_Option,
        callback=_read_names,
        metavar="NAMES",
        default=",".join(sorted(_DEFAULTS.scarce_resources)),
        show_default=True,
        envvar="TENDER_SCARCE_RESOURCES",
        help="Resources whose nodes are kept for frameworks that ask for them, separated by commas. Empty: no node is.",
    ),
    click.option(
        "--minimum-offer",
        cls=_Option,
        callback=_read_minimum,
        metavar="AMOUNTS",
        multiple=True,
        default=[_text(amounts) for amounts in _DEFAULTS.minimum_offer],
        show_default=True,
        envvar="TENDER_MINIMUM_OFFER",
        help="What an offer holds at least, such as cpu=1,memory=1Gi, unless its framework says otherwise. Given"
        " several times (in the variable: separated by blanks), one of them is enough. Empty: nothing is too small.",
    ),
)


def allocation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it gets their values as `cycle`, the settings of a cycle."""

    @functools.wraps(command)
    def with_settings(
        *,
        sorter: Any,
        unshared_resources: frozenset[str],
        scarce_resources: frozenset[str],
        minimum_offer: tuple[Resources, ...],
        **others: Any,
    ) -> Any:
        cycle = Settings(
            minimum_offer=minimum_offer,
            unshared_resources=unshared_resources,
            scarce_resources=scarce_resources,
            sorter=sorter,
        )
        return command(cycle=cycle, **others)

    decorated: Callable[..., Any] = with_settings
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated

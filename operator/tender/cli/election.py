"""The options of `tender master` and `tender controller` that say how it is decided which of several leads."""

import functools
from collections.abc import Callable
from typing import Any

import click

from tender.cluster.lease import ElectionSettings

_DEFAULTS = ElectionSettings("")


def election_options(default_name: Callable[..., str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options to a command, which gets them as `election`: None without an election.

    `default_name` makes the name of the Lease from the command's other options.
    """

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_election(
            *,
            leader_elect: bool,
            lease_namespace: str | None,
            lease_name: str | None,
            lease_duration: int,
            lease_renew_deadline: float,
            lease_retry_period: float,
            **others: Any,
        ) -> None:
            try:
                settings = ElectionSettings(
                    lease_name or default_name(**others),
                    lease_namespace,
                    lease_duration,
                    lease_renew_deadline,
                    lease_retry_period,
                )
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            command(election=settings if leader_elect else None, **others)

        for option in reversed(_options()):
            with_election = option(with_election)
        return with_election

    return add


def _options() -> list[Callable[[Callable[..., None]], Callable[..., None]]]:
    return [
        click.option(
            "--leader-elect/--no-leader-elect",
            default=False,
            show_default=True,
            envvar="TENDER_LEADER_ELECT",
            help="Act only while holding a Lease, so that several may run. Without it run one only.",
        ),
        click.option("--lease-namespace", help="Namespace of the Lease. Default: that of the pod or the kubeconfig."),
        click.option("--lease-name", help="Name of the Lease. Default: after what is run."),
        click.option(
            "--lease-duration",
            type=click.IntRange(min=1),
            default=_DEFAULTS.lease_duration,
            show_default=True,
            help="Seconds after the leader's last renewal until another one takes over.",
        ),
        click.option(
            "--lease-renew-deadline",
            type=click.FloatRange(min=0, min_open=True),
            default=_DEFAULTS.renew_deadline,
            show_default=True,
            help="Seconds after its last renewal for which the leader goes on writing.",
        ),
        click.option(
            "--lease-retry-period",
            type=click.FloatRange(min=0, min_open=True),
            default=_DEFAULTS.retry_period,
            show_default=True,
            help="Seconds between two renewals, or two looks at the Lease.",
        ),
    ]

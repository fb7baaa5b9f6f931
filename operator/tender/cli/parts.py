"""`tender master` and `tender controller`: they run the parts, on a machine or in the image."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from functools import partial

import click

from tender.allocation import Settings as CycleSettings
from tender.api.names import MANAGER_SERVICE
from tender.cli.allocation import allocation_options
from tender.cli.election import election_options
from tender.cluster import logs
from tender.cluster.errors import NoCluster
from tender.cluster.leadership import LeaseLost
from tender.cluster.lease import ElectionSettings
from tender.controller.factory import run_controller
from tender.controller.kinds import EVERYTHING
from tender.controller.settings import ControllerSettings
from tender.frameworks.sdk import Planner
from tender.frameworks.service import plan_service
from tender.frameworks.stateful import plan_stateful
from tender.master.factory import run_master
from tender.master.settings import MasterSettings

_log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    envvar="TENDER_LOG_LEVEL",
    help="What is logged.",
)
_kubeconfig = click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False),
    help="Kubeconfig file. Default: as kubectl finds it, or the pod's own.",
)
_context = click.option("--context", help="Context of the kubeconfig.")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Serves /metrics, /healthz and /readyz, and the master /reasons.",
)
_metrics_auth = click.option(
    "--metrics-auth",
    is_flag=True,
    envvar="TENDER_METRICS_AUTH",
    help="Serve all but the probes only to bearer tokens whose user may get the path, as the API server says.",
)
_host = click.option("--host", default="0.0.0.0", show_default=True, help="Address to serve them on.")  # noqa: S104


def _lease_of_controller(namespaces: tuple[str, ...], **_: object) -> str:
    """Those of other namespaces run side by side."""
    return "-".join(["tender-controller", *sorted(set(namespaces))])


@click.command()
@_kubeconfig
@_context
@click.option(
    "--node-selector", default="", help="Label selector of the nodes that may be offered. Default: all nodes."
)
@allocation_options
@election_options(lambda **_: "tender-master")
@_host
@_port
@_metrics_auth
@_log_level
def master(
    kubeconfig: str | None,
    context: str | None,
    node_selector: str,
    cycle: CycleSettings,
    election: ElectionSettings | None,
    host: str,
    port: int,
    metrics_auth: bool,
    log_level: str,
) -> None:
    """Run the first-level master: it offers the cluster's resources to frameworks."""
    logs.configure(level=log_level)
    settings = MasterSettings(
        kubeconfig=kubeconfig,
        context=context,
        node_selector=node_selector,
        host=host,
        port=port,
        metrics_auth=metrics_auth,
        election=election,
        cycle=cycle,
    )
    with _reporting(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_master(settings))


@click.command()
@_kubeconfig
@_context
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Run only the frameworks of this namespace; may be given several times. Default: all namespaces.",
)
@click.option(
    "--reserve-discipline",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    envvar="TENDER_RESERVE_DISCIPLINE",
    help="How many stateful services of a namespace may look for places for their pods at a time. 0: any number.",
)
@election_options(_lease_of_controller)
@_host
@_port
@_metrics_auth
@_log_level
def controller(
    kubeconfig: str | None,
    context: str | None,
    namespaces: tuple[str, ...],
    reserve_discipline: int,
    election: ElectionSettings | None,
    host: str,
    port: int,
    metrics_auth: bool,
    log_level: str,
) -> None:
    """Run the controller of the built-in framework kinds: it answers offers and creates pods."""
    logs.configure(level=log_level)
    each_once = tuple(dict.fromkeys(namespaces))
    settings = ControllerSettings(
        kubeconfig=kubeconfig,
        context=context,
        namespaces=each_once,
        host=host,
        port=port,
        metrics_auth=metrics_auth,
        election=election,
    )
    with _reporting(), contextlib.suppress(KeyboardInterrupt):
        planners = built_in_planners(reserve_discipline)
        asyncio.run(run_controller(settings, planners, manager=MANAGER_SERVICE, follows=EVERYTHING))


def built_in_planners(reserve_discipline: int) -> Mapping[str, Planner]:
    """The planners of the built-in kinds, by the field of the spec; `reserve_discipline` is for stateful services."""
    return {"service": plan_service, "stateful": partial(plan_stateful, reserve_discipline=reserve_discipline)}


@contextlib.contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except (NoCluster, LeaseLost) as error:
        raise click.ClickException(str(error)) from None

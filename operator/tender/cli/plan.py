"""`tender plan`: what the plans of a stateful service do, and asking something of them."""

import secrets
from collections.abc import Callable
from typing import Any

import click

from tender.cli.changing import change_framework, follow
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.output import DOCUMENTS, in_colour, paint
from tender.cli.progress import waiting_options
from tender.cli.views.plans import names_of, plans_of, tree
from tender.cli.views.requests import with_request
from tender.cli.views.standings import carried_out, plan_complete
from tender.cluster.resources import FRAMEWORKS

_TAKEN_UP_SECONDS = 60.0
"""How long the controller may take to answer a request."""
_ENDS = ("Start", "Restart")
"""The actions after which there is a plan to be waited for."""

_framework = click.argument("framework")
_plan = click.argument("plan")
_phase = click.argument("phase", required=False)
_step = click.argument("step", required=False)
_id = click.option("--id", "id_", help="Name of the request: a name that was used before asks for nothing new.")


@click.group()
def plan() -> None:
    """Show plans of stateful services, and start, pause, resume, restart or force them."""


@plan.command()
@_framework
@click.argument("plan", required=False)
@with_session(formats=DOCUMENTS)
def show(session: Session, framework: str, plan: str | None) -> None:
    """Show the plans of a framework with their phases and steps, or one of them.

    \b
    Examples:
      tender plan show db
      tender plan show db deploy
      tender plan show db -o json
    """

    async def work(cluster: Cluster) -> None:
        found = await cluster.client.get(FRAMEWORKS, framework, namespace=cluster.namespace)
        if "stateful" not in found["spec"]:
            raise click.ClickException(f"framework {framework} is no stateful service: it has no plans")
        plans = plans_of(found, plan)
        if plan and not plans:
            raise click.ClickException(f"framework {framework} has no plan {plan}: it has {names_of(found)}")
        if session.output.for_programs:
            session.output.document(plans[0] if plan else plans)
        elif not plans:
            click.echo(f"The controller has told nothing of the plans of {framework} yet.", err=True)
        for line in () if session.output.for_programs else tree(plans, paint if in_colour() else None):
            click.echo(line)

    session.run(work)


@plan.command()
@_framework
@_plan
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Parameter of the run.")
@_id
@waiting_options("0s")
@with_session(formats=())
def start(
    session: Session,
    framework: str,
    plan: str,
    parameters: tuple[str, ...],
    id_: str | None,
    wait: bool,
    timeout: float | None,
) -> None:
    """Start a plan of your own, such as backup, and wait until it is complete.

    \b
    Examples:
      tender plan start db backup
      tender plan start db backup -p BUCKET=weekly -p LEVEL=full --timeout 1h
      tender plan start db backup --no-wait
    """
    pairs = [one.partition("=") for one in parameters]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.UsageError(f"--parameter {name}: say NAME=VALUE")
    given = {name: value for name, _, value in pairs}
    request = {"plan": plan, "action": "Start", **({"parameters": given} if given else {})}
    session.run(_asking(framework, request, id_, wait, timeout))


def _command(name: str, action: str, *, depth: int, summary: str, example: str) -> None:
    """Adds a command that asks something of a plan, of one phase (depth 1) or of one step (depth 2)."""

    def command(
        session: Session, framework: str, plan: str, id_: str | None, wait: bool, timeout: float | None, **part: str
    ) -> None:
        request = {"plan": plan, "action": action, **{key: value for key, value in part.items() if value}}
        session.run(_asking(framework, request, id_, wait, timeout))

    command.__doc__ = f"{summary}\n\n\b\nExamples:\n  {example}"
    decorated: Callable[..., Any] = with_session(formats=())(command)
    decorated = waiting_options("0s")(decorated)
    for parameter in reversed((_framework, _plan, *(_phase, _step)[:depth], _id)):
        decorated = parameter(decorated)
    plan.command(name)(decorated)


_command(
    "stop",
    "Stop",
    depth=0,
    summary="End the run of a plan that was started: no step of it begins any more.",
    example="tender plan stop db backup",
)
_command(
    "pause",
    "Pause",
    depth=1,
    summary="Hold back steps that have not begun, of a plan or of one phase; what has begun is finished.",
    example="tender plan pause db update nodes",
)
_command(
    "resume",
    "Resume",
    depth=1,
    summary="Undo a pause; where nothing is paused, let a canary go on.",
    example="tender plan resume db update",
)
_command(
    "restart",
    "Restart",
    depth=2,
    summary="Have steps done again: those of a plan, of one phase, or one step; wait until the plan is complete.",
    example="tender plan restart db deploy nodes node-1",
)
_command(
    "force-complete",
    "ForceComplete",
    depth=2,
    summary="Take steps for complete that are not: those of a plan, of one phase, or one step.",
    example="tender plan force-complete db deploy nodes node-1",
)


def _asking(
    framework: str, request: dict[str, Any], id_: str | None, wait: bool, timeout: float | None
) -> Callable[[Cluster], Any]:
    async def work(cluster: Cluster) -> None:
        number = id_ or new_id(request["action"])
        await ask(cluster, framework, "planRequests", {"id": number, **request})
        if not wait:
            click.echo(f"framework.tender.dev/{framework}: request {number} is made")
        elif request["action"] in _ENDS:
            await follow(cluster, framework, plan_complete(framework, request["plan"], number), timeout)
        else:
            judge = carried_out(framework, "planRequests", number)
            await follow(cluster, framework, judge, timeout or _TAKEN_UP_SECONDS)

    return work


async def ask(cluster: Cluster, framework: str, kind: str, request: dict[str, Any]) -> None:
    """Add a request to a framework; `kind` is planRequests or podRequests."""
    await change_framework(cluster, framework, lambda present: with_request(present, kind, request))


def new_id(action: str) -> str:
    """The name of a new request."""
    return f"{action.lower()}-{secrets.token_hex(3)}"

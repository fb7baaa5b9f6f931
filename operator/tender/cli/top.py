"""`tender top`."""

import click

from tender.api.framework import Framework
from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import ResourceOffer
from tender.api.reservation import Reservation
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.live import repeat
from tender.cli.output import DOCUMENTS, notes, nothing, on_terminal
from tender.cli.reading import Reader
from tender.cli.views.top import Holders, Usage, by_framework, by_role, columns
from tender.cluster.resources import FRAMEWORKS, RESERVATIONS, RESOURCE_OFFERS


@click.command()
@click.option(
    "--by", type=click.Choice(["framework", "role"]), default="framework", show_default=True, help="Whose use to show."
)
@click.option("-r", "--resource", help="Only this resource, such as nvidia.com/gpu. Default: cpu and memory.")
@click.option("--once", is_flag=True, help="Show it once, also on a terminal.")
@click.option(
    "--interval", type=click.IntRange(1), default=5, show_default=True, help="Seconds between two readings, if live."
)
@with_session(formats=(DOCUMENTS[0], *DOCUMENTS[2:]), all_namespaces=True)
def top(session: Session, by: str, resource: str | None, once: bool, interval: int) -> None:
    """Show who holds what: in pods, claims, offers and reservations.

    CLAIMS are won and not launched as pods yet, OFFERS are open, RESERVATIONS are those that nobody uses. On a terminal
    the view stays and is read anew, until interrupted.

    \b
    Examples:
      tender top
      tender top -A --by role --once
      tender top -r nvidia.com/gpu
    """
    shown = columns(roles=by == "role", namespaces=session.all_namespaces, resource=resource)

    async def read(cluster: Cluster, reader: Reader) -> list[Usage]:
        frameworks = reader.read(Framework, await reader.required(FRAMEWORKS, cluster.scope))
        pods = await reader.pods(cluster.scope, label_selector=LABEL_FRAMEWORK)
        offers = await reader.objects(RESOURCE_OFFERS, cluster.scope)
        kept = await reader.objects(RESERVATIONS, cluster.scope)
        holders = Holders(
            frameworks,
            pods,
            None if offers is None else reader.read(ResourceOffer, offers),
            None if kept is None else reader.read(Reservation, kept),
        )
        return by_role(holders) if by == "role" else by_framework(holders)

    async def show(cluster: Cluster) -> None:
        async def view() -> list[str]:
            reader = Reader(cluster.client)
            usages = await read(cluster, reader)
            layout = session.output.layout(shown, usages)
            return [layout.titles(), *map(layout.line, usages), *(f"Note: {note}" for note in reader.notes)]

        if on_terminal() and not once and not session.output.for_programs:
            await repeat(view, interval)
        reader = Reader(cluster.client)
        usages = await read(cluster, reader)
        if session.output.for_programs:
            session.output.document([one.document() for one in usages])
        else:
            session.output.rows(shown, usages, nothing("frameworks", cluster.scope))
        notes(reader.notes)

    session.run(show)

"""`tender why`."""

import click

from tender.api.framework import Framework
from tender.cli.asking import ask_master, tender_namespace_option
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.naming import names_of
from tender.cli.output import DOCUMENTS, notes
from tender.cli.views.table import printable
from tender.cli.views.why import Why, lines
from tender.cluster.resources import FRAMEWORKS


@click.command()
@click.argument("framework", shell_complete=names_of("FRAMEWORKS"))
@tender_namespace_option
@with_session(formats=DOCUMENTS)
def why(session: Session, framework: str, tender_namespace: str) -> None:
    """Say why a framework waits, and what would have to change.

    Counts the nodes that it was not offered, and those whose offers it refused itself, by the first thing in the way.
    The master tells it in full, as a cycle would decide now: who may list pods and get pods/proxy in the namespace of
    Tender is shown details, and with -o wide the names of all nodes. Others are shown what the framework's status says
    of the last cycle.

    \b
    Examples:
      tender why web
      tender why web -n shop -o wide
    """

    async def show(cluster: Cluster) -> None:
        found = Framework.read(await cluster.client.get(FRAMEWORKS, framework, namespace=cluster.namespace))
        asked = await ask_master(cluster, tender_namespace, f"/reasons/{cluster.namespace}/{framework}")
        told = Why(found, asked.document, session.now())
        if session.output.for_programs:
            session.output.document(told.document())
        else:
            for line in lines(told, wide=session.output.wide):
                click.echo(printable(line))
        if asked.why_not:
            notes([f"this is what the statuses say; {asked.why_not}"])

    session.run(show)

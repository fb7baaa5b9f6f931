"""`tender status`."""

from dataclasses import asdict

import click

from tender.api.framework import Framework
from tender.api.reservation import Reservation
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.output import DOCUMENTS, notes, nothing
from tender.cli.reading import Reader
from tender.cli.views import roles as role_views
from tender.cli.views import status as views
from tender.cluster.resources import FRAMEWORKS, RESERVATIONS


@click.command()
@with_session(formats=DOCUMENTS)
def status(session: Session) -> None:
    """Show the cluster at a glance: nodes, resources, roles and frameworks.

    Of each resource: CAPACITY is what all nodes have, ALLOCATED what frameworks hold in pods and claims, RESERVED what
    is kept for roles and not used, OTHERS what pods outside of frameworks hold. What your rights do not show is left
    out, and said below; without the right to list the frameworks of the cluster, those of the namespace are counted.

    \b
    Examples:
      tender status
      tender status -o json
    """

    async def show(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        known = await reader.known()
        kept = await reader.objects(RESERVATIONS)
        reservations = None if kept is None else reader.read(Reservation, kept)
        frameworks = known.frameworks
        if frameworks is None:
            found = await reader.objects(FRAMEWORKS, cluster.namespace)
            frameworks = None if found is None else reader.read(Framework, found)
        where = "" if known.frameworks is not None else f" in namespace {cluster.namespace}"
        totals = None if known.nodes is None else known.nodes.totals
        resources = views.rows(totals, frameworks, reservations, await reader.pods())
        branches = role_views.tree(known)
        if session.output.for_programs:
            nodes = [] if known.nodes is None else [[one.name, one.unavailable] for one in known.nodes.all]
            session.output.document(
                {
                    "nodes": [{"name": name, "unavailable": why} for name, why in nodes],
                    "resources": [asdict(row) for row in resources],
                    "roles": [one.document() for one in branches],
                    "frameworks": None if frameworks is None else len(frameworks),
                }
            )
        else:
            if known.nodes is not None:
                click.echo(f"Nodes: {known.nodes.summary()}")
            if frameworks is not None:
                click.echo(f"Frameworks{where}: {views.summary(frameworks)}")
            click.echo()
            session.output.rows(views.columns(), resources, "No resources are known.")
            click.echo()
            session.output.rows(role_views.columns(), branches, nothing("roles", None))
            notes(role_views.problems(branches))
        notes(reader.notes)

    session.run(show)

"""`tender frameworks`."""

import click

from tender.api.framework import Framework
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.naming import names_of
from tender.cli.output import notes, nothing
from tender.cli.reading import Reader
from tender.cli.views.frameworks import columns, longest_waiting
from tender.cluster.resources import FRAMEWORKS


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=names_of("FRAMEWORKS"))
@click.option("--role", shell_complete=names_of("FRAMEWORK_ROLES"), help="Only those whose first role is this one.")
@click.option("--waiting", is_flag=True, help="Only those with tasks that wait for a place, the longest waiting first.")
@with_session(all_namespaces=True)
def frameworks(session: Session, names: tuple[str, ...], role: str | None, waiting: bool) -> None:
    """List frameworks: their state, tasks and share, and how long they have waited.

    READY counts tasks that are ready, of those that are wanted. SHARE is the dominant share: the largest fraction of
    any resource of the cluster that the framework holds. WAITING says for how long tasks have waited for a place;
    `tender why` says what for.

    \b
    Examples:
      tender frameworks
      tender frameworks -A --waiting
      tender frameworks --role shop -o wide
      tender frameworks web -o yaml
    """
    if names and (role or waiting):
        raise click.UsageError("--role and --waiting choose from a list: leave out the names")
    if names and session.all_namespaces:
        raise click.UsageError("frameworks are given by name in one namespace: leave out -A or the names")

    async def show(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        if names:
            place = cluster.namespace
            objects = [await cluster.client.get(FRAMEWORKS, name, namespace=place) for name in names]
        else:
            of_role = f"spec.role={role}" if role else ""
            objects = await reader.required(FRAMEWORKS, cluster.scope, field_selector=of_role)
        if waiting:
            objects = longest_waiting(objects)
        if session.output.for_programs:
            session.output.objects(objects, one=len(names) == 1)
            return
        shown = columns(session.now(), namespaces=session.all_namespaces)
        session.output.rows(shown, reader.read(Framework, objects), nothing("frameworks", cluster.scope))
        notes(reader.notes)

    session.run(show)

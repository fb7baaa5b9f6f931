"""`tender events`."""

import click
import msgspec

from tender.cli.connection import Cluster, Session, with_session
from tender.cli.following import follow
from tender.cli.output import notes, nothing
from tender.cli.reading import Reader
from tender.cli.views.events import Event, Seen, about, columns, concerns_tender, last_seen
from tender.cluster.resources import EVENTS

_decode = msgspec.json.Decoder(dict).decode


@click.command()
@click.option("--for", "object_", metavar="NAME|KIND/NAME", help="Only events of this object, such as framework/web.")
@click.option("--types", type=click.Choice(["Normal", "Warning"]), help="Only events of this type.")
@click.option("-w", "--watch", is_flag=True, help="Go on with a line for every event, until interrupted.")
@with_session(all_namespaces=True)
def events(session: Session, object_: str | None, types: str | None, watch: bool) -> None:
    """List events of Tender's objects, the newest last.

    Events of roles are in the namespace default; -A shows those of all namespaces.

    \b
    Examples:
      tender events
      tender events --for web --types Warning
      tender events -A --watch
    """
    if watch and session.output.for_programs:
        raise click.UsageError("--watch goes with -o table and -o wide: kubectl get events -w has the others")

    def concerns(event: Event) -> bool:
        if not concerns_tender(event) or types not in {None, event.get("type")}:
            return False
        return object_ is None or object_.lower() in {about(event), about(event).partition("/")[2]}

    async def show(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        shown = columns(namespaces=session.all_namespaces)
        if watch:
            await follow(
                cluster.client,
                EVENTS,
                _decode,
                namespace=cluster.scope,
                columns=shown,
                row=lambda event, gone: Seen(event, session.now()) if concerns(event) and not gone else None,
                output=session.output,
            )
        found = [one for one in await reader.required(EVENTS, cluster.scope) if concerns(one)]
        found.sort(key=lambda one: (last_seen(one) or session.now(), one["metadata"]["name"]))
        if session.output.for_programs:
            session.output.objects(found)
            return
        seen = [Seen(event, session.now()) for event in found]
        session.output.rows(shown, seen, nothing("events of Tender's objects", cluster.scope))
        notes(reader.notes)

    session.run(show)

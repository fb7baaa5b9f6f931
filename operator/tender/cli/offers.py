"""`tender offers`."""

import click

from tender.api.offer import ResourceOffer
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.following import follow
from tender.cli.naming import names_of
from tender.cli.output import notes, nothing
from tender.cli.reading import Reader
from tender.cli.views.offers import Seen, columns
from tender.cluster.resources import RESOURCE_OFFERS


@click.command()
@click.option("--framework", shell_complete=names_of("FRAMEWORKS"), help="Only offers to this framework.")
@click.option("-w", "--watch", is_flag=True, help="Go on with a line for every change, until interrupted.")
@with_session(all_namespaces=True)
def offers(session: Session, framework: str | None, watch: bool) -> None:
    """List offers: to whom, of what, and what became of them.

    Offers are short-lived: open ones are answered within moments, claimed ones end when their pods are there, declined
    ones stay for as long as the refusal does.

    \b
    Examples:
      tender offers
      tender offers -A --watch
      tender offers --framework web -o wide
    """
    if watch and session.output.for_programs:
        raise click.UsageError("--watch goes with -o table and -o wide: kubectl get resourceoffers -w has the others")
    shown = columns(namespaces=session.all_namespaces)

    def concerns(offer: ResourceOffer) -> bool:
        return framework is None or offer.spec.framework == framework

    async def show(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        if watch:
            await follow(
                cluster.client,
                RESOURCE_OFFERS,
                ResourceOffer.model_validate_json,
                namespace=cluster.scope,
                columns=shown,
                row=lambda offer, gone: Seen(offer, session.now(), gone) if concerns(offer) else None,
                output=session.output,
            )
        objects = await reader.required(RESOURCE_OFFERS, cluster.scope)
        if framework is not None:
            objects = [one for one in objects if one["spec"]["framework"] == framework]
        if session.output.for_programs:
            session.output.objects(objects)
            return
        seen = [Seen(offer, session.now()) for offer in reader.read(ResourceOffer, objects)]
        session.output.rows(shown, seen, nothing("offers", cluster.scope))
        notes(reader.notes)

    session.run(show)

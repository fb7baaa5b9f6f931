"""`tender rollback`: run a former version of a framework again."""

import click

from tender.api.names import LABEL_FRAMEWORK
from tender.cli.changing import Object, change_framework, follow
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.output import DOCUMENTS, nothing
from tender.cli.progress import waiting_options
from tender.cli.views.standings import settled
from tender.cli.views.versions import columns, forward, rolled_back, versions_of
from tender.cluster.resources import CONTROLLER_REVISIONS, FRAMEWORKS


@click.command()
@click.argument("framework")
@click.option("--to", type=click.IntRange(min=1), metavar="VERSION", help="The version. Default: the one before.")
@click.option("--newest", is_flag=True, help="Of a service: run again what the fields of the spec say.")
@click.option("--list", "list_", is_flag=True, help="Show the versions that there are, and change nothing.")
@waiting_options("0s")
@with_session(formats=DOCUMENTS)
def rollback(
    session: Session, framework: str, to: int | None, newest: bool, list_: bool, wait: bool, timeout: float | None
) -> None:
    """Run a former version of a framework again, and wait until it does.

    A service is told so in spec.service.rollbackTo; its replicas stay as they are. Of a stateful service the sets of
    pods and the plans of the spec are replaced by those of the version; the counts stay as they are.

    \b
    Examples:
      tender rollback web --list
      tender rollback web
      tender rollback web --to 3
      tender rollback web --newest
    """
    if newest and to is not None:
        raise click.UsageError("--to and --newest exclude each other")

    async def work(cluster: Cluster) -> None:
        present = await cluster.client.get(FRAMEWORKS, framework, namespace=cluster.namespace)
        selector = f"{LABEL_FRAMEWORK}={framework}"
        found = await cluster.client.list_all(
            CONTROLLER_REVISIONS, namespace=cluster.namespace, label_selector=selector
        )
        versions = versions_of(present, found)
        if list_:
            if session.output.for_programs:
                session.output.document([one.document() for one in versions])
            else:
                session.output.rows(columns(session.now()), versions, nothing("versions", cluster.namespace))
            return

        def patch_of(one: Object) -> Object:
            return forward(one) if newest else rolled_back(one, versions, to)

        changed = await change_framework(cluster, framework, patch_of)
        click.echo(f"framework.tender.dev/{framework} rolled {'forward' if newest else 'back'}")
        if wait:
            await follow(cluster, framework, settled(framework, changed["metadata"]["generation"]), timeout)

    session.run(work)

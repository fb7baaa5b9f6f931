"""`tender roles`."""

import click

from tender.cli.connection import Cluster, Session, with_session
from tender.cli.output import DOCUMENTS, notes, nothing
from tender.cli.reading import Reader
from tender.cli.views.roles import columns, problems, tree


@click.group()
def roles() -> None:
    """Show roles: their weights, shares and quotas."""


@roles.command("tree")
@with_session(formats=DOCUMENTS, namespaced=False)
def tree_(session: Session) -> None:
    """Show the tree of roles with weights, shares and quotas.

    SHARE is the dominant share of a role with all roles below it, FAIR the share that is fair by weight among the roles
    that have frameworks: a role below it is served before one above. CONSUMED counts pods, claims and all that is
    reserved; together with what is OFFERED it stays within LIMIT. A role that only a framework names has weight 1 and
    no quota.

    \b
    Examples:
      tender roles tree
      tender roles tree -o json
    """

    async def show(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        branches = tree(await reader.known())
        if session.output.for_programs:
            session.output.document([one.document() for one in branches])
        else:
            session.output.rows(columns(), branches, nothing("roles", None))
            notes(problems(branches))
        notes(reader.notes)

    session.run(show)

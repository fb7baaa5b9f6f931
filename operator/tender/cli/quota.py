"""`tender quota`."""

import re
from collections.abc import Callable
from typing import Any

import click

from tender.api.meta import RESOURCE_NAME, ObjectMeta
from tender.api.names import API_VERSION
from tender.api.quantities import parse
from tender.api.role import FrameworkRole
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.naming import names_of
from tender.cli.output import FORMATS, name_of, notes
from tender.cli.reading import Reader
from tender.cli.views.quota import Change, changed, columns, new_flaws, patch, rows
from tender.cli.views.roles import flaws
from tender.cluster.errors import NotFound
from tender.cluster.resources import FRAMEWORK_ROLES

_NO_QUOTA = "No role has a quota."


@click.group()
def quota() -> None:
    """Show and set what roles are guaranteed and may have at most."""


@quota.command()
@click.argument("roles", nargs=-1, metavar="[ROLE]...", shell_complete=names_of("FRAMEWORK_ROLES"))
@with_session(namespaced=False)
def show(session: Session, roles: tuple[str, ...]) -> None:
    """Show quotas by resource: guarantee, limit, and what is consumed and on offer.

    LEFT is what the limit still allows, as far as the limits of the roles above do too. What is wrong with a quota is
    said below the table.

    \b
    Examples:
      tender quota show
      tender quota show research -o yaml
    """

    async def read(cluster: Cluster) -> None:
        reader = Reader(cluster.client)
        if roles:
            objects = [await cluster.client.get(FRAMEWORK_ROLES, name) for name in roles]
        else:
            objects = await reader.required(FRAMEWORK_ROLES)
        if session.output.for_programs:
            session.output.objects(objects, one=len(roles) == 1)
            return
        values = reader.read(FrameworkRole, objects)
        session.output.rows(columns(), rows(values), _NO_QUOTA)
        notes(f"role {role.metadata.name}: {flaw}" for role in values for flaw in flaws(role))
        notes(reader.notes)

    session.run(read)


def _amounts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Change:
    change: dict[str, str | None] = {}
    for part in (part.strip() for value in values for part in value.split(",")):
        resource, equals, quantity = part.partition("=")
        if not equals or not re.fullmatch(RESOURCE_NAME, resource):
            raise click.BadParameter(f"{part!r} is no amount of a resource: write such as cpu=4 or memory=8Gi")
        if quantity != "none":
            try:
                parse(resource, quantity)
            except ValueError as error:
                raise click.BadParameter(f"{resource}: {error}, or none") from None
        change[resource] = None if quantity == "none" else quantity
    return change


def _amounts_option(name: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        name,
        multiple=True,
        metavar="AMOUNTS",
        callback=_amounts,
        help=f"{text}, such as cpu=4,memory=8Gi. cpu=none takes a resource out; others stay as they are.",
    )


@quota.command("set")
@click.argument("role", shell_complete=names_of("FRAMEWORK_ROLES"))
@_amounts_option("--guarantee", "Amounts that are kept for the role")
@_amounts_option("--limit", "Amounts that the role never exceeds")
@click.option("--force", is_flag=True, help="Set it also when the cluster cannot keep what is guaranteed.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@with_session(formats=FORMATS, namespaced=False)
def set_(session: Session, role: str, guarantee: Change, limit: Change, force: bool, dry_run: bool) -> None:
    """Set what a role is guaranteed, and what it may have at most.

    Makes the FrameworkRole when there is none, a role at the top of weight 1. A guarantee that cannot be kept beside
    those of the other roles is refused, with the numbers; --force sets it all the same, and it is served as far as it
    goes. A limit below what is consumed ends nothing that runs.

    \b
    Examples:
      tender quota set research --guarantee cpu=8,memory=32Gi --limit cpu=16
      tender quota set research --limit cpu=none
      tender quota set research --guarantee nvidia.com/gpu=4 --dry-run
    """
    if not guarantee and not limit:
        raise click.UsageError("nothing to set: give --guarantee, --limit or both")

    async def write(cluster: Cluster) -> None:
        client, reader = cluster.client, Reader(cluster.client)
        known = await reader.known()
        try:
            present = FrameworkRole.read(await client.get(FRAMEWORK_ROLES, role))
        except NotFound:
            present = FrameworkRole(metadata=ObjectMeta(name=role))
        wanted = changed(present, guarantee, limit)
        broken, below = new_flaws(known, wanted)
        if broken and not force:
            lines = "\n".join(f"  {line}" for line in broken)
            raise click.ClickException(f"what is guaranteed could not be kept:\n{lines}\nUse --force to set it anyway.")
        new = present.metadata.uid is None
        if dry_run:
            written = {**wanted.manifest(), "apiVersion": API_VERSION}
        elif new:
            written = await client.create(FRAMEWORK_ROLES, wanted.manifest())
        else:
            change = patch(guarantee, limit)
            change["metadata"] = {"resourceVersion": present.metadata.resource_version}
            written = await client.patch(FRAMEWORK_ROLES, role, change)
        if session.output.for_programs:
            session.output.objects([written], one=True)
        else:
            click.echo(f"{name_of(written)} {'created' if new else 'configured'}{' (dry run)' if dry_run else ''}")
            session.output.rows(columns(), rows([FrameworkRole.read(written)]), f"Role {role} has no quota.")
        notes([*broken, *below])
        notes(reader.notes)

    session.run(write)

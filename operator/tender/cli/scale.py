"""`tender scale`: how many pods a framework is to have."""

import click

from tender.cli.changing import change_framework, follow
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.progress import waiting_options
from tender.cli.views.scaling import scaled
from tender.cli.views.standings import settled


@click.command()
@click.argument("framework")
@click.option("--replicas", type=click.IntRange(min=0), required=True, help="How many pods there are to be.")
@click.option("--pods", metavar="SET", help="Which set of pods, of a stateful service with several.")
@click.option("--current-replicas", type=click.IntRange(min=0), help="Scale only if there are to be so many now.")
@waiting_options("0s")
@with_session(formats=())
def scale(
    session: Session,
    framework: str,
    replicas: int,
    pods: str | None,
    current_replicas: int | None,
    wait: bool,
    timeout: float | None,
) -> None:
    """Change how many pods a framework has, and wait until it has them.

    \b
    Examples:
      tender scale web --replicas 5
      tender scale web --replicas 5 --current-replicas 3
      tender scale db --pods node --replicas 5 --no-wait
    """

    async def work(cluster: Cluster) -> None:
        changed = await change_framework(
            cluster, framework, lambda present: scaled(present, replicas, pods, current_replicas)
        )
        click.echo(f"framework.tender.dev/{framework} scaled to {replicas}")
        if wait:
            await follow(cluster, framework, settled(framework, changed["metadata"]["generation"]), timeout)

    session.run(work)

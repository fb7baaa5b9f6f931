"""`tender version`."""

from typing import Any

import click

from tender import __version__
from tender.cli.asking import masters, tender_namespace_option
from tender.cli.connection import Cluster, Session, in_a_line, with_session
from tender.cli.output import DOCUMENTS, notes
from tender.cli.reading import lacking_right
from tender.cluster.errors import ApiError, Forbidden, NoCluster
from tender.cluster.resources import PODS


@click.command()
@click.option("--client", is_flag=True, help="Only this program's, without asking the cluster.")
@tender_namespace_option
@with_session(formats=(DOCUMENTS[0], *DOCUMENTS[2:]), namespaced=False)
def version(session: Session, client: bool, tender_namespace: str) -> None:
    """Print the versions of this program, of the running master and of Kubernetes.

    \b
    Examples:
      tender version
      tender version --client
    """
    found: dict[str, Any] = {"client": __version__}
    why_not: list[str] = []

    async def ask(cluster: Cluster) -> None:
        try:
            pods = await masters(cluster, tender_namespace)
        except Forbidden:
            pods = []
            why_not.append(f"not shown: the master, as {lacking_right('list', PODS, tender_namespace)}")
        else:
            if not pods:
                why_not.append(f"no pod of the master is in namespace {tender_namespace}; see --tender-namespace")
        found["masters"] = [_master(pod) for pod in pods]
        found["kubernetes"] = await cluster.client.server_version()

    if not client:
        try:
            session.run(ask, told=False)
        except NoCluster as error:
            why_not.append(f"no cluster was asked: {error}")
        except ApiError as error:
            why_not.append(f"the cluster was not asked: {in_a_line(error)}")
    if session.output.for_programs:
        session.output.document(found)
    else:
        click.echo(f"Client: {found['client']}")
        for master in found.get("masters", ()):
            click.echo(f"Master: {master['version']} (image {master['image']}, pod {master['pod']})")
        if "kubernetes" in found:
            click.echo(f"Kubernetes: {found['kubernetes']}")
    notes(why_not)


def _master(pod: dict[str, Any]) -> dict[str, str]:
    """The version of a master: the label that the chart sets, else the tag of the image."""
    image = str(pod["spec"]["containers"][0]["image"])
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    labels = pod["metadata"].get("labels", {})
    label = labels.get("app.kubernetes.io/version")
    return {"version": label or tag or "unknown", "image": image, "pod": pod["metadata"]["name"]}

"""`tender pod`: end, replace or pause one pod of a framework."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from tender.api.names import LABEL_EXCHANGE, LABEL_FRAMEWORK
from tender.cli.connection import Cluster, Session, with_session
from tender.cli.plan import ask, new_id
from tender.cli.progress import Watched, wait_until, waiting_options
from tender.cli.views.exchanges import exchanged, instance_back
from tender.cluster.errors import NotFound
from tender.cluster.resources import FRAMEWORKS, PODS

_framework = click.argument("framework")
_pod = click.argument("pod")


@click.group()
def pod() -> None:
    """Restart, replace, pause or resume single pods of a framework."""


def _command(name: str, action: str, *, summary: str, text: str, example: str) -> None:
    def command(session: Session, framework: str, pod: str, wait: bool, timeout: float | None) -> None:
        session.run(_asking(framework, pod, action, wait, timeout))

    command.__doc__ = f"{summary}\n\n{text}\n\n\b\nExamples:\n  {example}"
    decorated: Callable[..., Any] = with_session(formats=())(command)
    pod_command = _framework(_pod(waiting_options("0s")(decorated)))
    pod.command(name)(pod_command)


_command(
    "restart",
    "Restart",
    summary="End a pod and start it again, and wait until it is back.",
    text="A pod of a stateful service, such as node-0, starts again at its place, with its volumes. A pod of a service"
    " is exchanged for another one, within the bounds of its updateStrategy.",
    example="tender pod restart db node-0",
)
_command(
    "replace",
    "Replace",
    summary="Give up a pod's place and volumes, start it elsewhere, and wait until it is back.",
    text="What is in its volumes is lost. For pods of stateful services.",
    example="tender pod replace db node-0",
)
_command(
    "pause",
    "Pause",
    summary="Have the containers of a pod idle, for a look inside with kubectl exec.",
    text="For pods of stateful services.",
    example="tender pod pause db node-0",
)
_command(
    "resume",
    "Resume",
    summary="Undo a pause.",
    text="For pods of stateful services.",
    example="tender pod resume db node-0",
)


def _asking(framework: str, pod: str, action: str, wait: bool, timeout: float | None) -> Callable[[Cluster], Any]:
    async def work(cluster: Cluster) -> None:
        found = await cluster.client.get(FRAMEWORKS, framework, namespace=cluster.namespace)
        if "service" in found["spec"]:
            await _exchange(cluster, framework, pod, action, wait, timeout)
            return
        instance = pod.removeprefix(f"{framework}-")
        uid = await _uid(cluster, f"{framework}-{instance}")
        number = new_id(action)
        await ask(cluster, framework, "podRequests", {"id": number, "pod": instance, "action": action})
        if not wait:
            click.echo(f"framework.tender.dev/{framework}: request {number} is made")
            return
        watched = _watched(cluster, framework, f"{framework}-{instance}")
        judge = partial(instance_back, framework, instance, number, action, uid)
        await wait_until(cluster.client, watched, judge, timeout=timeout)

    return work


async def _exchange(cluster: Cluster, framework: str, pod: str, action: str, wait: bool, timeout: float | None) -> None:
    """Have a pod of a service exchanged."""
    if action != "Restart":
        raise click.ClickException(
            f"framework {framework} is a service: its pods have neither places nor volumes; use tender pod restart"
        )
    found = await cluster.client.get(PODS, pod, namespace=cluster.namespace)
    labels = found["metadata"].get("labels", {})
    if labels.get(LABEL_FRAMEWORK) != framework:
        raise click.ClickException(
            f"pod {pod} does not belong to framework {framework}: see kubectl get pods -L {LABEL_FRAMEWORK}"
        )
    await mark(cluster, found)
    if not wait:
        click.echo(f"pod/{pod}: marked to be exchanged")
        return
    judge = partial(exchanged, framework, found["metadata"]["uid"])
    await wait_until(cluster.client, _watched(cluster, framework, pod), judge, timeout=timeout)


def _watched(cluster: Cluster, framework: str, pod: str) -> list[Watched]:
    return [Watched(PODS, cluster.namespace, pod), Watched(FRAMEWORKS, cluster.namespace, framework)]


async def _uid(cluster: Cluster, pod: str) -> str | None:
    """The uid of a pod; None if there is none."""
    try:
        found = await cluster.client.get(PODS, pod, namespace=cluster.namespace)
    except NotFound:
        return None
    uid: str = found["metadata"]["uid"]
    return uid


async def mark(cluster: Cluster, pod: dict[str, Any]) -> None:
    """Label a pod of a service, so that it is exchanged for another one."""
    metadata = pod["metadata"]
    patch = {"metadata": {"uid": metadata["uid"], "labels": {LABEL_EXCHANGE: ""}}}
    await cluster.client.patch(PODS, metadata["name"], patch, namespace=metadata["namespace"])

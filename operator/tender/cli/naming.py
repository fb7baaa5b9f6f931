"""Completes the names of objects from the cluster, for arguments and options: within two seconds, or not at all."""

import asyncio
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from tender.cli.connection import Cluster, Session

_PATIENCE_SECONDS = 2.0

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def names_of(kind: str) -> Complete:
    """For `shell_complete`: the names of objects of a kind, given by its name in `tender.cluster.resources`."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        kubeconfig, context, namespace = (ctx.params.get(name) for name in ("kubeconfig", "context", "namespace"))
        try:
            names = Session(kubeconfig, context, namespace).run(lambda cluster: _names(cluster, kind), told=False)
        except Exception:  # whatever is wrong, a shell that completes is no place to say it
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


async def _names(cluster: Cluster, kind: str) -> list[str]:
    from tender.cluster import resources

    async with asyncio.timeout(_PATIENCE_SECONDS):
        resource = getattr(resources, kind)
        found = await cluster.client.list_all(resource, namespace=cluster.scope if resource.namespaced else None)
    return sorted(one["metadata"]["name"] for one in found)

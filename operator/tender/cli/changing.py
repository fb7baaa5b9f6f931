"""Changes objects on behalf of a person, and follows a framework until it has come where it should.

What is changed is read first and written with its version, so that nobody's change in between is lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click

from tender.cli.connection import Cluster
from tender.cli.progress import Watched, wait_until
from tender.cli.views.refused import RefusedError
from tender.cli.views.standing import Standing
from tender.cluster.errors import Conflict
from tender.cluster.resources import FRAMEWORKS

Object = dict[str, Any]
_ATTEMPTS = 8


async def change_framework(cluster: Cluster, name: str, patch_of: Callable[[Object], Mapping[str, Any]]) -> Object:
    """Merge into a framework of the namespace in question what `patch_of` makes of it as it is; as it is then.

    Raises click.ClickException for a RefusedError of `patch_of`, and Conflict when others change it all the time.
    """
    attempts = _ATTEMPTS
    while True:
        present = await cluster.client.get(FRAMEWORKS, name, namespace=cluster.namespace)
        try:
            patch = dict(patch_of(present))
        except RefusedError as error:
            raise click.ClickException(str(error)) from None
        patch["metadata"] = {"resourceVersion": present["metadata"]["resourceVersion"]}
        try:
            return await cluster.client.patch(FRAMEWORKS, name, patch, namespace=cluster.namespace)
        except Conflict:
            attempts -= 1
            if not attempts:
                raise


async def follow(
    cluster: Cluster, name: str, judge: Callable[[Object | None], Standing], timeout: float | None
) -> Standing:
    """Show how far a framework has come until `judge` finds it done; None stands for one that is gone.

    Raises click.ClickException when it has failed, or has not come so far within `timeout` seconds.
    """
    watched = [Watched(FRAMEWORKS, cluster.namespace, name)]
    key = f"{cluster.namespace}/{name}"
    return await wait_until(cluster.client, watched, lambda seen: judge(seen[0].get(key)), timeout=timeout)

"""Changes objects on behalf of a person, and follows a framework until it has come where it should.

What is changed is read first and written with its version, so that nobody's change in between is lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tender.cli.connection import Cluster
from tender.cli.progress import Watched, wait_until
from tender.cli.views.standing import Standing
from tender.cluster.errors import Conflict
from tender.cluster.resources import FRAMEWORKS, Resource

Object = dict[str, Any]
_ATTEMPTS = 8


async def change(
    cluster: Cluster, resource: Resource, name: str, patch_of: Callable[[Object], Mapping[str, Any]], **place: str
) -> Object:
    """Merge into an object what `patch_of` makes of it as it is; the object as it is then.

    Raises Conflict when others change it all the time, and whatever `patch_of` raises.
    """
    for attempt in range(_ATTEMPTS):
        present = await cluster.client.get(resource, name, **place)
        version = {"resourceVersion": present["metadata"]["resourceVersion"]}
        patch = dict(patch_of(present))
        patch["metadata"] = {**patch.get("metadata", {}), **version}
        try:
            return await cluster.client.patch(resource, name, patch, **place)
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


async def change_framework(cluster: Cluster, name: str, patch_of: Callable[[Object], Mapping[str, Any]]) -> Object:
    """The same for a framework of the namespace in question."""
    return await change(cluster, FRAMEWORKS, name, patch_of, namespace=cluster.namespace)


async def follow(
    cluster: Cluster, name: str, judge: Callable[[Object | None], Standing], timeout: float | None
) -> Standing:
    """Show how far a framework has come until `judge` finds it done; None stands for one that is gone.

    Raises click.ClickException when it has failed, or has not come so far within `timeout` seconds.
    """
    watched = [Watched(FRAMEWORKS, cluster.namespace, name)]
    key = f"{cluster.namespace}/{name}"
    return await wait_until(cluster.client, watched, lambda seen: judge(seen[0].get(key)), timeout=timeout)

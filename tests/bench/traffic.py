"""What the API server was asked to write, by its own count."""

import asyncio
import re

from cluster import LocalCluster

_WRITES = {"POST", "PUT", "PATCH", "DELETE", "APPLY"}
_BACKGROUND = {"leases", "nodes", "endpointslices", "endpoints"}


async def api_writes(cluster: LocalCluster) -> dict[str, float]:
    """Writes that the API server has counted so far, by verb and resource, less what nodes do of themselves."""
    text = (await asyncio.to_thread(cluster.kubectl, "get", "--raw", "/metrics")).stdout
    counts: dict[str, float] = {}
    for labels, value in re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)$", text, re.MULTILINE):
        fields = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if fields["verb"] in _WRITES and fields["resource"] not in _BACKGROUND and fields["code"].startswith("2"):
            name = f"{fields['verb']} {fields['resource']}/{fields['subresource']}".rstrip("/")
            counts[name] = counts.get(name, 0) + float(value)
    return counts


def growth(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What was written between two counts."""
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}

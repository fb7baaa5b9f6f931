"""What the parts of Tender were refused on a cluster, going by the audit log of its API server."""

from tests.chart.permissions import Request, requests
from tests.e2e.release import NAMESPACE, Release

from cluster import LocalCluster


def asked(cluster: LocalCluster, component: str) -> list[Request]:
    """Everything that a component asked the API server for since the cluster was made."""
    user = f"system:serviceaccount:{NAMESPACE}:tender-{component}"
    return list(requests(cluster.layout.logs / "audit.log", user))


def refused(cluster: LocalCluster, release: Release, component: str) -> list[Request]:
    """What it had no right to. While it is uninstalled or rolled back, rights may end before pods do."""
    return [
        each
        for each in asked(cluster, component)
        if not each.allowed and not any(begun <= each.at <= ended for begun, ended in release.withdrawals)
    ]

"""What the test tiers share: a cluster of their own for one run, ended with it, or an honest reason why
there is none.

The only module here that needs pytest. Programs are not built inside a test run, whose time limits are
for tests.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import tools
from cluster.failure import ClusterError
from cluster.layout import REPOSITORY, home
from cluster.local import LocalCluster
from cluster.processes import started_at
from cluster.state import Options


def unavailable(reason: str) -> None:
    """Skip the tests that need a cluster; in CI (environment CI=true) fail them, so that a gap is never
    green.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def cluster_for_run(tier: str, programs: list[str], options: Options) -> Iterator[LocalCluster]:
    """Yield a new cluster "<tier>-<process id>" and take it down afterwards, whatever happens."""
    _sweep(tier)
    missing = [name for name in programs if not tools.location(name).exists()]
    if missing:
        unavailable(f"not built yet: {', '.join(missing)}; run `python3 hack/cluster build`")
    cluster = LocalCluster(f"{tier}-{os.getpid()}")
    try:
        try:
            cluster.up(options)
        except ClusterError as error:
            unavailable(str(error))
        yield cluster
    finally:
        cluster.down()


def apply_crds(cluster: LocalCluster, folder: Path = REPOSITORY / "crds") -> None:
    """Apply the custom resource definitions and wait until the API server serves them."""
    if not list(folder.glob("*.yaml")):
        return
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(folder))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(folder))
    cluster.kubectl("api-resources")  # asks the server anew, where kubectl would trust what it asked before


def _sweep(tier: str) -> None:
    """Take down what a run that was killed left behind: its process no longer lives."""
    for folder in (home() / "clusters").glob(f"{tier}-*"):
        pid = folder.name.removeprefix(f"{tier}-")
        if pid.isdigit() and started_at(int(pid)) is None:
            LocalCluster(folder.name).down()

"""Fixtures of the end-to-end tier: a cluster with a real node, a few fake ones, and the images loaded."""

from collections.abc import Iterator

import pytest

from cluster import LocalCluster, Options, home
from cluster.layout import REPOSITORY
from cluster.testing import cluster_for_run
from cluster.tools import TOOLS
from image.operator_image import build_operator

FAKE_NODES = 3


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Started once per run and stopped at its end: node-1 is real, fake-0001 to fake-0003 are not.

    The real node has tender.dev/busybox:1 and the image of Tender as it is in the working tree.
    """
    programs = [name for name in TOOLS if name != "kind"]
    options = Options(flavour="local", nodes=1, fake=FAKE_NODES)
    for started in cluster_for_run("e2e", programs, options):
        started.load_image(build_operator(REPOSITORY / "build" / "images", home() / "images"))
        yield started

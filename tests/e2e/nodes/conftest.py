"""Fixtures of the tests that need several real nodes: a cluster of three, on which stateful systems can run.

It is another cluster than that of the other end-to-end tests, and is there only while the tests of this folder run.
Fixtures of the folder above that ask for `cluster`, such as `namespace`, mean this one here.
"""

from collections.abc import Iterator

import pytest
from tests.e2e.nodes.three import NODES
from tests.e2e.release import COMPONENTS, Release

from cluster import LocalCluster, Options, home
from cluster.layout import REPOSITORY
from cluster.testing import cluster_for_run, unavailable
from cluster.tools import TOOLS
from image.base import ImageError
from image.operator_image import build_operator
from image.zookeeper_image import build_zookeeper, image_name

_IMAGES = REPOSITORY / "build" / "images"


@pytest.fixture(scope="package")
def three_nodes() -> Iterator[LocalCluster]:
    """A cluster of the real nodes node-1 to node-3, in zone-1 to zone-3, with tender.dev/busybox:1."""
    programs = [name for name in TOOLS if name != "kind"]
    yield from cluster_for_run("e2e-nodes", programs, Options(flavour="local", nodes=len(NODES), audit_log=True))


@pytest.fixture(scope="package")
def cluster(three_nodes: LocalCluster) -> LocalCluster:
    return three_nodes


@pytest.fixture(scope="package")
def tender(three_nodes: LocalCluster) -> Release:
    """Tender, as it is in the working tree, on the three nodes: two of each part, of which one leads."""
    three_nodes.load_image(build_operator(_IMAGES, home() / "images"))
    release = Release(three_nodes)
    release.install(*(f"{component}.replicas=2" for component in COMPONENTS))
    return release


@pytest.fixture(scope="package")
def zookeeper(three_nodes: LocalCluster) -> str:
    """The name of the image of ZooKeeper, which the three nodes have."""
    try:
        archive = build_zookeeper(_IMAGES, home() / "images")
    except ImageError as error:
        unavailable(str(error))
    three_nodes.load_image(archive)
    return image_name()

"""Helm for every test of the chart; a control plane of their own for those that install it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chart.helm import Helm
from tests.chart.installation import Installation

from cluster import LocalCluster, Options, tools
from cluster.testing import cluster_for_run, unavailable


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    program: Path = tools.location("helm")
    if not program.exists():
        unavailable("not built yet: helm; run `python3 hack/cluster build helm`")
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[LocalCluster]:
    """An API server without Tender, with an audit log; nothing runs pods or collects what lost its owner."""
    options = Options(flavour="local", control_plane_only=True, audit_log=True)
    yield from cluster_for_run("chart", ["etcd", "kube-apiserver", "kubectl"], options)


@pytest.fixture(scope="session")
def tender_program() -> Path:
    return Path(sys.executable).with_name("tender")


@pytest.fixture(scope="session")
def installation(control_plane: LocalCluster, helm: Helm) -> Installation:
    return Installation(control_plane, helm)

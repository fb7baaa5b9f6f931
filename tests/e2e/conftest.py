"""Fixtures of the end-to-end tier: a cluster with a real node and a few fake ones, and Tender on it by its chart."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.services import Namespace

from cluster import LocalCluster, Options, home
from cluster.layout import REPOSITORY
from cluster.testing import cluster_for_run
from cluster.tools import TOOLS
from image.operator_image import build_operator

FAKE_NODES = 3
_FIRST_TEST_SECONDS = 600  # the first test brings the cluster up and builds the image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_FIRST_TEST_SECONDS))
    _put_last(items, "test_rights_throughout.py")


def _put_last(items: list[pytest.Item], name: str) -> None:
    """Run what is about the whole session behind all other tests on the same cluster."""
    for item in [item for item in items if item.path.name == name]:
        items.remove(item)
        beside = [number for number, other in enumerate(items) if other.path.parent == item.path.parent]
        items.insert(beside[-1] + 1 if beside else len(items), item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show with every failure what was on the cluster."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    found = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and report.when != "teardown" and isinstance(found, LocalCluster):  # it may be down by then
        report.sections.append(("the cluster", _describe(found)))
    return report  # type: ignore[return-value]


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Started once per run and stopped at its end: node-1 is real, fake-0001 to fake-0003 are not.

    The real node has tender.dev/busybox:1 and the image of Tender as it is in the working tree.
    """
    programs = [name for name in TOOLS if name != "kind"]
    options = Options(flavour="local", nodes=1, fake=FAKE_NODES, audit_log=True)
    for started in cluster_for_run("e2e", programs, options):
        started.load_image(build_operator(REPOSITORY / "build" / "images", home() / "images"))
        yield started


@pytest.fixture(scope="session")
def tender(cluster: LocalCluster) -> Release:
    """Tender, installed once per run; a test that changes it leaves it installed and ready."""
    release = Release(cluster)
    release.install()
    return release


@pytest.fixture
def namespace(cluster: LocalCluster) -> Iterator[Namespace]:
    """A namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=30s")
    yield Namespace(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def history(namespace: Namespace) -> Iterator[PodHistory]:
    """Everything that happens to the pods of the test's namespace."""
    with PodHistory(namespace) as history:
        yield history


def _describe(cluster: LocalCluster) -> str:
    release = Release(cluster)
    questions = (
        ("get", "nodes", "-o", "wide"),
        ("get", "pods", "-A", "-o", "wide"),
        ("get", "persistentvolumes,persistentvolumeclaims", "-A"),
        ("get", "tender", "-A"),
        ("describe", "frameworks", "-A"),
        ("get", "events", "-A", "--sort-by=.lastTimestamp"),
    )
    answers = []
    for question in questions:
        answer = cluster.kubectl(*question, check=False)
        answers.append(f"$ kubectl {' '.join(question)}\n{answer.stdout}{answer.stderr}")
    answers += [f"the {component}'s log\n{release.logs(component)}" for component in COMPONENTS]
    return "\n".join(answers)

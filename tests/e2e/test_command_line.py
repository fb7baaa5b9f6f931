"""The command line against the release: it finds the master that the chart made and asks it through the proxy."""

from click.testing import CliRunner, Result
from tests.e2e.release import Release
from tests.e2e.services import Namespace, service, template
from tests.e2e.waiting import eventually

import tender as package
from cluster import LocalCluster
from tender.cli import main


def test_why_is_answered_by_the_running_master(tender: Release, cluster: LocalCluster, namespace: Namespace):
    namespace.apply(service("waiting", 1, template("here", cpu="500")))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, f"--kubeconfig={cluster.kubeconfig}"])

    def told() -> str | None:
        result = run("why", "waiting", "-n", namespace.name, "-o", "wide")
        return result.output if "Exhausted" in result.output else None

    text = eventually("the master says that the room is exhausted", told)
    assert "In role default, 1 more of task " in text
    assert "node-1" in text
    assert "Note:" not in text
    version = run("version").output
    assert f"Master: {package.__version__} (image tender.dev/tender:" in version
    assert "Kubernetes: v1." in version
    assert run("status").exit_code == 0

"""Tender as its chart installs it on the real node: install, upgrade, uninstall, and an end without warning."""

import json
import time
from functools import partial
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from tests.chart.helm import CHART
from tests.e2e.services import Manifest
from tests.e2e.waiting import eventually

from cluster import LocalCluster
from image.operator_image import image_name

NAMESPACE = "tender-system"
COMPONENTS = ("master", "controller")


class Release:
    """The release "tender" on a cluster. `withdrawals` are when rights of its programs may have gone before they
    did: while it was uninstalled or rolled back, in epoch seconds.
    """

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster
        self.withdrawals: list[tuple[float, float]] = []

    def install(self, *settings: str, chart: Path = CHART) -> None:
        """Install or upgrade, with these values, by default with the image of the working tree, and wait until it is
        ready.
        """
        repository, _, tag = image_name().rpartition(":")
        self._cluster.helm(
            *("upgrade", "--install", "tender", str(chart)),
            *("--namespace", NAMESPACE, "--create-namespace"),
            *("--set", ",".join([f"image.repository={repository}", f"image.tag={tag}", *settings])),
            *("--wait", "--timeout", "3m"),
        )

    def roll_back(self) -> None:
        """Go back to what was installed before, and wait until it is ready."""
        begun = time.time()
        self._cluster.helm("rollback", "tender", "--namespace", NAMESPACE, "--wait", "--timeout", "3m")
        self.withdrawals.append((begun, time.time()))

    def uninstall(self) -> None:
        """Uninstall, and wait until no process of it is left."""
        begun = time.time()
        self._cluster.helm("uninstall", "tender", "--namespace", NAMESPACE, "--wait", "--timeout", "2m")
        eventually("Tender's pods are gone", lambda: not self._pods())
        self.withdrawals.append((begun, time.time()))

    def pod(self, component: str) -> Manifest:
        """The pod of a component that is not leaving."""
        [pod] = [pod for pod in self._pods(f"app.kubernetes.io/component={component}") if not _is_leaving(pod)]
        return pod

    def restarts(self, component: str) -> int:
        """How many times the component's container was started again."""
        return sum(int(status["restartCount"]) for status in _containers(self.pod(component)))

    def wait_until_ready(self) -> None:
        """Wait until both components have a running process that says it is ready."""
        for component in COMPONENTS:
            eventually(f"the {component} is ready", partial(self.is_ready, component))

    def is_ready(self, component: str) -> bool:
        """Whether the component's container is ready as far as the kubelet knows."""
        return all(status["ready"] for status in _containers(self.pod(component)))

    def metrics(self, component: str) -> dict[str, Metric]:
        """The component's metrics by name, read through the API server's proxy."""
        path = f"/api/v1/namespaces/{NAMESPACE}/services/tender-{component}-metrics:metrics/proxy/metrics"
        text = self._cluster.kubectl("get", "--raw", path).stdout
        return {family.name: family for family in text_string_to_metric_families(text)}

    def logs(self, component: str, lines: int = 60) -> str:
        """The end of the log of a component."""
        return self._cluster.kubectl(
            *("--namespace", NAMESPACE, "logs", f"--tail={lines}", "--prefix", "--ignore-errors"),
            f"--selector=app.kubernetes.io/component={component}",
            check=False,
        ).stdout

    def _pods(self, selector: str = "app.kubernetes.io/instance=tender") -> list[Manifest]:
        answer = self._cluster.kubectl("--namespace", NAMESPACE, "get", "pods", "-l", selector, "-o", "json").stdout
        found: list[Manifest] = json.loads(answer)["items"]
        return found


def _is_leaving(pod: Manifest) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _containers(pod: Manifest) -> list[Manifest]:
    found: list[Manifest] = pod.get("status", {}).get("containerStatuses") or [{"ready": False, "restartCount": 0}]
    return found

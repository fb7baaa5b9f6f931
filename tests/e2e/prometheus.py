"""A real Prometheus beside the cluster, which finds the operator as the chart's ServiceMonitor says and loads the
chart's rules: what the Prometheus operator would make of both is made of them here.
"""

import json
import math
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import yaml
from tests.e2e.services import Manifest
from tests.e2e.waiting import eventually

from cluster import LocalCluster, tools

INTERVAL = "1s"
"""A second between two scrapes, where the chart says half a minute: rates are there at once."""


class Prometheus:
    """Prometheus with its data in `folder`; a context manager. Queries go to its HTTP API."""

    def __init__(self, cluster: LocalCluster, monitor: Manifest, rules: Manifest, folder: Path) -> None:
        self._folder = folder
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules["spec"]))
        config = {
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [
                _scrape_config(cluster, monitor, number, endpoint)
                for number, endpoint in enumerate(monitor["spec"]["endpoints"])
            ],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{one.getsockname()[1]}"

    def __enter__(self) -> Self:
        log = (self._folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [
                    tools.location("prometheus"),
                    f"--config.file={self._folder / 'prometheus.yaml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address={self._address}",
                    "--log.level=warn",
                ],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        try:
            eventually("Prometheus is ready", self._is_ready)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and values of the series that an expression gives now, those that are no number left out."""
        answer = self.api(f"query?query={urllib.parse.quote(expression)}")
        found = [(one["metric"], float(one["value"][1])) for one in answer["result"]]
        return [(labels, value) for labels, value in found if not math.isnan(value)]

    def api(self, path: str) -> Any:
        """The data of an answer of the API; what Prometheus says of a wrong expression is an error."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/api/v1/{path}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def log(self) -> str:
        """What Prometheus complained about."""
        return (self._folder / "log").read_text()

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()


def _scrape_config(cluster: LocalCluster, monitor: Manifest, number: int, endpoint: Manifest) -> dict[str, Any]:
    """What the Prometheus operator makes of an endpoint of a ServiceMonitor, with the targets that are there now.

    Debian's Prometheus has no service discovery for Kubernetes, so the endpoints are looked up here.
    """
    metadata = monitor["metadata"]
    return {
        "job_name": f"serviceMonitor/{metadata['namespace']}/{metadata['name']}/{number}",
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint["honorLabels"],
        "static_configs": list(_targets(cluster, monitor["spec"], endpoint["port"])),
    }


def _targets(cluster: LocalCluster, spec: Manifest, port: str) -> Iterator[dict[str, Any]]:
    """The targets behind the Services that a ServiceMonitor selects, with the labels that it gives them."""
    selector = ",".join(
        [f"{label}={value}" for label, value in spec["selector"]["matchLabels"].items()]
        + [f"{one['key']} in ({','.join(one['values'])})" for one in spec["selector"]["matchExpressions"]]
    )
    for namespace in spec["namespaceSelector"]["matchNames"]:
        asked = ("--namespace", namespace, "get", "-o", "json")
        services = json.loads(cluster.kubectl(*asked, "services", f"--selector={selector}").stdout)["items"]
        for service in (one["metadata"]["name"] for one in services):
            found = cluster.kubectl(*asked, "endpointslices", f"--selector=kubernetes.io/service-name={service}").stdout
            for part in json.loads(found)["items"]:
                [number] = [one["port"] for one in part["ports"] if one["name"] == port]
                for one in part["endpoints"]:
                    labels = {"namespace": namespace, "job": service, "pod": one["targetRef"]["name"]}
                    yield {"targets": [f"{address}:{number}" for address in one["addresses"]], "labels": labels}

"""A pod that asks a Service again and again from inside the cluster, and counts what was not answered.

It is bounded: by a number of requests, and by the time that the pod may live.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.services import Namespace
from tests.e2e.waiting import eventually

from image.operator_image import image_name

MOST_REQUESTS = 6000
_MOST_SECONDS = 300
_SCRIPT = """
import json, os, sys, time, urllib.request
url, most = sys.argv[1], int(sys.argv[2])
asked, failures = 0, []
while asked < most and not os.path.exists("/tmp/stop"):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            answer.read()
    except OSError as error:
        failures.append(f"request {asked}: {error}")
    asked += 1
    with open("/tmp/figures.new", "w") as out:
        json.dump({"asked": asked, "failures": failures[:20], "failed": len(failures)}, out)
    os.rename("/tmp/figures.new", "/tmp/figures")
    time.sleep(0.02)
while not os.path.exists("/tmp/stop"):
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Figures:
    """How often it asked, and what failed (the first 20 failures in words)."""

    asked: int
    failed: int
    failures: tuple[str, ...]


class SteadyClient:
    """The pod `client`, which asks `url` until it is stopped."""

    def __init__(self, namespace: Namespace, name: str = "client") -> None:
        self._namespace = namespace
        self._name = name

    @contextmanager
    def asking(self, url: str, node: str) -> Iterator["SteadyClient"]:
        """Within it, the pod asks; it has been answered at least once when it begins."""
        self._namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": self._name},
                "spec": {
                    "nodeName": node,
                    "restartPolicy": "Never",
                    "activeDeadlineSeconds": _MOST_SECONDS,
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {
                            "name": "client",
                            "image": image_name(),
                            "imagePullPolicy": "Never",
                            "command": ["python3", "-c", _SCRIPT, url, str(MOST_REQUESTS)],
                        }
                    ],
                },
            }
        )
        eventually("the client is answered", self._begun)
        yield self
        self._namespace.kubectl("exec", self._name, "--", "touch", "/tmp/stop")

    def figures(self) -> Figures:
        """What it has counted so far."""
        seen = json.loads(self._namespace.kubectl("exec", self._name, "--", "cat", "/tmp/figures"))
        return Figures(seen["asked"], seen["failed"], tuple(seen["failures"]))

    def _begun(self) -> bool:
        done = self._namespace.cluster.kubectl(
            *("--namespace", self._namespace.name, "exec", self._name, "--", "cat", "/tmp/figures"), check=False
        )
        return done.returncode == 0 and json.loads(done.stdout)["asked"] > 0

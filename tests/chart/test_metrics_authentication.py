"""Metrics behind authentication: the programs, with the rights that the chart gives them, and a real API server that
judges tokens.
"""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chart.helm import COMPONENTS
from tests.chart.installation import Installation, eventually
from tests.chart.permissions import requests

SYSTEM = "tender-watched"


@pytest.fixture(scope="module")
def watched(installation: Installation) -> Iterator[Installation]:
    """A release that authenticates, and in its namespace the accounts prometheus, which may read, and nobody."""
    settings = "--set=metrics.authentication=true,crds.keep=false"  # others find the control plane as it was
    installation.install("tender", SYSTEM, settings, "--take-ownership", "--force-conflicts")
    for account in ("prometheus", "nobody"):
        installation.kubectl("create", "serviceaccount", account, f"--namespace={SYSTEM}")
    reader = ("--clusterrole=tender-metrics-reader", f"--serviceaccount={SYSTEM}:prometheus")
    installation.kubectl("create", "clusterrolebinding", "metrics-of-tender", *reader)
    yield installation
    installation.kubectl("delete", "clusterrolebinding", "metrics-of-tender")
    installation.uninstall("tender", SYSTEM)


def answer(port: int, path: str, token: str | None = None) -> tuple[int, str]:
    """The code and text of an answer; 0 while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        got = connection.getresponse()
        return got.status, got.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        connection.close()


@pytest.mark.parametrize("component", COMPONENTS)
def test_metrics_and_reasons_are_for_those_who_may_read_them(watched: Installation, tmp_path: Path, component: str):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]

    def token(account: str) -> str:
        return watched.kubectl("create", "token", account, f"--namespace={SYSTEM}").strip()

    known, unknown = token("prometheus"), token("nobody")
    account = f"tender-{component}"
    paths = ["/metrics", *(["/reasons", "/reasons/shop/web"] if component == "master" else [])]
    with watched.running(account, SYSTEM, tmp_path, component, "--metrics-auth", port=port):
        eventually(lambda: answer(port, "/readyz")[0] == 200, "readiness, which needs no token")
        for path in paths:
            assert answer(port, path)[0] == 401
            assert answer(port, path, "made.up.token")[0] == 401
            code, text = answer(port, path, unknown)
            assert code == 403
            assert f"system:serviceaccount:{SYSTEM}:nobody may not get /{path.split('/')[1]}" in text
            code, text = answer(port, path, known)
            assert code == (404 if path.endswith("/web") else 200)
        assert "tender_build_info" in answer(port, "/metrics", known)[1]
        assert answer(port, "/healthz")[0] == 200
    asked = list(requests(watched.audit_log(), f"system:serviceaccount:{SYSTEM}:{account}"))
    assert [each.path for each in asked if each.code == 403] == []
    reviews = [each.path for each in asked if each.path.startswith("/apis/authentication.k8s.io/v1/tokenreviews")]
    assert len(reviews) == 3 * len({path.split("/")[1] for path in paths}), "what was found holds for a minute"

"""The API server of this tier is a real one, reachable as the tests reach it."""

import json

from tests.integration.conftest import ApiServer


def test_it_reports_the_pinned_version(api_server: ApiServer):
    assert json.loads(api_server.kubectl("get", "--raw", "/version").stdout)["gitVersion"].startswith("v1.")


def test_objects_are_stored_in_a_namespace_of_the_test(api_server: ApiServer, namespace: str):
    api_server.kubectl("create", "configmap", "seen", "--from-literal=by=all", "-n", namespace)

    assert api_server.kubectl("get", "configmap", "seen", "-n", namespace, "-o", "name").stdout == "configmap/seen\n"

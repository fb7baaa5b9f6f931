"""The policy in docs/reservations.md lets namespaces reserve for the roles that are meant for them."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.custom_resources.objects import ApiServer, Manifest, Objects, RefusedError, manifest

DOCUMENT = (Path(__file__).parents[3] / "docs" / "reservations.md").read_text()
PATIENCE = 30.0


@pytest.fixture
def policy(api_server: ApiServer, objects: Objects) -> Iterator[None]:
    """The policy while the test runs; other tests are not to meet what the API server remembers of it."""
    [text] = [block for block in re.findall(r"```yaml\n(.+?)```", DOCUMENT, re.DOTALL) if "AdmissionPolicy" in block]
    api_server.kubectl("apply", "--filename=-", input=text)
    yield
    api_server.kubectl("delete", "--filename=-", input=text)
    until_taken(objects, "anybody")


def reservation(role: str) -> Manifest:
    return manifest("Reservation", f"for-{role}", {"role": role, "node": "node-1", "resources": {"cpu": 1}})


def until_refused(objects: Objects, role: str) -> str:
    """Make a reservation again and again until the policy is in force; what the API server says then."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            objects.create(reservation(role))
        except RefusedError as error:
            return error.message
        objects.delete("Reservation", f"for-{role}")
        time.sleep(0.1)
    pytest.fail("the policy does not come into force")


def until_taken(objects: Objects, role: str) -> None:
    """Make a reservation again and again until the policy lets it pass."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            objects.create(reservation(role))
        except RefusedError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the policy does not let role {role} pass")


@pytest.mark.usefixtures("policy")
class TestANamespace:
    def test_reserves_for_its_role_and_no_other(self, objects: Objects, api_server: ApiServer, namespace: str):
        api_server.kubectl("label", "namespace", namespace, "example.com/role=shops")
        assert "spec.role: this namespace may only reserve for the role in its label" in until_refused(objects, "bank")
        until_taken(objects, "shops")

    def test_without_a_role_reserves_nothing(self, objects: Objects):
        assert "spec.role: this namespace may only reserve" in until_refused(objects, "shops")

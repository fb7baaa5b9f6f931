"""A real API server takes the CRDs, and kubectl shows what they say."""

import json
from pathlib import Path

import pytest
from tests.integration.custom_resources.objects import KINDS, ApiServer, Objects, framework, offer

CRDS = Path(__file__).parents[3] / "crds"


@pytest.mark.usefixtures("client")
class TestTheDefinitions:
    def test_are_taken_without_a_warning(self, api_server: ApiServer):
        done = api_server.kubectl(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", f"--filename={CRDS}"
        )
        assert done.stderr == ""

    @pytest.mark.parametrize("kind", KINDS)
    def test_are_established_and_structural(self, api_server: ApiServer, kind: str):
        name = f"{KINDS[kind].PLURAL}.tender.dev"
        stored = json.loads(api_server.kubectl("get", "crd", name, "--output=json").stdout)
        conditions = {condition["type"]: condition["status"] for condition in stored["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}

    def test_show_in_kubectl_what_one_wants_to_know(self, api_server: ApiServer, objects: Objects, namespace: str):
        objects.create(framework())
        objects.create(offer())
        shown = api_server.kubectl("get", "tender", f"--namespace={namespace}").stdout
        columns = [line.split() for line in shown.splitlines() if line.startswith("NAME")]
        assert ["NAME", "ROLE", "REPLICAS", "RUNNING", "READY", "SHARE", "AGE"] in columns
        assert ["NAME", "FRAMEWORK", "ROLE", "PHASE", "EXPIRES", "AGE"] in columns
        assert "Offered" in shown

    def test_let_offers_be_listed_by_framework(self, api_server: ApiServer, objects: Objects, namespace: str):
        objects.create(offer(name="web-1"))
        objects.create(offer(name="db-1", framework="db"))
        listed = api_server.kubectl(
            "get", "offer", f"--namespace={namespace}", "--field-selector=spec.framework=db", "--output=name"
        )
        assert listed.stdout.split() == ["resourceoffer.tender.dev/db-1"]

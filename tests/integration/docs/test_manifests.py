"""Every complete manifest in the pages is one that a real API server takes."""

import json

import pytest
from tests.docs.reading import Block, blocks
from tests.integration.conftest import ApiServer

COMPLETE = [block for block in blocks("yaml") if all("apiVersion" in document for document in block.documents())]


def test_there_are_manifests_of_every_kind_that_people_write():
    kinds = {document["kind"] for block in COMPLETE for document in block.documents()}
    assert kinds >= {"Framework", "Reservation"}


@pytest.mark.parametrize("block", COMPLETE, ids=lambda block: block.place)
def test_a_manifest_is_accepted(api_server: ApiServer, namespace: str, block: Block):
    manifests = block.documents()
    for manifest in manifests:
        manifest["metadata"].pop("namespace", None)
        manifest["metadata"].pop("resourceVersion", None)  # of an object that is shown as it is, not as it is written

    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    dry_run = ("--server-side", "--dry-run=server", "--validate=strict")
    api_server.kubectl("apply", *dry_run, f"--namespace={namespace}", "--filename=-", input=content)

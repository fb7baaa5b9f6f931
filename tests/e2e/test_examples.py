"""Every example does what it says when it is applied, and leaves nothing behind when it is deleted."""

from functools import partial
from pathlib import Path

import pytest
import yaml
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, condition
from tests.e2e.waiting import eventually

from cluster.layout import REPOSITORY

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_until_it_is_deleted(tender: Release, namespace: Namespace, example: Path):
    objects: list[Manifest] = [one for one in yaml.safe_load_all(example.read_text()) if one]
    frameworks = [one for one in objects if one["kind"] == "Framework" and one["spec"].keys() & {"service", "stateful"}]

    namespace.kubectl("apply", "-f", str(example))

    if frameworks:
        namespace.wait_for("Ready", *(_name(one) for one in frameworks))
    for one in objects:
        found = eventually(f"{_name(one)} has a status", partial(_with_status, namespace, one))
        assert condition(found, "Stalled").get("status") != "True"
    assert len(namespace.items("pods")) == sum(_replicas(one["spec"]) for one in frameworks)

    namespace.kubectl("delete", "-f", str(example), "--timeout=60s")

    eventually("the pods are gone", lambda: not namespace.items("pods"))
    eventually("the offers are gone", lambda: not namespace.items("resourceoffers"))


def _with_status(namespace: Namespace, manifest: Manifest) -> Manifest | None:
    found = namespace.get(manifest["kind"], manifest["metadata"]["name"])
    return found if found.get("status") else None


def _replicas(spec: Manifest) -> int:
    if "service" in spec:
        return int(spec["service"].get("replicas", 1))
    return sum(int(one.get("count", 1)) for one in spec["stateful"]["pods"])


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind'].lower()}/{manifest['metadata']['name']}"

"""Tender is upgraded, rolled back, uninstalled and installed again under frameworks, whose pods do not notice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.chart.helm import CHART, PREVIOUS
from tests.e2e.pod_history import PodHistory
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.services import Manifest, Namespace, service, template, web

from cluster import LocalCluster


def test_an_upgrade_from_the_last_release_and_back_restarts_tender_and_no_pod_of_a_framework(
    cluster: LocalCluster, tender: Release, namespace: Namespace, history: PodHistory
):
    tender.uninstall()
    try:
        tender.install(chart=PREVIOUS)
        assert served_fields(cluster) == fields(cluster, PREVIOUS)
        namespace.apply(service("lasting", 2, web("here")), store("keeping"))
        namespace.wait_for("Ready", "framework/lasting", "framework/keeping")
        running, own = processes(namespace), tender_pods(tender)
        assert len(running) == 3

        tender.install()

        assert not own & tender_pods(tender)
        assert served_fields(cluster) == fields(cluster, CHART)
        assert processes(namespace) == running
        namespace.kubectl("scale", "framework", "lasting", "--replicas=3")
        namespace.wait_for("Ready", "framework/lasting", "framework/keeping")
        running, own = running | processes(namespace), tender_pods(tender)

        tender.roll_back()

        assert not own & tender_pods(tender)
        assert served_fields(cluster) == fields(cluster, PREVIOUS)
        assert processes(namespace) == running
        namespace.kubectl("scale", "framework", "lasting", "--replicas=4")
        namespace.wait_for("Ready", "framework/lasting", "framework/keeping")
        assert running.items() <= processes(namespace).items()
        assert len(history.created()) == len(processes(namespace)) == 5
    finally:
        tender.install()


def test_uninstalled_it_leaves_everything_that_runs_and_takes_it_up_again_when_it_is_back(
    cluster: LocalCluster, tender: Release, namespace: Namespace, history: PodHistory
):
    namespace.apply(service("left", 2, web("here")))
    namespace.wait_for("Ready", "framework/left")
    before = namespace.pods_by_uid()

    tender.uninstall()
    try:
        definitions = cluster.kubectl("get", "crd", "-o", "name").stdout
        assert all(
            f"/{plural}.tender.dev" in definitions
            for plural in ("frameworks", "frameworkroles", "resourceoffers", "reservations")
        )
        assert namespace.get("framework", "left")["status"]["readyReplicas"] == 2
        assert namespace.pods_by_uid() == before
        namespace.kubectl("scale", "framework", "left", "--replicas=3")
    finally:
        tender.install()

    namespace.wait_for("Ready", "framework/left")
    assert before.items() <= namespace.pods_by_uid().items()
    assert len(history.created()) == 3


def store(name: str) -> Manifest:
    """A Framework of one stateful pod with a volume."""
    pod = template("hostname >> /data/names && exec sleep 1000000")
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}}
    pods = {"name": "node", "count": 1, "template": pod, "volumeClaimTemplates": [{"name": "data", "spec": claim}]}
    return {
        "apiVersion": "tender.dev/v1alpha1",
        "kind": "Framework",
        "metadata": {"name": name},
        "spec": {"stateful": {"pods": [pods]}},
    }


def processes(namespace: Namespace) -> dict[str, list[tuple[int, str]]]:
    """By the uid of each pod how often its containers were started again, and since when they run."""
    return {
        pod["metadata"]["uid"]: [
            (status["restartCount"], status["state"]["running"]["startedAt"])
            for status in pod["status"]["containerStatuses"]
        ]
        for pod in namespace.items("pods")
    }


def tender_pods(tender: Release) -> set[str]:
    """The uids of Tender's own pods."""
    return {tender.pod(component)["metadata"]["uid"] for component in COMPONENTS}


def served_fields(cluster: LocalCluster) -> set[str]:
    """The fields that the API server knows."""
    return _fields(json.loads(cluster.kubectl("get", "crd", "-o", "json").stdout)["items"])


def fields(cluster: LocalCluster, chart: Path) -> set[str]:
    """The fields that the definitions of a chart have."""
    return _fields(list(yaml.load_all(cluster.helm("template", "tender", str(chart)).stdout, Loader=yaml.CSafeLoader)))


def _fields(manifests: list[Manifest]) -> set[str]:
    """Such as "frameworks.tender.dev/spec/service/replicas"."""
    return {
        field
        for each in manifests
        if each and each["kind"] == "CustomResourceDefinition"
        for field in _paths(each["spec"]["versions"][0]["schema"]["openAPIV3Schema"], each["metadata"]["name"])
    }


def _paths(schema: Any, path: str) -> Iterator[str]:
    for name, below in schema.get("properties", {}).items():
        yield f"{path}/{name}"
        yield from _paths(below, f"{path}/{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from _paths(schema[inner], path)

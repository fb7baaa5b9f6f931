"""Tender is upgraded, uninstalled and installed again under running frameworks, whose pods do not notice."""

from tests.e2e.pod_history import PodHistory
from tests.e2e.release import COMPONENTS, Release
from tests.e2e.services import Namespace, service, web

from cluster import LocalCluster


def test_an_upgrade_restarts_tender_and_no_pod_of_a_framework(
    tender: Release, namespace: Namespace, history: PodHistory
):
    namespace.apply(service("lasting", 2, web("here")))
    namespace.wait_for("Ready", "framework/lasting")
    before = namespace.pods_by_uid()
    own = {component: tender.pod(component)["metadata"]["uid"] for component in COMPONENTS}

    tender.install("master.logLevel=debug", "controller.logLevel=debug")

    assert all(tender.pod(component)["metadata"]["uid"] != own[component] for component in COMPONENTS)
    assert namespace.pods_by_uid() == before
    namespace.kubectl("scale", "framework", "lasting", "--replicas=3")
    namespace.wait_for("Ready", "framework/lasting")
    assert before.items() <= namespace.pods_by_uid().items()
    assert len(history.created()) == 3


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

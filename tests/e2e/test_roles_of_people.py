"""The cluster gathers the roles for people from the chart's parts, and from those of others with the same label."""

import json

import pytest
from tests.e2e.services import Namespace
from tests.e2e.waiting import eventually

from cluster import LocalCluster

MORE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "more-for-viewers", "labels": {"tender.dev/aggregate-to-viewer": "true"}},
    "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
}
HERE = [
    ("tender-viewer", "list", "frameworks", True),
    ("tender-viewer", "list", "resourceoffers", True),
    ("tender-viewer", "create", "frameworks", False),
    ("tender-editor", "create", "frameworks", True),
    ("tender-editor", "patch", "frameworks/scale", True),
    ("tender-editor", "patch", "frameworks/status", False),
    ("tender-editor", "create", "reservations", False),
    ("tender-editor", "patch", "resourceoffers/status", False),
    ("tender-operator", "create", "reservations", True),
    ("tender-operator", "create", "frameworks", False),
    ("tender-operator", "delete", "resourceoffers", False),
]


def may(cluster: LocalCluster, user: str, verb: str, resource: str, *where: str) -> bool:
    kind, _, subresource = resource.partition("/")
    options = [f"--subresource={subresource}", f"--as={user}", *where]
    return cluster.kubectl("auth", "can-i", verb, kind, *options, check=False).stdout.strip() == "yes"


@pytest.mark.usefixtures("tender")
def test_people_may_do_in_their_namespace_what_their_role_says(cluster: LocalCluster, namespace: Namespace):
    where = f"--namespace={namespace.name}"
    for role in ("tender-viewer", "tender-editor", "tender-operator"):
        cluster.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}", where)
    for role, verb, resource, allowed in HERE:
        assert may(cluster, role, verb, resource, where) == allowed, (role, verb, resource)
        assert not may(cluster, role, verb, resource, "--namespace=default")


@pytest.mark.usefixtures("tender")
def test_operators_decide_about_roles_in_the_whole_cluster(cluster: LocalCluster, namespace: Namespace):
    binding = ("clusterrolebinding", namespace.name)
    cluster.kubectl("create", *binding, "--clusterrole=tender-operator", "--user=platform")
    try:
        assert may(cluster, "platform", "patch", "frameworkroles")
        assert may(cluster, "platform", "list", "frameworks", "--all-namespaces")
        assert not may(cluster, "platform", "create", "pods")
    finally:
        cluster.kubectl("delete", *binding)


@pytest.mark.usefixtures("tender")
def test_others_add_to_them_by_a_label(cluster: LocalCluster, namespace: Namespace):
    where = f"--namespace={namespace.name}"
    cluster.kubectl("create", "rolebinding", "viewer", "--clusterrole=tender-viewer", "--user=viewer", where)
    assert not may(cluster, "viewer", "list", "configmaps", where)
    cluster.kubectl("apply", "-f", "-", input=json.dumps(MORE))
    try:
        eventually("viewers may list ConfigMaps", lambda: may(cluster, "viewer", "list", "configmaps", where))
    finally:
        cluster.kubectl("delete", "-f", "-", input=json.dumps(MORE))

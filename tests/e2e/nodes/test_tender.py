"""Tender's pods on several real nodes: other pods find them by name, wherever they were placed."""

from functools import partial

from tests.e2e.nodes.three import NODES
from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, service, template, web
from tests.e2e.waiting import eventually

_NAME: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"tender.dev/framework": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


def test_pods_on_every_node_reach_a_framework_by_the_name_of_its_service(tender: Release, namespace: Namespace):
    asks = "for i in 1 2 3 4 5 6 7 8 9 10; do wget -q -O - http://web/ && break; sleep 1; done; exec sleep 1000000"
    namespace.apply(_NAME, service("web", len(NODES), web("hello")))
    namespace.wait_for("Ready", "framework/web")

    for node in NODES:
        pod = template(asks, nodeName=node)
        namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"asks-{node}"}, **pod})

    for node in NODES:
        said = eventually(
            f"the pod on {node} has an answer", partial(namespace.kubectl, "logs", f"asks-{node}", check=False)
        )
        assert said == "hello\n"

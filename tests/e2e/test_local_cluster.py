"""The local cluster does what the other end-to-end tests rely on: it runs containers, it can be looked into, and it
has names and volumes for them."""

from pathlib import Path

from tests.e2e.services import Namespace
from tests.e2e.volumes import claim, writer
from tests.e2e.waiting import eventually
from tests.e2e.web_answer import fetch

from cluster import LocalCluster

_WEB = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  nodeName: node-1
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: tender.dev/busybox:1
    command:
    - sh
    - -c
    - mkdir /tmp/www && echo hello > /tmp/www/index.html && echo serving && httpd -f -p 8080 -h /tmp/www
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


def test_a_container_on_the_real_node_serves_logs_and_runs_commands(namespace: Namespace):
    namespace.kubectl("apply", "-f", "-", input=_WEB)
    namespace.wait_for("Ready", "pod/web")
    pod, service = namespace.get("pod", "web"), namespace.get("service", "web")

    assert fetch(f"http://{pod['status']['podIP']}:8080/") == "hello\n"
    namespace.kubectl(
        *("wait", "--timeout=30s", "endpointslice", "--selector=kubernetes.io/service-name=web"),
        "--for=jsonpath={.endpoints[0].conditions.ready}=true",
    )
    through_service = namespace.kubectl(
        *("exec", "web", "--", "sh", "-c"),
        f"for i in 1 2 3 4 5; do wget -q -O - http://{service['spec']['clusterIP']}/ && exit; sleep 1; done; exit 1",
    )
    assert through_service == "hello\n"
    assert fetch(f"http://{service['spec']['clusterIP']}/") == "hello\n"
    assert namespace.kubectl("logs", "web") == "serving\n"
    assert namespace.kubectl("exec", "web", "--", "hostname") == "web\n"


def test_a_container_finds_services_by_name_and_nothing_outside_of_the_cluster(namespace: Namespace):
    namespace.kubectl("apply", "-f", "-", input=_WEB)
    namespace.wait_for("Ready", "pod/web")
    address = namespace.get("service", "web")["spec"]["clusterIP"]

    for name in (f"web.{namespace.name}", f"web.{namespace.name}.svc.cluster.local"):
        answer = namespace.kubectl("exec", "web", "--", "ping", "-c", "1", "-w", "1", name, check=False)
        assert f"PING {name} ({address})" in answer  # and no more, since a Service answers at its ports only
    assert "NXDOMAIN" in namespace.kubectl("exec", "web", "--", "nslookup", "example.com", check=False)


def test_a_volume_is_made_on_demand_outlives_its_pod_and_goes_with_its_claim(namespace: Namespace):
    namespace.apply(claim("data"), writer("first", "data", "one"))
    namespace.wait_for("Ready", "pod/first")
    volume = namespace.get("pv", namespace.get("pvc", "data")["spec"]["volumeName"])
    folder = Path(volume["spec"]["hostPath"]["path"])
    namespace.kubectl("delete", "pod", "first")

    namespace.apply(writer("second", "data", "two", nodeName="node-1"))
    namespace.wait_for("Ready", "pod/second")

    assert namespace.kubectl("logs", "second") == "one\ntwo\n"
    assert folder.exists()
    namespace.kubectl("delete", "pod/second", "pvc/data")
    eventually("the volume's folder is gone", lambda: not folder.exists())


def test_a_claim_waits_for_a_scheduler_to_choose_a_node(namespace: Namespace):
    namespace.apply(claim("data"), writer("bound", "data", "one", nodeName="node-1"))
    eventually("the claim waits", lambda: namespace.items("events", "--field-selector=reason=WaitForFirstConsumer"))
    assert namespace.get("pvc", "data")["status"]["phase"] == "Pending"

    namespace.kubectl("annotate", "pvc", "data", "volume.kubernetes.io/selected-node=node-1")

    namespace.wait_for("Ready", "pod/bound")


def test_nodes_stand_in_zones(namespace: Namespace):
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in namespace.items("nodes")
    }
    assert zones == {"node-1": "zone-1", "fake-0001": "zone-1", "fake-0002": "zone-2", "fake-0003": "zone-3"}


def test_bringing_it_up_again_changes_nothing(cluster: LocalCluster):
    before = cluster.pids()

    cluster.up()

    assert cluster.pids() == before


def test_what_died_is_started_again_by_bringing_it_up(cluster: LocalCluster):
    before = cluster.pids()
    cluster.processes.stop("kube-scheduler", grace=0)

    cluster.up()

    after = cluster.pids()
    assert after.keys() == before.keys()
    assert after | {"kube-scheduler": 0} == before | {"kube-scheduler": 0}

"""The local cluster does what the other end-to-end tests rely on: it runs containers and it can be looked
into."""

from tests.e2e.services import Namespace
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

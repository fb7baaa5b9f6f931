"""The local cluster does what the other end-to-end tests rely on: it runs containers and it can be looked
into."""

import json
import secrets
import urllib.request
from collections.abc import Iterator

import pytest

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


@pytest.fixture
def namespace(cluster: LocalCluster) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_a_container_on_the_real_node_serves_logs_and_runs_commands(cluster: LocalCluster, namespace: str):
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", namespace, "--timeout=30s")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", input=_WEB)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "-n", namespace, "--timeout=60s")
    pod = json.loads(cluster.kubectl("get", "pod", "web", "-n", namespace, "-o", "json").stdout)
    service = json.loads(cluster.kubectl("get", "service", "web", "-n", namespace, "-o", "json").stdout)

    assert _fetch(f"http://{pod['status']['podIP']}:8080/") == "hello\n"
    cluster.kubectl(
        *("wait", "-n", namespace, "--timeout=30s", "endpointslice", "--selector=kubernetes.io/service-name=web"),
        "--for=jsonpath={.endpoints[0].conditions.ready}=true",
    )
    through_service = cluster.kubectl(
        *("exec", "web", "-n", namespace, "--", "sh", "-c"),
        f"for i in 1 2 3 4 5; do wget -q -O - http://{service['spec']['clusterIP']}/ && exit; sleep 1; done; exit 1",
    )
    assert through_service.stdout == "hello\n"
    assert _fetch(f"http://{service['spec']['clusterIP']}/") == "hello\n"
    assert cluster.kubectl("logs", "web", "-n", namespace).stdout == "serving\n"
    assert cluster.kubectl("exec", "web", "-n", namespace, "--", "hostname").stdout == "web\n"


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

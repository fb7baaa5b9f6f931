"""What a user wants to see at the end: nodes, roles and their shares, offers, pods per node, and how to go on."""

import json
import re
from collections import Counter

from cluster import LocalCluster
from demo.steps import EXAMPLES, NAMESPACE


def tell(cluster: LocalCluster) -> None:
    """Print it."""
    _section("Nodes", cluster.kubectl("get", "nodes").stdout)
    _section("Roles", cluster.kubectl("get", "frameworkroles").stdout)
    _section("Frameworks", cluster.kubectl("get", "frameworks").stdout)
    _section("Offers since the master started", _offers(cluster))
    _section("Pods per node", _pods_per_node(cluster))
    _section("Pods", cluster.kubectl("get", "pods", "-o", "wide").stdout)
    _section("Go on", _how_to_go_on(cluster))


def _section(title: str, text: str) -> None:
    print(f"\n{title}\n{'-' * len(title)}\n{text.strip()}")


def _offers(cluster: LocalCluster) -> str:
    """The master's counters, read through the API server's proxy."""
    selector = "app.kubernetes.io/component=master"
    pod = cluster.kubectl(
        "-n", NAMESPACE, "get", "pods", "-l", selector, "-o", "jsonpath={.items[0].metadata.name}"
    ).stdout
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics"
    metrics = cluster.kubectl("get", "--raw", path).stdout
    counts: Counter[str] = Counter()
    for outcome, count in re.findall(r'^tender_offers_total\{.*outcome="(\w+)".*\} ([0-9.]+)', metrics, re.MULTILINE):
        counts[outcome] += int(float(count))
    return "  ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()) if count) or "none"


def _pods_per_node(cluster: LocalCluster) -> str:
    answer = cluster.kubectl("get", "pods", "-l", "tender.dev/framework", "-o", "json").stdout
    counts = Counter(
        (pod["spec"].get("nodeName", "(none)"), pod["metadata"]["labels"]["tender.dev/framework"])
        for pod in json.loads(answer)["items"]
    )
    return "\n".join(f"{node:12} {framework:12} {count}" for (node, framework), count in sorted(counts.items()))


def _how_to_go_on(cluster: LocalCluster) -> str:
    return f"""\
eval "$(python3 hack/cluster env --name {cluster.name})"   # kubectl and helm for this cluster, in this shell
kubectl get tender -A                             # frameworks, offers, roles, reservations
kubectl scale framework {EXAMPLES[0]} --replicas=6           # and watch: kubectl get pods -w
kubectl describe framework {EXAMPLES[0]}                     # shares, and why something waits
kubectl logs -l app=worker --prefix
kubectl get --raw /api/v1/namespaces/{NAMESPACE}/services/tender-master-metrics:metrics/proxy/metrics | grep ^tender_
make demo-down                                    # end it all; kubeconfig: {cluster.kubeconfig}"""

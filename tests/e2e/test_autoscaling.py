"""The cluster's own Horizontal Pod Autoscaler drives a service by its scale subresource."""

from tests.e2e.release import Release
from tests.e2e.services import Manifest, Namespace, service, template
from tests.e2e.waiting import eventually

_HALF_USED: Manifest = {"type": "Utilization", "averageUtilization": 50}


def _autoscaler(least: int, most: int) -> Manifest:
    """Without a metrics API the autoscaler keeps what it scales within its bounds, which is what is looked at here."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "scaled"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "tender.dev/v1alpha1", "kind": "Framework", "name": "scaled"},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        },
    }


def test_a_horizontal_pod_autoscaler_scales_a_service_up_and_down(tender: Release, namespace: Namespace):
    namespace.apply(service("scaled", 1, template("exec sleep 1000000")))
    namespace.wait_for("Ready", "framework/scaled")

    namespace.apply(_autoscaler(3, 5))
    eventually("three replicas are wanted", lambda: _replicas(namespace) == 3)
    namespace.wait_for("Ready", "framework/scaled")
    assert namespace.get("framework", "scaled")["status"]["readyReplicas"] == 3
    seen = eventually("the autoscaler says what it sees", lambda: _seen(namespace) == (3, 3))
    assert seen

    namespace.apply(_autoscaler(1, 2))
    eventually("two replicas are wanted", lambda: _replicas(namespace) == 2)
    namespace.wait_for("Ready", "framework/scaled")


def _replicas(namespace: Namespace) -> int:
    return int(namespace.get("framework", "scaled")["spec"]["service"]["replicas"])


def _seen(namespace: Namespace) -> tuple[int, int]:
    status = namespace.get("hpa", "scaled").get("status", {})
    return int(status.get("currentReplicas", 0)), int(status.get("desiredReplicas", 0))

"""A small external framework to try the test kit on: so many workers, and a ConfigMap while there are any."""

from typing import Any

from tender.api.names import API_VERSION, LABEL_FRAMEWORK
from tender.frameworks.sdk import Note, Plan, Remove, Seen, Shape, Stop
from tender.frameworks.testkit import pod_template

CPU, MEMORY = 1000, 128 * 1024**2


def plan_workers(seen: Seen) -> Plan:
    """As many workers as `spec.offers.minimum` has entries, which is as good a number as any."""
    wanted = len(seen.framework.spec.offers.minimum or ())
    failed = [pod for pod in seen.pods if pod.terminated]
    live = [pod for pod in seen.pods if not pod.terminated and not pod.leaving]
    surplus = live[wanted:]
    kept = {one.metadata.name for one in seen.config_maps}
    names = {"mine-workers"} if wanted else set()
    return Plan(
        shapes=(Shape("worker", wanted, {"cpu": CPU, "memory": MEMORY, "pods": 1}, pod_template(cpu="1"), "r1"),),
        stops=tuple(Stop(pod.metadata.name, pod.metadata.uid, "not wanted") for pod in (*failed, *surplus)),
        status={},
        state=("Ready", "Complete", "all run") if len(live) == wanted else ("Reconciling", "Incomplete", "some miss"),
        notes=tuple(Note("WorkerEnded", f"{pod.metadata.name} has ended", "Warning") for pod in failed),
        keep=tuple(_config_map(seen, name) for name in names - kept),
        remove=tuple(
            Remove("ConfigMap", one.metadata.name, one.metadata.uid, "no workers")
            for one in seen.config_maps
            if one.metadata.name not in names
        ),
    )


def _config_map(seen: Seen, name: str) -> dict[str, Any]:
    owner = seen.framework.metadata
    reference = {"apiVersion": API_VERSION, "kind": "Framework", "name": owner.name, "uid": owner.uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": {LABEL_FRAMEWORK: owner.name},
            "ownerReferences": [{**reference, "controller": True}],
        },
        "data": {"for": "workers"},
    }


def workers(count: int) -> dict[str, Any]:
    """The part of the spec that asks for so many."""
    return {"offers": {"minimum": [{"cpu": "1"}] * count}}

"""Fake nodes: node objects that kwok keeps alive, and whose pods it declares running.

They cost next to nothing, so placement can be tried on a thousand of them. Nothing runs on them: they
carry the taint `kwok.x-k8s.io/node=fake:NoSchedule` unless told otherwise, so that ordinary pods go to
real nodes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.api import answers
from cluster.layout import settle
from cluster.processes import Program
from cluster.zones import zone_labels

ANNOTATION = "kwok.x-k8s.io/node"
_STAGES = Path(__file__).resolve().parent / "stages.yaml"
_NODES_ONLY_MARK = "# ---- pods ----\n"


@dataclass(frozen=True)
class FakeNodes:
    """`count` nodes named fake-0001, fake-0002, …, each of this size (Kubernetes quantities)."""

    count: int
    cpu: str = "32"
    memory: str = "256Gi"
    pods: int = 110
    tainted: bool = True

    def objects(self) -> list[dict[str, Any]]:
        """The Node objects."""
        return [self._node(number) for number in range(1, self.count + 1)]

    def _node(self, number: int) -> dict[str, Any]:
        name = f"fake-{number:04d}"
        size = {"cpu": self.cpu, "memory": self.memory, "pods": str(self.pods)}
        taints = [{"key": ANNOTATION, "value": "fake", "effect": "NoSchedule"}] if self.tainted else []
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {ANNOTATION: "fake"},
                "labels": {
                    ANNOTATION: "fake",
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    **zone_labels(number),
                },
            },
            "spec": {"taints": taints},
            "status": {"capacity": size, "allocatable": size},
        }


def kwok(program: Path, kubeconfig: Path, folder: Path, pod_network: str, port: int, *, pods: bool = True) -> Program:
    """The kwok controller. Without `pods` it leaves pods alone, which is what a placement benchmark wants."""
    stages = _STAGES.read_text()
    if not pods:
        stages = stages.split(_NODES_ONLY_MARK)[0]
    configuration = settle(folder / "kwok-stages.yaml", stages)
    return Program(
        "kwok",
        (
            str(program),
            f"--config={configuration}",
            f"--kubeconfig={kubeconfig}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
            "--node-lease-duration-seconds=100",  # renewed four times in it, twice before a node counts as lost
            f"--cidr={pod_network}",
            f"--server-address=127.0.0.1:{port}",
            "--v=INFO",
        ),
        ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        inputs=(configuration, kubeconfig),
    )

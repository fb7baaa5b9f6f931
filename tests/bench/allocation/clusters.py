"""The cluster of Mesos' allocator benchmarks: many alike nodes, partly used, and frameworks that want the rest."""

from tender.allocation import Charge, Framework, Ledger, Node

MIB = 1024**2
AGENT = {"cpu": 24_000, "memory": 4096 * MIB, "ephemeral-storage": 4096 * MIB}
AGENT_USED = {"cpu": 16_000, "memory": 2014 * MIB, "ephemeral-storage": 1024 * MIB}
"""Mesos' agents also have ports, and 16 ranges of them in use; nodes of Kubernetes have none."""


def cluster(nodes: int, frameworks: int) -> Ledger:
    """Mesos' grid: agents two thirds used by pods outside every framework; frameworks of one role, without demand."""
    ledger = Ledger()
    for number in range(nodes):
        name = node_name(number)
        ledger.put_node(Node(name, AGENT))
        ledger.put_charge(pods_of(name), Charge(name, AGENT_USED))
    for number in range(frameworks):
        ledger.put_framework(Framework(f"framework-{number:04}", "everyone"))
    return ledger


def node_name(number: int) -> str:
    """The name of a node."""
    return f"node-{number:05}"


def pods_of(node: str) -> tuple[str, str]:
    """The key of what pods outside every framework hold on a node."""
    return "pods", node

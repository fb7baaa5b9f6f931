"""Ports of nodes: a port that one pod has taken is not there for another one.

Only those of the framework's own pods are known; for others' the kubelet decides, and a pod that it refuses is launched
elsewhere.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tender.api.core import PodSpec

_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 (nothing is bound to it here)


class HostPort(NamedTuple):
    """A port of a node, on one of its addresses or on all (0.0.0.0)."""

    number: int
    protocol: str = "TCP"
    address: str = ""

    def excludes(self, other: "HostPort") -> bool:
        """Whether one node cannot have both."""
        same_address = self.address == other.address or bool(_ANY_ADDRESS & {self.address, other.address})
        return same_address and (self.number, self.protocol) == (other.number, other.protocol)


def ports_of_template(spec: Mapping[str, Any]) -> tuple[HostPort, ...]:
    """The node's ports that a pod of this spec takes, as Kubernetes counts them."""
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    on_host = bool(spec.get("hostNetwork"))
    return tuple(
        HostPort(int(number), port.get("protocol") or "TCP", port.get("hostIP") or "")
        for container in (*(spec.get("containers") or ()), *sidecars)
        for port in container.get("ports") or ()
        if (number := port.get("hostPort") or (port.get("containerPort") if on_host else None))
    )


def ports_of_pod(spec: PodSpec) -> tuple[HostPort, ...]:
    """The node's ports that a pod has taken."""
    sidecars = (one for one in spec.init_containers if one.sidecar)
    return tuple(
        HostPort(port.host_port, port.protocol or "TCP", port.host_ip or "")
        for container in (*spec.containers, *sidecars)
        for port in container.ports or ()
        if port.host_port
    )


def taken_among(wanted: Iterable[HostPort], taken: Iterable[HostPort]) -> HostPort | None:
    """One of the wanted ports that is taken, if any."""
    taken = tuple(taken)
    return next((port for port in wanted if any(port.excludes(other) for other in taken)), None)

"""The record of a cluster: how it was asked for and which number, port and flavour it got."""

import json
import socket
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from cluster import network
from cluster.address_plan import CLUSTERS, FIRST_PORT, PORTS_PER_CLUSTER, AddressPlan
from cluster.failure import ClusterError
from cluster.layout import home


@dataclass(frozen=True)
class Options:
    """What a cluster should be; None means: as it was made, or the default for a new one.

    nodes: real nodes (default 1 where the machine allows it, else 0); fake: fake nodes at least (default 0);
    port: the API server's (default: the first free from 21443 on); flavour: "local", "kind" or "auto";
    control_plane_only: etcd and the API server alone; scheduler_qps: requests per second (default 50);
    node_monitor_grace_period: a Go duration (default "50s"); audit_log: write into logs/audit.log what service
    accounts ask for; fake_pods: whether kwok runs the pods of fake nodes (default yes).
    """

    nodes: int | None = None
    fake: int | None = None
    port: int | None = None
    flavour: str | None = None
    control_plane_only: bool | None = None
    scheduler_qps: int | None = None
    node_monitor_grace_period: str | None = None
    audit_log: bool | None = None
    fake_pods: bool | None = None

    def over(self, older: "Options") -> "Options":
        """These options, completed by older ones."""
        chosen = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(older, **{name: value for name, value in chosen.items() if value is not None})


@dataclass(frozen=True)
class State:
    """A cluster's record. `nodes` is how many real nodes were started."""

    index: int
    port: int
    flavour: str
    options: Options
    nodes: int = 0

    @property
    def plan(self) -> AddressPlan:
        return AddressPlan(self.index, self.port)


def read(path: Path) -> State | None:
    """The record, or None if there is no such cluster."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return State(**(content | {"options": Options(**content["options"])}))


def write(path: Path, state: State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(state), indent=2) + "\n")
    unfinished.replace(path)


def free_plan(port: int | None) -> AddressPlan:
    """Numbers that no other cluster and nothing else on the machine uses."""
    records = [read(path) for path in (home() / "clusters").glob("*/cluster.json")]
    used = {record.index for record in records if record}
    used_ports = {number for record in records if record for number in record.plan.ports}
    routes = network.networks_in_use()
    for index in range(CLUSTERS):
        plan = AddressPlan(index, port or FIRST_PORT + index * PORTS_PER_CLUSTER)
        prefix = plan.network.removesuffix("0.0/16")
        if index in used or any(route.startswith(prefix) for route in routes):
            continue
        busy = [number for number in plan.ports if number in used_ports or not _free(number)]
        if not busy:
            return plan
        if port:
            raise ClusterError(f"port {busy[0]} is in use; a cluster needs {PORTS_PER_CLUSTER} ports from --port on")
    raise ClusterError(f"no room for another cluster: {CLUSTERS} numbers or their ports are taken")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

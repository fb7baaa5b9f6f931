"""A cluster of plain processes on this machine: brings its programs up in order and takes them down again.

Every step looks first whether its work is done, so bringing up a running cluster changes nothing, and
bringing up a half-dead one starts what is missing.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cluster import fake, network, storage, tools
from cluster.address_plan import MOST_NODES
from cluster.api import ApiClient
from cluster.control_plane import ControlPlane, ControlPlaneOptions
from cluster.dns import ClusterDns
from cluster.failure import ClusterError
from cluster.layout import Layout, home
from cluster.node import RealNode
from cluster.processes import Processes, Program
from cluster.progress import say
from cluster.state import State
from image import small

_CONNECTIONS = 8  # over which fake nodes are created


class MachineFlavour:
    """The programs of one cluster as its record wants them."""

    def __init__(self, layout: Layout, record: State, processes: Processes) -> None:
        self._layout = layout
        self._record = record
        self._processes = processes

    def up(self) -> None:
        alone = bool(self._record.options.control_plane_only)
        tools.ensure(self._programs(alone))
        plane = self._control_plane()
        nodes = self._real_nodes(self._record.nodes)
        if nodes:
            network.connect(self._layout.name, self._record.plan, len(nodes))
        etcd, api_server = plane.etcd(), plane.api_server()
        self._start(etcd)
        self._processes.wait(etcd)
        self._start(api_server)
        for node in nodes:
            node.start_runtime()
            self._load_small_images(node)
        self._processes.wait(api_server)
        if alone:
            for name in ("kube-controller-manager", "kube-scheduler", "kwok"):
                self._processes.stop(name)
            return
        controllers = [plane.controller_manager(), plane.scheduler(), self._kwok()]
        if nodes:
            controllers.append(self._dns(plane))
        for program in controllers:
            self._start(program)
        for node in nodes:
            node.start(plane, tools.ensure(["kubelet", "kube-proxy"]))
        for program in controllers:
            self._processes.wait(program)

    def down(self) -> None:
        for node in self._real_nodes(MOST_NODES):
            if node.was_started():
                node.stop()
        for name in ("coredns", "kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"):
            self._processes.stop(name, grace=2.0)  # nobody is left to be served and nothing is kept
        storage.remove_host_path_volumes(self._layout.etcd)
        if self._record.nodes:
            network.disconnect(self._layout.name, self._record.plan, MOST_NODES)

    def load_image(self, archive: Path) -> None:
        nodes = self._real_nodes(self._record.nodes)
        if not nodes:
            raise ClusterError(f"cluster {self._layout.name} has no real node that could run an image")
        for node in nodes:
            node.load_image(archive)

    def create_nodes(self, nodes: list[dict[str, Any]]) -> int:
        existing = {node["metadata"]["name"] for node in self.nodes()}
        missing = [node for node in nodes if node["metadata"]["name"] not in existing]
        shares = [missing[start::_CONNECTIONS] for start in range(_CONNECTIONS)]
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            return sum(threads.map(self._create_some, shares))

    def add_local_volumes(self, number: int, count: int, size: str) -> list[str]:
        nodes = self._real_nodes(self._record.nodes)
        if not 1 <= number <= len(nodes):
            raise ClusterError(f"cluster {self._layout.name} has no real node {number}; it has {len(nodes)}")
        node = nodes[number - 1]
        with self._client() as client:
            return storage.create_local_volumes(client, node.name, node.volumes, count, size)

    def _create_some(self, nodes: list[dict[str, Any]]) -> int:
        with self._client() as client:
            return sum(client.create("/api/v1/nodes", node) for node in nodes)

    def nodes(self) -> list[dict[str, Any]]:
        with self._client() as client:
            listed: list[dict[str, Any]] = client.get("/api/v1/nodes")["items"]
            return listed

    def server(self) -> str:
        return self._control_plane().server

    def _programs(self, alone: bool) -> list[str]:
        names = ["etcd", "kube-apiserver", "kubectl"]
        if not alone:
            names += ["kube-controller-manager", "kube-scheduler", "kwok"]
        if self._record.nodes:
            names += ["kubelet", "kube-proxy", "coredns"]
        return names

    def _start(self, program: Program) -> None:
        if self._processes.start(program):
            say(f"{program.name}: starting")

    def _control_plane(self) -> ControlPlane:
        chosen = self._record.options
        options = ControlPlaneOptions(
            alone=bool(chosen.control_plane_only),
            real_nodes=self._record.nodes > 0,
            scheduler_qps=chosen.scheduler_qps or 50,
            node_monitor_grace_period=chosen.node_monitor_grace_period or "50s",
            audit_log=bool(chosen.audit_log),
        )
        return ControlPlane(self._layout, self._record.plan, options)

    def _kwok(self) -> Program:
        plan = self._record.plan
        return fake.kwok(
            tools.location("kwok"),
            self._layout.kubeconfig,
            self._layout.configuration,
            plan.fake_pods,
            plan.kwok_port,
            pods=self._record.options.fake_pods is not False,
        )

    def _dns(self, plane: ControlPlane) -> Program:
        """The DNS, ready to be started; also creates the other things that only real nodes need."""
        dns = ClusterDns(self._layout, self._record.plan)
        with self._client() as client:
            dns.create_objects(client)
            storage.create_classes(client)
        return dns.program(plane)

    def _real_nodes(self, count: int) -> list[RealNode]:
        plan = self._record.plan
        return [RealNode(self._layout, plan, self._processes, number) for number in range(1, count + 1)]

    def _load_small_images(self, node: RealNode) -> None:
        if {small.PAUSE, small.BUSYBOX} - node.images():
            for archive in small.cached(home() / "images"):
                node.load_image(archive)

    @contextlib.contextmanager
    def _client(self) -> Iterator[ApiClient]:
        client = self._control_plane().client()
        try:
            yield client
        finally:
            client.close()

"""A cluster as a whole, which is what tests and the command line work with: up, down, images, nodes,
kubectl.
"""

import contextlib
import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from cluster import network, state
from cluster.choice import choose_flavour, choose_real_nodes
from cluster.failure import ClusterError
from cluster.fake import FakeNodes
from cluster.kind import KindFlavour
from cluster.layout import Layout, home
from cluster.machine import MachineFlavour
from cluster.processes import Processes
from cluster.progress import say
from cluster.state import Options, State
from cluster.wrappers import wrap_programs

_NODE_PATIENCE = 90.0  # seconds until nodes have to be Ready, and a little more for each


class Flavour(Protocol):
    """How a cluster is made: of processes on the machine or by kind."""

    def up(self) -> None: ...
    def down(self) -> None: ...
    def load_image(self, archive: Path) -> None: ...
    def create_nodes(self, nodes: list[dict[str, Any]]) -> int: ...
    def nodes(self) -> list[dict[str, Any]]: ...
    def add_local_volumes(self, number: int, count: int, size: str) -> list[str]: ...
    def server(self) -> str: ...


@dataclass(frozen=True)
class NodeCounts:
    """Nodes by whether they are Ready."""

    ready: int
    total: int


class LocalCluster:
    """The cluster `name`; it need not exist yet."""

    def __init__(self, name: str = "tender") -> None:
        self.layout = Layout(name)
        self.name = name
        self.processes = Processes(self.layout.processes, self.layout.logs)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; nobody else's is ever touched."""
        return self.layout.kubeconfig

    @property
    def state(self) -> State:
        """The record of the cluster; an error if there is none."""
        record = state.read(self.layout.state)
        if record is None:
            raise ClusterError(f"there is no cluster {self.name!r}: bring it up with `python3 hack/cluster up`")
        return record

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._flavour(self.state).server()

    def exists(self) -> bool:
        return state.read(self.layout.state) is not None

    def up(self, options: Options | None = None) -> None:
        """Bring the cluster to the wanted state and wait until it serves."""
        with self._alone():
            begun = time.monotonic()
            record = self._decide(options or Options())
            try:
                self._flavour(record).up()
            except ClusterError as error:
                if record.flavour != "kind" or record.options.flavour == "kind":
                    raise
                say(f"flavour: local, since kind does not work here ({error})")
                record = replace(record, flavour="local")
                record = replace(record, nodes=choose_real_nodes(record))
                state.write(self.layout.state, record)
                self._flavour(record).up()
            flavour = self._flavour(record)
            wrap_programs(self.layout)
            wanted = record.nodes
            if record.options.fake:
                wanted += record.options.fake
                self._create_fake_nodes(flavour, FakeNodes(record.options.fake))
            if not record.options.control_plane_only:
                self._wait_for_nodes(flavour, wanted)
            say(f"cluster {self.name} is up ({time.monotonic() - begun:.1f} s)")

    def down(self) -> None:
        """Stop every process and remove every trace, cached programs excepted. Nothing happens if there is
        none.
        """
        with self._alone():
            record = state.read(self.layout.state)
            if record is not None:
                self._flavour(record).down()
            shutil.rmtree(self.layout.root, ignore_errors=True)

    def load_image(self, archive: Path) -> None:
        """Give a docker-archive to every real node."""
        self._flavour(self.state).load_image(archive)

    def add_fake_nodes(self, nodes: FakeNodes) -> None:
        """Create the fake nodes that do not exist yet and wait until all are Ready."""
        with self._alone():
            record = self.state
            if record.options.control_plane_only:
                raise ClusterError(f"cluster {self.name} has only a control plane; fake nodes need the rest of it")
            flavour = self._flavour(record)
            self._create_fake_nodes(flavour, nodes)
            self._wait_for_nodes(flavour, record.nodes + nodes.count)

    def add_local_volumes(self, number: int, count: int, *, size: str = "1Gi") -> list[str]:
        """Make this many more volumes of the storage class "local" on real node `number`; the result is their
        names.
        """
        with self._alone():
            return self._flavour(self.state).add_local_volumes(number, count, size)

    def set_cable(self, number: int, *, plugged: bool) -> None:
        """Cut real node `number` off from everything, or connect it again."""
        network.set_cable(self.state.plan, number, plugged=plugged)

    def pids(self) -> dict[str, int]:
        """The process ids of the programs that run, by name."""
        found = {name: self.processes.pid(name) for name in self.processes.names()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def stopped(self) -> list[str]:
        """The programs that were started and do not run any more."""
        return [name for name in self.processes.names() if self.processes.pid(name) is None]

    def node_counts(self) -> NodeCounts:
        """How many nodes there are and how many of them are Ready."""
        return _count(self._flavour(self.state))

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 the name that subprocess.run uses
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator; with `check`, a failure is an error that carries its output."""
        return self._command("kubectl", arguments, input, check)

    def helm(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm as the administrator; with `check`, a failure is an error that carries its output."""
        return self._command("helm", arguments, None, check)

    def _command(
        self, name: str, arguments: tuple[str, ...], content: str | None, check: bool
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.layout.programs / name), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=content,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise ClusterError(f"{name} {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def _decide(self, wanted: Options) -> State:
        """Complete what was asked for by what the cluster already is, and write it down."""
        with _locked(home() / "clusters" / ".numbers.lock"):  # two new clusters must not take the same numbers
            record = state.read(self.layout.state)
            if record is None:
                plan = state.free_plan(wanted.port)
                record = State(plan.index, plan.port, choose_flavour(wanted), Options())
            elif wanted.port not in (None, record.port):
                raise ClusterError(f"cluster {self.name} uses port {record.port}; `down` comes before another port")
            elif wanted.flavour not in (None, "auto", record.flavour):
                raise ClusterError(f"cluster {self.name} is a {record.flavour} one; `down` comes before another")
            record = replace(record, options=wanted.over(record.options))
            state.write(self.layout.state, record)
        if record.flavour == "local":
            record = replace(record, nodes=choose_real_nodes(record))
            state.write(self.layout.state, record)
        return record

    def _flavour(self, record: State) -> Flavour:
        chosen = KindFlavour if record.flavour == "kind" else MachineFlavour
        return chosen(self.layout, record, self.processes)

    def _create_fake_nodes(self, flavour: Flavour, nodes: FakeNodes) -> None:
        created = flavour.create_nodes(nodes.objects())
        if created:
            say(f"{created} fake nodes created")

    def _wait_for_nodes(self, flavour: Flavour, count: int) -> None:
        deadline = time.monotonic() + _NODE_PATIENCE + count / 20
        while (counts := _count(flavour)).ready < count:
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{counts.ready} of {counts.total} nodes are Ready, {count} were wanted; logs: {self.layout.logs}"
                )
            time.sleep(0.2)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with _locked(home() / "clusters" / f".{self.name}.lock"):
            yield


def open_cluster(name: str = "tender", options: Options | None = None) -> LocalCluster:
    """Bring the cluster up, or reuse it, and return it."""
    cluster = LocalCluster(name)
    cluster.up(options)
    return cluster


def _count(flavour: Flavour) -> NodeCounts:
    nodes = flavour.nodes()
    ready = sum(
        condition["type"] == "Ready" and condition["status"] == "True"
        for node in nodes
        for condition in node.get("status", {}).get("conditions", [])
    )
    return NodeCounts(ready=ready, total=len(nodes))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The command line: `python3 hack/cluster COMMAND`. Answers go to standard output, progress to standard
error.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster import tools
from cluster.failure import ClusterError
from cluster.fake import FakeNodes
from cluster.local import LocalCluster
from cluster.state import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    program = argparse.ArgumentParser(
        prog="python3 hack/cluster",
        description="A Kubernetes cluster on this machine, for trying and testing Tender.",
    )
    commands = program.add_subparsers(title="commands", required=True, metavar="COMMAND")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--name", default="tender", help="which cluster (default: tender)")

    up = commands.add_parser("up", parents=[named], help="bring the cluster up, or reuse or repair the one that is")
    up.add_argument("--port", type=int, help="port of the API server; nine more follow (default: first free)")
    up.add_argument("--nodes", type=int, help="real nodes, 0 to 3 (default: 1 where the machine allows it)")
    up.add_argument("--fake", type=int, help="fake nodes (default: 0)")
    up.add_argument("--flavour", choices=["auto", "local", "kind"], help="how it is made (default: auto)")
    up.add_argument(
        "--control-plane-only",
        action=argparse.BooleanOptionalAction,
        help="etcd and the API server, nothing else",
    )
    up.add_argument("--scheduler-qps", type=int, help="kube-scheduler's requests per second (default: 50)")
    up.add_argument("--node-monitor-grace-period", help="silence after which a node is lost (default: 50s)")
    up.add_argument("--audit-log", action=argparse.BooleanOptionalAction, help="write logs/audit.log (default: no)")
    up.add_argument(
        "--fake-pods",
        action=argparse.BooleanOptionalAction,
        help="pods of fake nodes become Ready (default: yes)",
    )
    up.set_defaults(run=_up)

    down = commands.add_parser("down", parents=[named], help="stop every process and remove the cluster")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", parents=[named], help="what runs; exit code 0 if all of it does")
    status.set_defaults(run=_status)
    kubeconfig = commands.add_parser("kubeconfig", parents=[named], help="print the path of the kubeconfig")
    kubeconfig.set_defaults(run=_kubeconfig)
    env = commands.add_parser("env", parents=[named], help='print KUBECONFIG and PATH for eval "$(…)"')
    env.set_defaults(run=_env)
    build = commands.add_parser("build", help="build programs (default: all) and print their paths")
    build.add_argument("tool", nargs="*", choices=[*tools.TOOLS, []], help=", ".join(tools.TOOLS))
    build.set_defaults(run=_build)
    load = commands.add_parser("load-image", parents=[named], help="give a docker-archive to the real nodes")
    load.add_argument("tar", type=Path)
    load.set_defaults(run=_load_image)
    volumes = commands.add_parser("add-local-volumes", parents=[named], help="make more volumes of the class `local`")
    volumes.add_argument("count", type=int)
    volumes.add_argument("--node", type=int, default=1, help="number of the real node (default: 1)")
    volumes.add_argument("--size", default="1Gi", help="of each, which nothing enforces (default: 1Gi)")
    volumes.set_defaults(run=_add_local_volumes)
    fake = commands.add_parser("add-fake-nodes", parents=[named], help="let there be at least this many fake nodes")
    fake.add_argument("count", type=int)
    fake.add_argument("--cpu", default="32", help="size of each new node (default: 32)")
    fake.add_argument("--memory", default="256Gi", help="size of each new node (default: 256Gi)")
    fake.add_argument("--pods", type=int, default=110, help="pods per new node (default: 110)")
    fake.add_argument("--no-taint", action="store_true", help="let ordinary pods be scheduled to them")
    fake.set_defaults(run=_add_fake_nodes)
    return program


def _up(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    cluster.up(
        Options(
            nodes=chosen.nodes,
            fake=chosen.fake,
            port=chosen.port,
            flavour=chosen.flavour,
            control_plane_only=chosen.control_plane_only,
            scheduler_qps=chosen.scheduler_qps,
            node_monitor_grace_period=chosen.node_monitor_grace_period,
            audit_log=chosen.audit_log,
            fake_pods=chosen.fake_pods,
        )
    )
    print(f"API server  {cluster.server}")
    print(f"kubeconfig  {cluster.kubeconfig}")
    print(f"logs        {cluster.layout.logs}")
    counts = cluster.node_counts()
    print(f"nodes       {counts.ready} of {counts.total} Ready")
    return 0


def _down(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    existed = cluster.exists()
    cluster.down()
    print(f"cluster {chosen.name} is gone" if existed else f"there was no cluster {chosen.name}")
    return 0


def _status(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    if not cluster.exists():
        print(f"there is no cluster {chosen.name}")
        return 1
    running, stopped = cluster.pids(), cluster.stopped()
    for name in sorted([*running, *stopped]):
        print(f"{name:28} {f'runs, process {running[name]}' if name in running else 'stopped'}")
    try:
        counts = cluster.node_counts()
    except (ClusterError, OSError) as error:
        print(f"{'API server':28} does not answer: {error}")
        return 1
    print(f"{'nodes':28} {counts.ready} of {counts.total} Ready")
    return 1 if stopped or counts.ready < counts.total else 0


def _kubeconfig(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    cluster.state  # noqa: B018 an error if there is no such cluster
    print(cluster.kubeconfig)
    return 0


def _env(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    cluster.state  # noqa: B018 an error if there is no such cluster
    print(f'export KUBECONFIG="{cluster.kubeconfig}" PATH="{cluster.layout.programs}{os.pathsep}$PATH"')
    return 0


def _build(chosen: argparse.Namespace) -> int:
    for path in tools.ensure(chosen.tool or list(tools.TOOLS)).values():
        print(path)
    return 0


def _load_image(chosen: argparse.Namespace) -> int:
    if not chosen.tar.is_file():
        raise ClusterError(f"{chosen.tar} is not a file")
    LocalCluster(chosen.name).load_image(chosen.tar)
    print(f"loaded {chosen.tar}")
    return 0


def _add_local_volumes(chosen: argparse.Namespace) -> int:
    for name in LocalCluster(chosen.name).add_local_volumes(chosen.node, chosen.count, size=chosen.size):
        print(name)
    return 0


def _add_fake_nodes(chosen: argparse.Namespace) -> int:
    cluster = LocalCluster(chosen.name)
    cluster.add_fake_nodes(FakeNodes(chosen.count, chosen.cpu, chosen.memory, chosen.pods, tainted=not chosen.no_taint))
    counts = cluster.node_counts()
    print(f"nodes: {counts.ready} of {counts.total} Ready")
    return 0

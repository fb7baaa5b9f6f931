"""The command line: `python3 hack/demo up` and `down`."""

import argparse
import sys

from cluster import ClusterError, LocalCluster
from demo.steps import bring_up
from demo.story import tell
from image.base import ImageError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(prog="python3 hack/demo", description="Tender on a cluster of its own.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring the cluster up, install Tender, run two frameworks")
    up.add_argument("--flavour", choices=["auto", "local", "kind"], default="auto", help="how the cluster is made")
    down = commands.add_parser("down", help="take the cluster down")
    for command in (up, down):
        command.add_argument("--name", default="tender", help="which cluster (default: tender)")
    chosen = parser.parse_args(arguments)
    cluster = LocalCluster(chosen.name)
    try:
        if chosen.command == "down":
            cluster.down()
            print(f"cluster {chosen.name} is gone")
        else:
            bring_up(cluster, chosen.flavour)
            tell(cluster)
    except (ClusterError, ImageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0

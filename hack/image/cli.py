"""The command line: `python3 hack/image build`. Paths of the images go to standard output."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cluster import system
from cluster.failure import ClusterError
from cluster.layout import home
from image.archive import Layer
from image.base import ImageError
from image.operator_image import build_operator, image_name
from image.python_layers import REPOSITORY
from image.small import BUSYBOX, PAUSE, build_busybox, build_pause
from image.zookeeper_image import build_zookeeper
from image.zookeeper_image import image_name as zookeeper_name

_OWN = ("pause", "busybox", "tender")
_IMAGES = (*_OWN, "zookeeper")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python3 hack/image", description="Container images without a registry.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="write images as docker-archives and print their paths")
    build.add_argument("image", nargs="*", help=f"which of {', '.join(_IMAGES)} (default: all but zookeeper)")
    build.add_argument("--output", type=Path, default=REPOSITORY / "build" / "images", help="default: build/images")
    build.add_argument("--cache", type=Path, default=home() / "images", help="folder for layers that rarely change")
    build.add_argument("--mirror", help="package mirror for the base layer (default: the distribution's own)")
    build.set_defaults(run=_build)
    name = commands.add_parser("name", help="print the name and tag of Tender's image")
    name.set_defaults(run=_name)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except (ImageError, ClusterError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _build(chosen: argparse.Namespace) -> int:
    unknown = set(chosen.image) - set(_IMAGES)
    if unknown:
        raise ImageError(f"there is no image {min(unknown)!r}; there are {', '.join(_IMAGES)}")
    if os.geteuid() == 0 and shutil.which("apt-get"):
        system.install(system.missing_packages(system.IMAGE_PACKAGES, cni=False))
        if "zookeeper" in chosen.image:
            system.install(system.missing_packages(system.JAVA_PACKAGES, cni=False))
    for image in chosen.image or _OWN:
        begun = time.monotonic()
        if image == "pause":
            name, path = PAUSE, build_pause(chosen.output)
        elif image == "busybox":
            name, path = BUSYBOX, build_busybox(chosen.output)
        elif image == "zookeeper":
            name, path = zookeeper_name(), build_zookeeper(chosen.output, chosen.cache, chosen.mirror)
        else:
            name, path = image_name(), build_operator(chosen.output, chosen.cache, chosen.mirror)
        size = path.stat().st_size / 1e6
        print(
            f"{name}: {time.monotonic() - begun:.1f} s, {size:.0f} MB, sha256 {Layer(path).digest[:12]}",
            file=sys.stderr,
        )
        print(path)
    return 0


def _name(chosen: argparse.Namespace) -> int:
    del chosen
    print(image_name())
    return 0

"""`make release`: writes build/release and prints what is in it.

| file | what it is |
|---|---|
| `tender-VERSION-oci.tar` | the image, as an OCI archive |
| `image-digest.txt` | its name and digest, as a registry has it: `REPOSITORY@sha256:…` |
| `tender-VERSION.tgz` | the chart, which takes the image by that digest |
| `tender-VERSION.cdx.json` | what is in the image (SBOM), as CycloneDX |
| `SHA256SUMS` | of all of these, for `sha256sum --check` |
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster import tools
from cluster.failure import ClusterError
from cluster.layout import REPOSITORY, home
from image.base import ImageError
from image.operator_image import image_name, operator_layers
from release.chart import package_chart
from release.contents import list_contents
from release.oci import write_oci_archive


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a release; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python hack/release", description="Make what a release consists of.")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "release", help="default: build/release")
    parser.add_argument("--cache", type=Path, default=home() / "images", help="folder for layers that rarely change")
    parser.add_argument("--mirror", help="package mirror for the base layer (default: the distribution's own)")
    chosen = parser.parse_args(arguments)
    try:
        _release(chosen.output, chosen.cache, chosen.mirror)
    except (ImageError, ClusterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _release(output: Path, cache: Path, mirror: str | None) -> None:
    helm = tools.location("helm")
    if not helm.exists():
        raise ImageError("helm is not built yet: run `python3 hack/cluster build helm`")
    if _git("status", "--porcelain"):
        print("warning: the working tree has changes that are not committed", file=sys.stderr)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    name = image_name()
    repository, _, version = name.rpartition(":")
    layers, settings = operator_layers(cache, mirror)
    digest = write_oci_archive(output / f"tender-{version}-oci.tar", name, layers, settings)
    (output / "image-digest.txt").write_text(f"{repository}@{digest}\n")
    package_chart(helm, REPOSITORY / "charts" / "tender", digest, output)
    (output / f"tender-{version}.cdx.json").write_text(list_contents(name, digest, layers, _made_at()))
    write_checksums(output)
    print((output / "SHA256SUMS").read_text(), end="")
    print(f"{repository}@{digest}")


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS for all files of a folder."""
    lines = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as content:
            lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))


def _made_at() -> int:
    """When the release counts as made: the last commit, so that a second run gives the same."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()

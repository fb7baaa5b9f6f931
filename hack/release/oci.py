"""Writes OCI archives: an image with the manifest that registries name by its digest.

The digest is known before any registry is, so that the chart of a release can pin it. It stays the same where the
image is pushed as it is, for instance by `skopeo copy --preserve-digests oci-archive:tender-oci.tar docker://…`. The
same layers give the same bytes with the same zlib.
"""

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from image.archive import Layer, Settings, add_file, add_folder, configuration_of, fixed

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_BLOBS = "blobs/sha256"


def write_oci_archive(path: Path, name: str, layers: list[Layer], settings: Settings) -> str:
    """Write an image of this name ("host/repository:tag") as an OCI archive; its digest, "sha256:…"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, tarfile.open(path, "w") as archive:
        for place in ("blobs", _BLOBS):
            add_folder(archive, place)
        described = [_add_layer(archive, Path(folder) / "layer", layer) for layer in layers]
        configuration = _add_json(archive, configuration_of(layers, settings), _CONFIGURATION)
        manifest = _add_json(
            archive,
            {"schemaVersion": 2, "mediaType": _MANIFEST, "config": configuration, "layers": described},
            _MANIFEST,
        )
        names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [{**manifest, "annotations": names}]}
        add_file(archive, "index.json", _text(index))
        add_file(archive, "oci-layout", _text({"imageLayoutVersion": "1.0.0"}))
    return str(manifest["digest"])


def _add_layer(archive: tarfile.TarFile, packed: Path, layer: Layer) -> dict[str, Any]:
    with (
        layer.path.open("rb") as content,
        packed.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as output,
    ):
        shutil.copyfileobj(content, output, 2**20)
    with packed.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        info = fixed(archive.gettarinfo(packed, f"{_BLOBS}/{digest}"))
        info.uid = info.gid = 0
        info.mode = 0o644
        archive.addfile(info, content)
    return {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": info.size}


def _add_json(archive: tarfile.TarFile, content: object, media_type: str) -> dict[str, Any]:
    text = _text(content)
    digest = hashlib.sha256(text).hexdigest()
    add_file(archive, f"{_BLOBS}/{digest}", text)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(text)}


def _text(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

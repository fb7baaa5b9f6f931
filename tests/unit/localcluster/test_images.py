"""Images are docker-archives: the same files give the same bytes, and every digest is that of what it names."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

from image.archive import Layer, Settings, add_file, add_link, add_tree, image_contents, write_image, write_layer
from image.base import _LEFT_OUT


def layer(folder: Path, content: bytes = b"hello") -> Layer:
    def fill(archive: tarfile.TarFile) -> None:
        add_file(archive, "bin/program", content, 0o755)
        add_link(archive, "bin/other", "program")

    return write_layer(folder / "layer.tar", fill, "a layer")


def image(folder: Path, content: bytes = b"hello") -> Path:
    settings = Settings(entrypoint=("/bin/program",), user="65532:65532", environment={"PATH": "/bin"})
    return write_image(folder / "image.tar", ("tender.dev/example:1",), [layer(folder, content)], settings)


def member(path: Path, name: str) -> bytes:
    with tarfile.open(path) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


def test_the_same_files_give_the_same_bytes(tmp_path: Path):
    assert image(tmp_path / "one").read_bytes() == image(tmp_path / "two").read_bytes()


def test_the_manifest_names_the_image_its_configuration_and_its_layers(tmp_path: Path):
    path = image(tmp_path)
    (manifest,) = json.loads(member(path, "manifest.json"))
    configuration = member(path, manifest["Config"])

    assert manifest["RepoTags"] == ["tender.dev/example:1"]
    assert manifest["Config"] == f"{hashlib.sha256(configuration).hexdigest()}.json"
    diffs = [f"sha256:{hashlib.sha256(member(path, name)).hexdigest()}" for name in manifest["Layers"]]
    assert json.loads(configuration)["rootfs"]["diff_ids"] == diffs


def test_the_configuration_says_what_runs_and_as_whom(tmp_path: Path):
    path = image(tmp_path)
    configuration = json.loads(member(path, image_contents(path)["tender.dev/example:1"]))["config"]
    assert configuration["Entrypoint"] == ["/bin/program"]
    assert configuration["User"] == "65532:65532"
    assert configuration["Env"] == ["PATH=/bin"]


def test_other_content_is_another_image(tmp_path: Path):
    one, two = image(tmp_path / "one"), image(tmp_path / "two", b"bye")
    assert image_contents(one) != image_contents(two)


def test_a_folder_is_packed_sorted_without_its_times_and_without_what_is_skipped(tmp_path: Path):
    for name in ("b", "a", "skipped"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add_tree(archive, tmp_path, "opt", skip=lambda name: name == "opt/skipped")
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        assert archive.getnames() == ["opt/a", "opt/b"]
        assert {entry.mtime for entry in archive.getmembers()} == {0}


def test_the_base_layer_keeps_programs_and_leaves_out_caches_and_documents():
    kept = ["usr/bin/python3.11", "usr/lib/python3.11/json/__init__.py", "etc/passwd", "var/lib/dpkg/status", "tmp"]
    left_out = ["var/cache/apt/x.deb", "usr/share/doc/bash/README", "usr/share/locale/de", "etc/hostname", "dev/null"]
    assert not [name for name in kept if _LEFT_OUT.fullmatch(name)]
    assert not [name for name in left_out if not _LEFT_OUT.fullmatch(name)]

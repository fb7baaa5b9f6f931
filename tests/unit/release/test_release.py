"""A release: the image's digest is that of its manifest, the chart takes the image by it, the list names what is there,
and the same content gives the same bytes.
"""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.layout import REPOSITORY
from image.archive import Layer, Settings, add_file, write_layer
from release.chart import pinned, without_times
from release.cli import write_checksums
from release.contents import list_contents
from release.oci import write_oci_archive

NAME = "tender.dev/tender:1.2.3"
STATUS = """\
Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
FILES = {
    "etc/hello": "hello",
    "usr/lib/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "var/lib/dpkg/status": STATUS,
    "usr/local/lib/python3.11/dist-packages/Some_Thing-2.0.dist-info/METADATA": (
        "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 2.0\nLicense-Expression: MIT\n\nIt does things.\n"
    ),
}


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    def fill(archive: tarfile.TarFile) -> None:
        for name, text in FILES.items():
            add_file(archive, name, text.encode())

    return write_layer(tmp_path / "layer.tar", fill, "a layer")


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = [(entry.name, archive.extractfile(entry)) for entry in archive if entry.isreg()]
        return {name: file.read() for name, file in files if file is not None}


class TestTheImage:
    def test_has_the_digest_of_its_manifest_and_every_part_lies_under_its_own(self, tmp_path: Path, layer: Layer):
        digest = write_oci_archive(tmp_path / "image.tar", NAME, [layer], Settings(user="1:1"))
        found = members(tmp_path / "image.tar")
        for name, content in found.items():
            if name.startswith("blobs/sha256/"):
                assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
        [described] = json.loads(found["index.json"])["manifests"]
        assert described["digest"] == digest
        assert described["annotations"]["io.containerd.image.name"] == NAME
        manifest = self.blob(found, described)
        assert self.blob(found, manifest["config"])["rootfs"]["diff_ids"] == [f"sha256:{layer.digest}"]
        [packed] = manifest["layers"]
        content = found[f"blobs/sha256/{packed['digest'].removeprefix('sha256:')}"]
        assert (len(content), gzip.decompress(content)) == (packed["size"], layer.path.read_bytes())

    def test_is_the_same_when_made_again(self, tmp_path: Path, layer: Layer):
        paths = [tmp_path / name for name in ("one.tar", "two.tar")]
        digests = {write_oci_archive(path, NAME, [layer], Settings()) for path in paths}
        assert len(digests) == 1
        assert paths[0].read_bytes() == paths[1].read_bytes()

    def blob(self, found: dict[str, bytes], described: dict[str, Any]) -> Any:
        return json.loads(found[f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"])


class TestTheList:
    def test_names_the_packages_that_are_in_the_layers(self, layer: Layer):
        digest = f"sha256:{'0' * 64}"
        text = list_contents(NAME, digest, [layer], made_at=1_777_636_800)
        bom = json.loads(text)
        assert (bom["bomFormat"], bom["metadata"]["component"]["version"]) == ("CycloneDX", "1.2.3")
        assert {part["purl"] for part in bom["components"]} == {
            "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12",
            "pkg:pypi/some-thing@2.0",
        }
        [python] = [part for part in bom["components"] if part["name"] == "Some_Thing"]
        assert python["licenses"] == [{"license": {"id": "MIT"}}]
        assert text == list_contents(NAME, digest, [layer], made_at=1_777_636_800)


class TestTheChart:
    def test_takes_the_image_by_its_digest(self):
        digest = f"sha256:{'1' * 64}"
        text = (REPOSITORY / "charts" / "tender" / "values.yaml").read_text()
        before, after = yaml.safe_load(text), yaml.safe_load(pinned(text, digest))
        assert after["image"].pop("digest") == digest
        assert before["image"].pop("digest") == ""
        assert after == before

    def test_has_to_have_a_place_for_the_digest(self):
        with pytest.raises(ValueError, match="under `image:`"):
            pinned("image:\n  tag: a\n", "sha256:0")

    def test_is_the_same_whenever_it_is_packed(self):
        assert without_times(self.package(1.0)) == without_times(self.package(2.0))
        with tarfile.open(fileobj=io.BytesIO(without_times(self.package(1.0)))) as archive:
            assert archive.getnames() == ["tender/Chart.yaml"]

    def package(self, at: float) -> bytes:
        output = io.BytesIO()
        with tarfile.open(fileobj=output, mode="w:gz") as archive:
            info = tarfile.TarInfo("tender/Chart.yaml")
            info.size, info.mtime = 5, at
            archive.addfile(info, io.BytesIO(b"chart"))
        return output.getvalue()


def test_checksums_are_of_every_file(tmp_path: Path):
    (tmp_path / "a").write_text("hello")
    write_checksums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == f"{hashlib.sha256(b'hello').hexdigest()}  a\n"

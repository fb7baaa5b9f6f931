"""The list of what is in an image (SBOM), in the form of CycloneDX 1.6: its Python and its Debian packages.

It is read from the layers, so it says what is there rather than what was asked for.
"""

import tarfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from image.archive import Layer

_STATUS = "var/lib/dpkg/status"
_RELEASE = "usr/lib/os-release"


def list_contents(name: str, digest: str, layers: Iterable[Layer], made_at: int) -> str:
    """The list of an image ("host/repository:tag") with this digest, as JSON; `made_at` is in epoch seconds."""
    repository, _, tag = name.rpartition(":")
    image = Component(
        type=ComponentType.CONTAINER,
        name=repository,
        version=tag,
        bom_ref=f"{repository}@{digest}",
        purl=PackageURL("oci", None, repository.rpartition("/")[2], digest, {"repository_url": repository, "tag": tag}),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))],
    )
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.component = image
    bom.metadata.timestamp = datetime.fromtimestamp(made_at, UTC)
    parts = [part for layer in layers for part in _parts(layer)]
    bom.components.update(parts)
    bom.register_dependency(image, parts)
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _parts(layer: Layer) -> Iterator[Component]:
    with tarfile.open(layer.path) as archive:
        names = set(archive.getnames())
        if _STATUS in names:
            yield from _debian(_read(archive, _STATUS), _read(archive, _RELEASE) if _RELEASE in names else "")
        for name in sorted(names):
            path = PurePosixPath(name)
            if path.name == "METADATA" and path.parent.suffix == ".dist-info":
                yield _python(_read(archive, name))


def _read(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is not a file")
    return file.read().decode()


def _debian(status: str, release: str) -> Iterator[Component]:
    values = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    family, version = [values.get(key, "").strip('"') for key in ("ID", "VERSION_ID")]
    for paragraph in status.strip().split("\n\n"):
        package = HeaderParser().parsestr(paragraph)
        if not package["Status"].endswith(" installed"):
            continue
        qualifiers = {"arch": package["Architecture"], "distro": f"{family}-{version}"}
        purl = PackageURL("deb", family or "debian", package["Package"], package["Version"], qualifiers)
        yield Component(
            type=ComponentType.LIBRARY,
            name=package["Package"],
            version=package["Version"],
            purl=purl,
            bom_ref=str(purl),
        )


def _python(metadata: str) -> Component:
    package = HeaderParser().parsestr(metadata)
    purl = PackageURL("pypi", None, package["Name"].lower().replace("_", "-"), package["Version"])
    expression = package["License-Expression"]
    return Component(
        type=ComponentType.LIBRARY,
        name=package["Name"],
        version=package["Version"],
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(expression)] if expression else (),
    )

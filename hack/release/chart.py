"""The chart of a release: the repository's, with the image pinned by its digest, packed so that the same content gives
the same bytes.
"""

import gzip
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from image.archive import fixed
from image.base import ImageError

_DIGEST = re.compile(r'^(?P<before>image:\n(?:  .*\n)*?  digest: )""$', re.MULTILINE)


def package_chart(helm: Path, chart: Path, digest: str, output: Path) -> Path:
    """Pack the chart into the folder `output`; the path of the package."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / chart.name
        shutil.copytree(chart, copy)
        values = copy / "values.yaml"
        values.write_text(pinned(values.read_text(), digest))
        packed = Path(folder) / "packed"
        command = [str(helm), "package", str(copy), f"--destination={packed}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"helm package failed:\n{done.stderr}")
        [package] = packed.glob("*.tgz")
        path = output / package.name
        path.write_bytes(without_times(package.read_bytes()))
    return path


def pinned(values: str, digest: str) -> str:
    """The text of values.yaml with the image's digest in it. Raises ValueError if there is no place for it."""
    text, count = _DIGEST.subn(rf'\g<before>"{digest}"', values)
    if count != 1:
        raise ValueError('values.yaml has no line `digest: ""` under `image:`')
    return text


def without_times(package: bytes) -> bytes:
    """The same gzipped tar without the time at which it was made."""
    output = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(package)) as source,
        gzip.GzipFile("", "wb", 9, output, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as target,
    ):
        for entry in source:
            target.addfile(fixed(entry), source.extractfile(entry) if entry.isreg() else None)
    return output.getvalue()

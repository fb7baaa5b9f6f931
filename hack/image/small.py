"""The two small images: pause, which the kubelet needs for every pod, and a busybox for tests."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from image.archive import Settings, add_file, add_folder, add_link, write_image, write_layer

PAUSE = "tender.dev/pause:1"
BUSYBOX = "tender.dev/busybox:1"
BUSYBOX_OF_EXAMPLES = "docker.io/library/busybox:1"
"""The name that the examples use, so that they run here and on a cluster with a registry."""
_HERE = Path(__file__).resolve().parent
_SOURCE = _HERE / "pause"


def cached(folder: Path) -> list[Path]:
    """Both images in a cache folder; they are built when they or what they are made of is not there yet."""
    sources = [_SOURCE / "main.go", _HERE / "small.py", _HERE / "archive.py"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    output = folder / f"small-{digest}"
    builds = {output / "pause.tar": build_pause, output / "busybox.tar": build_busybox}
    return [path if path.exists() else build(output) for path, build in builds.items()]


def build_pause(output: Path) -> Path:
    """Write the pause image into the folder `output`; needs Go."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "pause"
        subprocess.run(
            ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(program), "."],
            cwd=_SOURCE,
            env=os.environ | {"CGO_ENABLED": "0"},
            check=True,
        )
        content = program.read_bytes()

        def fill(archive: tarfile.TarFile) -> None:
            add_file(archive, "pause", content, 0o755)

        layer = write_layer(Path(folder) / "layer.tar", fill, "pause")
        settings = Settings(entrypoint=("/pause",), user="65535:65535")
        return write_image(output / "pause.tar", (PAUSE,), [layer], settings)


def build_busybox(output: Path) -> Path:
    """Write the busybox image, all applets linked, into the folder `output`; needs busybox-static."""
    program = shutil.which("busybox")
    if not program:
        raise FileNotFoundError("busybox is not installed: apt-get install busybox-static")
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()

    def fill(archive: tarfile.TarFile) -> None:
        for name in ("bin", "etc", "home", "root", "var"):
            add_folder(archive, name)
        add_folder(archive, "tmp", 0o1777)
        add_file(archive, "bin/busybox", Path(program).read_bytes(), 0o755)
        for applet in sorted(set(applets) - {"busybox"}):
            add_link(archive, f"bin/{applet}", "busybox")
        add_file(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
        add_file(archive, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")

    with tempfile.TemporaryDirectory() as folder:
        layer = write_layer(Path(folder) / "layer.tar", fill, "busybox-static")
        settings = Settings(command=("sh",), environment={"PATH": "/bin"})
        return write_image(output / "busybox.tar", (BUSYBOX, BUSYBOX_OF_EXAMPLES), [layer], settings)

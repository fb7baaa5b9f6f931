"""An image of Apache ZooKeeper, for tests that run a real stateful system on the local cluster.

Three layers: the base of Tender's image, which nodes then have already, a Java runtime of just the modules that
ZooKeeper uses, and ZooKeeper from Maven Central with the scripts of hack/image/zookeeper. `zookeeper-start` runs a
server by /conf/zoo.cfg, `zookeeper-ready` is for readiness probes.
"""

import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

from cluster.progress import say
from image.archive import Layer, Settings, add_file, add_tree, write_image, write_layer
from image.base import ImageError, build_base, why_no_base

_SOURCE = Path(__file__).resolve().parent / "zookeeper"
_POM = _SOURCE / "pom.xml"
_SCRIPTS = ("zookeeper-start", "zookeeper-ready", "zookeeper-cli")
_MODULES = "java.base,java.logging,java.management,java.naming,java.security.jgss,java.security.sasl,jdk.unsupported"
_RUNTIME = "usr/lib/jvm/runtime"


def image_name() -> str:
    """The name and tag, such as "tender.dev/zookeeper:3.9.5"."""
    found = re.search(r"<zookeeper\.version>(.+)</zookeeper\.version>", _POM.read_text())
    if not found:
        raise ImageError(f"{_POM} has no property zookeeper.version")
    return f"tender.dev/zookeeper:{found.group(1)}"


def build_zookeeper(output: Path, cache: Path, mirror: str | None = None) -> Path:
    """Write the image into the folder `output`; layers that do not change are kept in `cache`."""
    reason = why_no_base()
    if reason:
        raise ImageError(f"ZooKeeper's image cannot be built: {reason}")
    layers = [build_base(cache, mirror).layer, _runtime_layer(cache), _zookeeper_layer(cache)]
    settings = Settings(
        command=("zookeeper-start",),
        environment={"PATH": f"/opt/zookeeper/bin:/{_RUNTIME}/bin:/usr/local/bin:/usr/bin:/bin"},
    )
    return write_image(output / "zookeeper.tar", (image_name(),), layers, settings)


def _runtime_layer(cache: Path) -> Layer:
    path = _kept(cache, "java", f"{_MODULES} {_RUNTIME} {_run('jlink', '--version')}")
    if path.exists():
        return Layer(path, "Java runtime")
    say("Java layer: jlink makes a runtime of the modules that are used")
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        runtime = Path(folder) / "runtime"
        trimmed = ("--strip-debug", "--no-header-files", "--no-man-pages")
        _run("jlink", "--add-modules", _MODULES, *trimmed, "--output", str(runtime))

        def fill(archive: tarfile.TarFile) -> None:
            add_tree(archive, runtime, _RUNTIME, skip=lambda name: name.startswith(f"{_RUNTIME}/legal"))

        return write_layer(path, fill, "Java runtime")


def _zookeeper_layer(cache: Path) -> Layer:
    scripts = {name: (_SOURCE / name).read_bytes() for name in _SCRIPTS}
    path = _kept(cache, "zookeeper", f"{_POM.read_text()} {scripts}")
    if path.exists():
        return Layer(path, image_name())
    say("ZooKeeper layer: Maven fetches the jars")
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        jars = Path(folder)
        _run(
            *("mvn", "--batch-mode", "--quiet", "--file", str(_POM), "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
        )

        def fill(archive: tarfile.TarFile) -> None:
            add_tree(archive, jars, "opt/zookeeper", skip=lambda _: False)
            for name, content in scripts.items():
                add_file(archive, f"opt/zookeeper/bin/{name}", content, 0o755)

        return write_layer(path, fill, image_name())


def _kept(cache: Path, name: str, recipe: str) -> Path:
    return cache / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"


def _run(program: str, *arguments: str) -> str:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ImageError(f"{program} is not installed: apt-get install default-jdk-headless maven") from None
    if done.returncode:
        raise ImageError(f"{program} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout

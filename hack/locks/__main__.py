"""Writes the locks anew: `make locks`, after every change of pyproject.toml, build.in or hack/constraints.txt.

Versions come from hack/constraints.txt; uv completes them and adds the hashes of all files that the package index has
of each. `runtime` is what the image holds, `build` what wheels are made with, `dev` all that `make install` needs, and
each further extra of pyproject.toml is locked together with `dev`.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent.parent
OLDEST = "3.11"
"""The oldest Python that Tender runs on."""
OLDEST_FOR_TOOLS = "3.11.5"
"""The oldest for working on it: what makes the docs wants no less."""


def sources() -> Iterator[tuple[str, list[str]]]:
    """Name of each lock, and what uv makes it from."""
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    build, project = "hack/locks/build.in", "pyproject.toml"
    yield "runtime", [project]
    yield "build", [build]
    yield "dev", [project, "--extra=dev", build]
    for extra in sorted(extras.keys() - {"dev"}):
        yield extra, [project, "--extra=dev", f"--extra={extra}", build]


def main() -> int:
    """Write all locks."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        print("error: uv is not installed: pip install -c hack/constraints.txt uv", file=sys.stderr)
        return 1
    for name, source in sources():
        output = FOLDER / f"{name}.txt"
        oldest = OLDEST if name in {"runtime", "build"} else OLDEST_FOR_TOOLS
        options = ["--universal", f"--python-version={oldest}", "--generate-hashes", "--no-annotate", "--system-certs"]
        options += ["--constraints=hack/constraints.txt", "--custom-compile-command=make locks", "--quiet", "--upgrade"]
        command = [uv, "pip", "compile", *source, *options, f"--output-file={output}"]
        subprocess.run(command, cwd=REPOSITORY, check=True)
        print(output.relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main())

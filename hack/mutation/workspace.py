"""The folder that mutmut works in, apart from the repository.

mutmut takes a module's name from its path, and knows only of a source root named `src`; ours is `operator/`, which is
also the name of a module of Python's. So code and tests are copied to where it looks for them. Files that have not
changed are left alone, for mutmut goes by their times when it keeps what it found out before.
"""

import json
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "mutation"

_COPIES = {
    "pyproject.toml": "pyproject.toml",
    "operator/tender": "src/tender",
    "tests/scenarios": "tests/scenarios",
    "tests/unit/allocation": "tests/unit/allocation",
}
_KILLED = {1, 3}
"""What pytest returns when a test has failed, or has broken."""


def lay_out(*, keep: bool) -> None:
    """Make the folder; with `keep`, mutants killed before are not tested again, unless their function has changed."""
    if not keep and FOLDER.exists():
        shutil.rmtree(FOLDER)
    for source, target in _COPIES.items():
        _mirror(REPOSITORY / source, FOLDER / target)
    shutil.rmtree(FOLDER / "mutants" / "tests", ignore_errors=True)
    (FOLDER / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)  # which test runs what: new code has none yet
    for path in metas():
        found = json.loads(path.read_text())
        for name, code in found["exit_code_by_key"].items():
            if code not in _KILLED:
                found["exit_code_by_key"][name] = None
        path.write_text(json.dumps(found))


def metas() -> list[Path]:
    """The files in which mutmut notes what became of the mutants, one for each module."""
    return sorted((FOLDER / "mutants").rglob("*.py.meta"))


def _mirror(source: Path, target: Path) -> None:
    if source.is_dir():
        for path in target.glob("*"):
            if not (source / path.name).exists():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in source.glob("*"):
            if path.name != "__pycache__":
                _mirror(path, target / path.name)
    elif not target.exists() or source.read_bytes() != target.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

"""The command line: lay out, run mutmut, tell the score."""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from mutation.score import score, table
from mutation.workspace import FOLDER, REPOSITORY, lay_out, metas

_MEMORY = 4 * 1024**3
"""A mutant whose loop never ends may also fill a list; its process ends here."""


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of tender.allocation; all by default")
    parser.add_argument("--keep", action="store_true", help="of all modules, test only what is not killed yet")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--figures", type=Path, default=REPOSITORY / "build" / "mutation.json")
    options = parser.parse_args()
    mutmut = Path(sys.executable).with_name("mutmut")
    if not mutmut.exists():
        parser.error(f"{mutmut} is not there: run `make mutate`, which installs it")
    lay_out(keep=options.keep)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    names = [f"tender.allocation.{module}.*" for module in options.modules]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(mutmut), "run", "--max-children", str(options.processes), *names]
    code = subprocess.run(command, cwd=FOLDER, env=environment, check=False).returncode
    options.figures.parent.mkdir(parents=True, exist_ok=True)
    figures = score(metas())
    options.figures.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(figures))
    print(f"figures: {options.figures}; a mutant: (cd {FOLDER} && {mutmut} show NAME)")
    return code

"""One case, or one point of the grid, in this process: its figures as JSON on standard output.

Run: python -m tests.bench.allocation.alone (NAME | NODESxFRAMEWORKS) [--scale X] [--patience SECONDS]
"""

import argparse
import json
import resource
import time
from typing import Any

from tests.bench.allocation.cases import CASES
from tests.bench.allocation.growth import point
from tests.bench.allocation.measuring import Effort


def measure(what: str, effort: Effort) -> dict[str, Any]:
    """The figures, with the peak of the memory and the CPU time of this process since it started."""
    if what in CASES:
        figures = CASES[what].judge(CASES[what].run(effort))
    else:
        nodes, frameworks = what.split("x")
        figures = point(int(nodes), int(frameworks), effort)
    return {
        **figures,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "process_cpu_s": time.process_time(),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what")
    parser.add_argument("--scale", type=float, default=Effort.scale)
    parser.add_argument("--patience", type=float, default=Effort.patience)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.what, Effort(arguments.scale, arguments.patience))))


if __name__ == "__main__":
    main()

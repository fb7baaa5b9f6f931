"""Run the cases and the grid, each in a process of its own, and report.

Run: python -m tests.bench.allocation [--case NAME ...] [--quick] (the grid is a case by the name "grid")
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.allocation import tables
from tests.bench.allocation.cases import CASES
from tests.bench.allocation.growth import FRAMEWORKS, NODES, exponents
from tests.bench.allocation.measuring import Effort
from tests.bench.report import write_json

GRID = "grid"
GRID_SECONDS, QUICK_GRID_SECONDS = 120.0, 15.0
CASE_SECONDS, QUICK_CASE_SECONDS = 240.0, 90.0
POINT_PATIENCE = 3.0
ROOT = Path(__file__).resolve().parents[3]


def measure(what: str, effort: Effort, limit: float | None = None) -> dict[str, Any]:
    """The figures of one case or point, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.allocation.alone", what]
    options = ["--scale", str(effort.scale), "--patience", str(effort.patience)]
    done = subprocess.run([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=limit)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def measure_case(name: str, effort: Effort, seconds: float) -> dict[str, Any]:
    """The figures of one case, or that it was stopped because it had not ended in this time."""
    print(f"{name} ...", flush=True)
    try:
        return measure(name, effort, limit=seconds)
    except subprocess.TimeoutExpired:
        return CASES[name].unfinished(seconds)


def measure_grid(effort: Effort, seconds: float) -> list[dict[str, Any]]:
    """The points of the grid, small ones first, as far as the time goes."""
    points = sorted(
        ((nodes, frameworks) for nodes in NODES for frameworks in FRAMEWORKS), key=lambda one: one[0] * one[1]
    )
    until = time.monotonic() + seconds
    grid: list[dict[str, Any]] = []
    for nodes, frameworks in points:
        left = until - time.monotonic()
        try:
            size = f"{effort.size(nodes)}x{effort.size(frameworks)}"
            one = measure(size, Effort(patience=min(effort.patience, POINT_PATIENCE)), limit=left)
        except subprocess.TimeoutExpired:
            break
        grid.append({**one, "nodes": nodes, "frameworks": frameworks})
    return sorted(grid, key=lambda one: (one["nodes"], one["frameworks"]))


def run(names: Sequence[str], effort: Effort, case_seconds: float, grid_seconds: float) -> dict[str, Any]:
    """Measure what is named; the figures."""
    cases = {name: measure_case(name, effort, case_seconds) for name in names if name != GRID}
    figures: dict[str, Any] = {"scale": effort.scale, "cases": cases}
    if GRID in names:
        print(f"{GRID} ...", flush=True)
        figures[GRID] = measure_grid(effort, grid_seconds)
        figures["growth"] = exponents(figures[GRID])
    return figures


def report(figures: dict[str, Any]) -> None:
    """Print the tables."""
    if cases := figures["cases"]:
        print()
        tables.print_cases(cases)
        finished = {name: one for name, one in cases.items() if tables.is_finished(one)}
        print()
        tables.print_phases(finished)
        print()
        tables.print_further(finished)
    if GRID in figures:
        print()
        tables.print_grid(figures[GRID], figures["growth"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--case", action="append", choices=[*CASES, GRID], help="only this one; may be given again")
    parser.add_argument(
        "--quick", action="store_true", help="fewer cycles at full size, and the small part of the grid"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="multiply all sizes, to try the benchmark itself")
    parsed = parser.parse_args(arguments)
    effort = Effort(parsed.scale, patience=2.0 if parsed.quick else Effort.patience)
    limits = (QUICK_CASE_SECONDS, QUICK_GRID_SECONDS) if parsed.quick else (CASE_SECONDS, GRID_SECONDS)
    figures = run(parsed.case or [*CASES, GRID], effort, *limits)
    report(figures)
    print(f"\nwritten to {write_json('allocation', figures)}")


if __name__ == "__main__":
    main()

"""The figures on the terminal: the cases beside their budgets, their phases, and the growth over the grid."""

import os
from collections.abc import Mapping
from typing import Any

from tests.bench.allocation.growth import FRAMEWORKS, NODES
from tests.bench.report import print_table

Figures = Mapping[str, Any]


def is_finished(figures: Figures) -> bool:
    """Whether a case came to its end."""
    return figures["p50_ms"] is not None


def print_cases(cases: Mapping[str, Figures]) -> None:
    """Every case in a line, and what Mesos' figures are of."""
    headings = ["case", "size", "cycles", "p50 ms", "p99 ms", "CPU s", "peak MiB", "budget", "Mesos", "budget met"]
    print_table(headings, [_case_row(name, figures) for name, figures in cases.items()])
    print("\nCPU s: of the cycles that p50 and p99 are of (multi_framework: and of the frameworks' answers)")
    if (load := os.getloadavg()[0]) > (cores := os.cpu_count() or 1):
        print(f"The machine was busy (load {load:.1f}, {cores} cores): CPU times say more than times on the clock.")
    for name, figures in cases.items():
        print(f"{name}: {figures['mesos']}")


def print_phases(cases: Mapping[str, Figures]) -> None:
    """What each case consists of."""
    keys = ("p50_ms", "p99_ms", "max_ms", "cpu_p50_ms", "cpu_p99_ms")
    rows = [
        [name, phase, one["cycles"], *(_milliseconds(one[key]) for key in keys)]
        for name, figures in cases.items()
        for phase, one in figures["phases"].items()
    ]
    print_table(["case", "phase", "cycles", "p50 ms", "p99 ms", "max ms", "CPU p50 ms", "CPU p99 ms"], rows)


def print_further(cases: Mapping[str, Figures]) -> None:
    """What single cases have to say besides."""
    if quota := cases.get("quota_3k_idle"):
        print(
            f"quota_3k_idle: the first cycle, which makes {quota['offered']} offers, takes "
            f"{_milliseconds(quota['phases']['first_cycle']['p50_ms'])} ms (Mesos: {quota['first_cycle_mesos_ms']} ms)"
        )
    if full := cases.get("full_50k_6k"):
        growth = full["from_10k_1k"]
        within = "no worse than" if growth["ratio"] <= growth["linear_ratio"] else "worse than"
        print(
            f"full_50k_6k: {growth['ratio']:.1f} times the {_milliseconds(growth['p50_ms'])} ms of 10k x 1k, for "
            f"{growth['linear_ratio']:.0f} times the nodes: {within} linear in nodes"
            + (f" (exponent {growth['exponent_in_nodes']:.2f})" if growth["exponent_in_nodes"] is not None else "")
        )
    if multi := cases.get("multi_framework"):
        for how, one in (("without demand", multi), ("demand declared", multi["declared"])):
            print(
                f"multi_framework, {how}: {one['tasks_running']} of {one['tasks']} tasks run after "
                f"{one['virtual_s']:.0f} virtual seconds, {one['cpu_s']:.2f} s of CPU, cycles alone "
                f"{one['cycles_cpu_s']:.2f} s"
            )
    if tasks := cases.get("per_task_50k"):
        print(
            f"per_task_50k: room for {tasks['tasks_placed']} of {tasks['tasks_wanted']} tasks; contended, "
            f"{tasks['contended_tasks_placed']} of {tasks['contended_tasks_wanted']}"
        )


def print_grid(grid: list[dict[str, Any]], exponents: Mapping[str, Mapping[str, float | None]]) -> None:
    """Median cycles by nodes and frameworks, with the exponent of the growth along each row and column."""
    medians = {(one["nodes"], one["frameworks"]): _milliseconds(one["p50_ms"]) for one in grid}
    rows: list[list[object]] = [
        [nodes, *(medians.get((nodes, frameworks), "-") for frameworks in FRAMEWORKS), _exponent(exponents, nodes)]
        for nodes in NODES
    ]
    in_nodes = [_exponent(exponents, frameworks, "in_nodes") for frameworks in FRAMEWORKS]
    rows.append(["grows with nodes as", *in_nodes, ""])
    print_table(["p50 ms, nodes", *(f"{count} frameworks" for count in FRAMEWORKS), "grows with frameworks as"], rows)
    print("-: there was no time for it")


def _case_row(name: str, figures: Figures) -> list[object]:
    budget = f"{figures['budget_ms']:g} ms" + (" CPU" if figures["budget_is_for"] != "cycle" else "")
    measured: list[object] = ["-"] * 6
    if is_finished(figures):
        measured = [
            f"{figures['nodes']} x {figures['frameworks']}",
            figures["cycles"],
            _milliseconds(figures["p50_ms"]),
            _milliseconds(figures["p99_ms"]),
            f"{figures['cpu_s']:.2f}",
            f"{figures['peak_rss_mib']:.0f}",
        ]
    return [
        name,
        *measured,
        budget,
        "-" if figures["mesos_ms"] is None else f"{figures['mesos_ms']:g} ms",
        figures["verdict"],
    ]


def _milliseconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _exponent(exponents: Mapping[str, Mapping[str, float | None]], size: int, direction: str = "in_frameworks") -> str:
    exponent = exponents[direction].get(str(size))
    return "" if exponent is None else f"n^{exponent:.2f}"

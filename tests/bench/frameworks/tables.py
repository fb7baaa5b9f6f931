"""The tables that the benchmark prints: times beside the published ones, and where the CPU time and the writes went."""

from collections.abc import Mapping

from tests.bench.frameworks.measuring import Measured
from tests.bench.frameworks.published import PUBLISHED
from tests.bench.frameworks.shapes import SHAPES
from tests.bench.report import print_table

TARGET = 10
"""How many times faster than published it is to be, from N = 100 on."""


def print_times(results: Mapping[str, Mapping[int, Measured]]) -> None:
    """A row for each N: seconds, what was published, and how many times faster that is."""
    sizes = sorted({size for measured in results.values() for size in measured})
    rows = [
        [str(size), *(_time(name, size, measured.get(size)) for name, measured in results.items())] for size in sizes
    ]
    print_table(["N", *(SHAPES[name].title for name in results)], rows)
    print(f"(in brackets what Marathon published; the target is {TARGET} times faster from N = 100 on)")


def _time(name: str, size: int, measured: Measured | None) -> str:
    published = PUBLISHED[name].get(size)
    beside = f"({published})" if published else "(never reached)"
    if measured is None:
        return f"not measured {beside}"
    if measured.reached is not None:
        return f"failed at {measured.reached} after {measured.seconds:.0f} s {beside}"
    if published is None:
        return f"{measured.seconds:.2f} s {beside}"
    more = "" if published.reached is None else "> "
    return f"{measured.seconds:.2f} s  {more}{published.seconds / measured.seconds:.1f} x {beside}"


def print_costs(results: Mapping[str, Mapping[int, Measured]]) -> None:
    """A row for each load: CPU seconds by process, and the writes per pod by kind until all was ready."""
    rows = [
        [
            f"{name} x {size}",
            f"{sum(one.writes_per_pod.values()):.1f}",
            _parts(one.cpu_seconds, 0.05),
            _parts(one.writes_per_pod, 0.05),
        ]
        for name, measured in results.items()
        for size, one in measured.items()
        if size >= 100
    ]
    print_table(["load", "writes/pod", "CPU seconds", "writes per pod"], rows)


def _parts(figures: Mapping[str, float], least: float) -> str:
    return ", ".join(f"{part} {value:.1f}" for part, value in sorted(figures.items()) if value >= least)

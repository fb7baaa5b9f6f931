"""How much is measured, and what is made of the times: by phase of a case, medians and tails."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.report import percentile


@dataclass(frozen=True)
class Effort:
    """Sizes are multiplied by `scale`. A phase of a case ends early, after one round at least, once it has taken
    `patience` seconds."""

    scale: float = 1.0
    patience: float = 15.0

    def size(self, full: int) -> int:
        """How many of what is so many at full size."""
        return max(1, round(full * self.scale))

    def rounds(self, most: int) -> Iterator[int]:
        """Numbers of rounds, until there were as many as asked for or patience is at its end."""
        begun = time.monotonic()
        for number in range(most):
            if number and time.monotonic() - begun > self.patience:
                return
            yield number


@dataclass(frozen=True, slots=True)
class Times:
    """What one cycle took, in milliseconds on the clock and of CPU time."""

    wall: float
    cpu: float


class Stopwatch:
    """What the cycles of each phase took."""

    def __init__(self) -> None:
        self.times: dict[str, list[Times]] = {}

    @contextmanager
    def timing(self, phase: str) -> Iterator[None]:
        """Time what is done inside, as one cycle of this phase."""
        cpu, begun = time.process_time(), time.perf_counter()
        yield
        wall = time.perf_counter() - begun
        self.times.setdefault(phase, []).append(Times(wall * 1000, (time.process_time() - cpu) * 1000))

    def figures(self, headline: Iterable[str]) -> dict[str, Any]:
        """The figures of these phases together, and of every phase."""
        together = [one for phase in headline for one in self.times.get(phase, ())]
        return {**summary(together), "phases": {phase: summary(times) for phase, times in self.times.items()}}


def summary(times: Sequence[Times]) -> dict[str, Any]:
    """Median, tail and worst on the clock, and the CPU time of the median and in all.

    On a machine that is busy with other things, CPU time says more than the clock.
    """
    wall, cpu = [one.wall for one in times], [one.cpu for one in times]
    return {
        "p50_ms": percentile(wall, 0.5),
        "p99_ms": percentile(wall, 0.99),
        "max_ms": max(wall),
        "cpu_p50_ms": percentile(cpu, 0.5),
        "cpu_p99_ms": percentile(cpu, 0.99),
        "cpu_s": sum(cpu) / 1000,
        "cycles": len(times),
    }

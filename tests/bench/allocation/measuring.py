"""How much is measured, and what is made of the times: by phase of a case, medians and tails."""

import gc
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


class Stopwatch:
    """Times by phase, in milliseconds of wall time, and the CPU time they took in all."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.cpu_s = 0.0

    @contextmanager
    def timing(self, phase: str) -> Iterator[None]:
        """Time what is done inside, as one cycle of this phase."""
        cpu, begun = time.process_time(), time.perf_counter()
        yield
        elapsed = time.perf_counter() - begun
        self.cpu_s += time.process_time() - cpu
        self.times.setdefault(phase, []).append(elapsed * 1000)

    def figures(self, headline: Iterable[str]) -> dict[str, Any]:
        """The figures of these phases together, and of every phase."""
        together = [one for phase in headline for one in self.times.get(phase, ())]
        return {
            **summary(together),
            "cpu_s": self.cpu_s,
            "phases": {phase: summary(times) for phase, times in self.times.items()},
        }


def summary(times: Sequence[float]) -> dict[str, Any]:
    """Median, tail, worst and number of times in milliseconds."""
    return {
        "p50_ms": percentile(times, 0.5),
        "p99_ms": percentile(times, 0.99),
        "max_ms": max(times),
        "cycles": len(times),
    }


def settle_heap() -> None:
    """Have the garbage collector leave alone all that is there, as the master does once it has started."""
    gc.collect()
    gc.freeze()

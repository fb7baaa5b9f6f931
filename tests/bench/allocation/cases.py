"""The cases by name, what each may take, and what Mesos published for the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.allocation import declines, growth, multi_framework, one_node, per_task, quotas
from tests.bench.allocation.measuring import Effort


@dataclass(frozen=True, slots=True)
class Case:
    """One case. The budget is for a cycle, or, of `whole` cases, for the CPU time of all cycles together.

    `mesos_ms` is what Mesos published for such a cycle, None where it published nothing; `mesos` says of what it is.
    """

    run: Callable[[Effort], dict[str, Any]]
    budget_ms: float
    mesos_ms: float | None
    mesos: str
    whole: bool = False

    def judge(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """The figures with the budget, what Mesos took, and whether the budget was met."""
        tail, middle = (figures["cpu_s"] * 1000,) * 2 if self.whole else (figures["p99_ms"], figures["p50_ms"])
        verdict = "met" if tail <= self.budget_ms else "at the median" if middle <= self.budget_ms else "missed"
        return {**figures, **self._beside(), "verdict": verdict}

    def unfinished(self, seconds: float) -> dict[str, Any]:
        """What there is to say of a case that was stopped after so many seconds."""
        missing = dict.fromkeys(("p50_ms", "p99_ms", "cpu_s", "peak_rss_mib"))
        return {**missing, **self._beside(), "verdict": f"not finished in {seconds:.0f} s"}

    def _beside(self) -> dict[str, Any]:
        return {
            "budget_ms": self.budget_ms,
            "budget_is_for": "CPU time in all" if self.whole else "cycle",
            "mesos_ms": self.mesos_ms,
            "mesos": self.mesos,
        }


CASES: Mapping[str, Case] = {
    "decline_10k_1k": Case(
        declines.run, 100, 1_060, "Mesos 1.8, commit 86653356d: DeclineOffers, a round of 10,000 offers"
    ),
    "quota_3k_idle": Case(
        quotas.run, 300, 13_720, "Mesos of 2019-08, commit 73033130d: LargeAndSmallQuota/2, an idle cycle"
    ),
    "full_50k_6k": Case(
        growth.run, 3_000, None, "no figure published at this point; Mesos' benchmark used the grid up to 50k x 6k"
    ),
    "multi_framework": Case(
        multi_framework.run, 5_000, None, "no figure published; Mesos' test was given 30 s at most", whole=True
    ),
    "one_node_10k_1k": Case(one_node.run, 5, None, "no figure published"),
    "per_task_50k": Case(per_task.run, 1_000, None, "no figure published; Mesos offers nodes, not room for tasks"),
}

"""Pods that are refused. Those that the API server does not create are remembered, so that a framework waits instead of
asking again and again.

The wait doubles from 10 s to 5 min. It ends when a pod is created after all, or when the framework's spec changes.
"""

from dataclasses import dataclass

from tender.api.core import Pod
from tender.api.framework import Framework
from tender.frameworks.sdk import Refused

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 300.0


def refused_by_node(old: Pod | None, new: Pod | None) -> bool:
    """Whether a kubelet has just refused a pod (OutOfcpu, NodeAffinity, …): it failed before anything of it started.

    One that is seen for the first time may have been refused long ago.
    """
    return (
        old is not None
        and new is not None
        and not old.terminated
        and new.status.phase == "Failed"
        and bool(new.status.reason)
        and not new.status.container_statuses
    )


@dataclass(frozen=True, slots=True)
class _Refusal:
    generation: int | None
    failures: int
    refused: Refused


class LaunchRefusals:
    """What is known of each framework, by uid."""

    def __init__(self) -> None:
        self._refusals: dict[str, _Refusal] = {}

    def add(self, framework: Framework, why: str, now: float) -> None:
        """A pod of the framework was refused. Pods that are refused while it waits already are the same failure."""
        known = self._known(framework)
        if known is not None and now < known.refused.until:
            return
        failures = known.failures + 1 if known is not None else 1
        wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 16))
        self._refusals[framework.metadata.uid or ""] = _Refusal(
            framework.metadata.generation, failures, Refused(why, now + wait)
        )

    def end(self, framework: Framework) -> None:
        """A pod of the framework was created, or the framework is gone."""
        self._refusals.pop(framework.metadata.uid or "", None)

    def of(self, framework: Framework) -> Refused | None:
        """Why the framework waits, and until when; None if nothing was refused under its present spec."""
        known = self._known(framework)
        return known.refused if known is not None else None

    def _known(self, framework: Framework) -> _Refusal | None:
        known = self._refusals.get(framework.metadata.uid or "")
        return known if known is not None and known.generation == framework.metadata.generation else None

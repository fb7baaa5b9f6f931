"""Orders to single pods, which their records carry, and the requests about single pods that give them.

An order is given until the record of its pod is seen to have taken it up, and only then the request that gave it has a
result. A pod without a record was never begun: there is nothing to restart or to give up, so orders to it are over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tender.api.stateful import PodRequest, RequestResult
from tender.frameworks.stateful.overrides import Overrides

LONGEST_MESSAGE = 512
MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be done once with one pod.

    `request` is "plan/ID" or "pod/ID". `task` is the side task that is to be done again; None: it is about the pod.
    """

    instance: str
    action: Literal["Restart", "Replace"]
    request: str
    task: str | None = None

    @property
    def id(self) -> str:
        """By what the pod's record names it, without spaces."""
        return self.request if self.task is None else f"{self.request}/{self.task}"

    def over(self, records: "Records") -> bool:
        """Whether the pod's record has taken it up, or there is none."""
        return self.instance not in records or self.id in records[self.instance]


Records = Mapping[str, Collection[str]]
"""By instance, the ids of the orders that its record has taken up; an instance without a record is absent.

A record may forget, but not the orders of the last plan request and of the last pod request that gave it any.
"""


@dataclass(frozen=True, slots=True)
class PodAnswers:
    """What became of the pod requests: the status takes results and overrides, the records of pods the orders."""

    results: tuple[RequestResult, ...]
    overrides: Overrides
    orders: tuple[Order, ...] = ()


def answer_pods(
    requests: Sequence[PodRequest],
    results: Iterable[RequestResult],
    overrides: Overrides,
    pods: Collection[str],
    records: Records,
) -> PodAnswers:
    """Carry out the requests that have no result yet; requests about one pod follow each other.

    `pods` are all instances that there are; that others were paused is forgotten.
    """
    before = {result.id: result for result in results}
    overrides = replace(overrides, paused_pods=overrides.paused_pods.intersection(pods))
    answered: list[RequestResult] = []
    orders: list[Order] = []
    ordered: set[str] = set()
    answered_now: set[str] = set()
    for request in requests:
        if request.id in before:
            answered.append(before[request.id])
            continue
        if request.pod not in pods:
            answered.append(refused(request.id, f"there is no pod {request.pod}: there are {names(pods)}"))
            continue
        if request.pod in ordered:
            continue
        if request.action in {"Restart", "Replace"}:
            order = Order(request.pod, "Restart" if request.action == "Restart" else "Replace", f"pod/{request.id}")
            if not order.over(records):
                ordered.add(request.pod)
                # An order is given when all before it are recorded: a crash has none of them given again.
                if request.pod not in answered_now:
                    orders.append(order)
                continue
        else:
            paused = overrides.paused_pods - {request.pod} | ({request.pod} if request.action == "Pause" else set())
            changed = replace(overrides, paused_pods=paused)
            if changed.excess:
                answered.append(refused(request.id, changed.excess))
                continue
            overrides = changed
        answered_now.add(request.pod)
        answered.append(RequestResult(id=request.id, result="Done"))
    return PodAnswers(tuple(answered), overrides, tuple(orders))


def refused(request: str, why: str) -> RequestResult:
    """The result of a request that cannot be carried out."""
    message = why if len(why) <= LONGEST_MESSAGE else f"{why[: LONGEST_MESSAGE - 1]}…"
    return RequestResult(id=request, result="Refused", message=message)


def names(of: Iterable[str]) -> str:
    """Names for a message, in the order given."""
    listed = list(of)
    more = f" and {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return ", ".join(listed[:MOST_NAMES]) + more if listed else "none"

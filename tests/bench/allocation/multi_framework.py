"""Mesos' MultiFrameworkAllocations: three kinds of frameworks run 19,500 tasks, in virtual time, a cycle each second.

The frameworks answer at once: of each slice they claim as many tasks as fit, up to the most of their kind, and refuse
the rest for five seconds, Mesos' default. Tasks run on; a framework all of whose tasks run takes part no more.
"""

import dataclasses
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from tests.bench.allocation.clusters import MIB, node_name
from tests.bench.allocation.measuring import Effort
from tests.bench.allocation.played_master import Offer, PlayedMaster

from tender.allocation import Charge, Demand, Framework, Grant, Ledger, Node, Refusal
from tender.cluster.heap import settle_heap

NODES = 80
REFUSAL_SECONDS = 5.0
MOST_SECONDS = 1000.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of framework: so many of them, each with so many tasks, and how many tasks it runs per slice at most."""

    name: str
    frameworks: int
    tasks: int
    task: dict[str, int]
    most_per_slice: int
    shared_role: bool = False


KINDS = (
    Kind("marathon", 4, 4000, {"cpu": 70, "memory": 400 * MIB}, 100),
    Kind("jenkins", 500, 5, {"cpu": 100, "memory": 4000 * MIB}, 1, shared_role=True),
    Kind("spark", 50, 20, {"cpu": 1000, "memory": 1000 * MIB}, 5),
)


class Play:
    """The cluster and its frameworks, until all tasks run."""

    def __init__(self, effort: Effort, *, declared: bool) -> None:
        self._declared = declared
        self._kinds: dict[str, Kind] = {}
        self._missing: dict[str, int] = {}
        self._refusals: deque[tuple[float, int]] = deque()
        self._ledger = Ledger()
        for number in range(effort.size(NODES)):
            self._ledger.put_node(Node(node_name(number), {"cpu": 64_000, "memory": 488_000 * MIB}))
        for kind in KINDS:
            for number in range(effort.size(kind.frameworks)):
                self._add(kind, f"{kind.name}-{number:03}", max(1, effort.size(kind.tasks)))
        self.tasks = sum(self._missing.values())
        self.frameworks = len(self._missing)
        self.nodes = len(self._ledger.nodes)
        self.master = PlayedMaster(self._ledger)
        settle_heap()

    def run(self, phase: str) -> dict[str, Any]:
        """Play it; the figures. CPU time is that of the cycles and of the frameworks' answers together."""
        cpu = time.process_time()
        while any(self._missing.values()) and self.master.now < MOST_SECONDS:
            result = self.master.cycle(phase)
            self._end_refusals()
            for offer in self.master.offer(result.grants):
                self._answer(offer)
        figures = self.master.watch.figures([phase])
        return {
            **figures,
            "cycles_cpu_s": figures["cpu_s"],
            "cpu_s": time.process_time() - cpu,
            "virtual_s": self.master.now,
            "tasks": self.tasks,
            "tasks_running": self.tasks - sum(self._missing.values()),
        }

    def _add(self, kind: Kind, name: str, tasks: int) -> None:
        self._kinds[name] = kind
        self._missing[name] = tasks
        demand = (Demand("task", kind.task, tasks),) if self._declared else None
        self._ledger.put_framework(Framework(name, kind.name if kind.shared_role else name, demand=demand))

    def _end_refusals(self) -> None:
        while self._refusals and self._refusals[0][0] <= self.master.now:
            self._ledger.remove_refusal(self._refusals.popleft()[1])

    def _answer(self, offer: Offer) -> None:
        kind = self._kinds[offer.framework]
        refused = {}
        self.master.withdraw(offer)
        for index, one in enumerate(offer.slices):
            count = self._claimable(kind, one)
            rest = dict(one.resources)
            if count:
                claimed = {resource: amount * count for resource, amount in kind.task.items()}
                charge = Charge(one.node, claimed, offer.framework, {"task": count})
                self._ledger.put_charge((offer.key, index), charge)
                self._missing[offer.framework] -= count
                rest = {resource: amount - claimed.get(resource, 0) for resource, amount in rest.items()}
            if any(rest.values()):
                refused[one.node] = rest
        if self._missing[offer.framework]:
            if refused:
                until = self.master.now + REFUSAL_SECONDS
                self._ledger.put_refusal(offer.key, Refusal(offer.framework, until, refused))
                self._refusals.append((until, offer.key))
        elif not self._declared:
            framework = self._ledger.frameworks[offer.framework]
            self._ledger.put_framework(dataclasses.replace(framework, demand=()))

    def _claimable(self, kind: Kind, one: Grant) -> int:
        fitting = min(one.resources.get(resource, 0) // amount for resource, amount in kind.task.items())
        return min(fitting, kind.most_per_slice, self._missing[one.framework])


def run(effort: Effort) -> dict[str, Any]:
    """The case, with frameworks that take what they can get, and with frameworks that declare their tasks."""
    play = Play(effort, declared=False)
    figures = play.run("without_demand")
    declared = Play(effort, declared=True).run("declared")
    return {
        "nodes": play.nodes,
        "frameworks": play.frameworks,
        **figures,
        "phases": {**figures["phases"], **declared.pop("phases")},
        "declared": declared,
    }

"""Which pods of a service go first when there are too many.

The order is Marathon's (`ScalingProposition.scala`): those that people have chosen (to be removed first, or
exchanged), those whose removal makes a `GroupBy` more even, those on nodes that do not answer, those that have not
started, those that are starting, and then those that are ready; among equals the youngest or the oldest
(`killSelection`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tender.api.core import Node, Pod
from tender.api.names import LABEL_EXCHANGE, LABEL_REMOVE_FIRST
from tender.api.placement import NODE_NAME
from tender.api.service import ServiceSpec


@dataclass(frozen=True)
class Selection:
    """How pods are chosen: `present` are all that count for a `GroupBy`, `silent` names those on silent nodes."""

    spec: ServiceSpec
    present: tuple[Pod, ...]
    nodes: Mapping[str, Node]
    silent: frozenset[str]

    def first(self, pods: Iterable[Pod], count: int) -> list[Pod]:
        """The `count` pods that go first, in their order."""
        if count <= 0:
            return []
        ordered = self.order(pods)
        chosen = [pod for pod in ordered if _chosen(pod)][:count]
        keys = [one.key for one in self.spec.constraints if one.operator == "GroupBy"]
        rest = [pod for pod in ordered if not _chosen(pod)]
        wanted = count - len(chosen)
        if not keys:
            return chosen + rest[:wanted]
        gone = {pod.metadata.name for pod in chosen}
        return chosen + self._evenly(keys, rest, [pod for pod in self.present if pod.metadata.name not in gone], wanted)

    def order(self, pods: Iterable[Pod]) -> list[Pod]:
        """The pods in the order in which they go, `GroupBy` aside."""
        youngest_first = self.spec.kill_selection == "YoungestFirst"
        by_age = sorted(
            pods,
            key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name),
            reverse=youngest_first,
        )
        return sorted(by_age, key=self._rank)

    def _rank(self, pod: Pod) -> tuple[bool, bool, int]:
        return (not _chosen(pod), pod.metadata.name not in self.silent, _progress(pod))

    def _evenly(self, keys: list[str], candidates: list[Pod], counted: list[Pod], wanted: int) -> list[Pod]:
        """So many of the candidates, each time one that makes the spread of all that are counted more even if any does.

        Pods of equal values are alike for that, so only the first of each such bucket is looked at.
        """
        buckets: dict[tuple[str | None, ...], list[Pod]] = {}
        for pod in reversed(candidates):
            buckets.setdefault(self._values(keys, pod), []).append(pod)
        counts = [Counter(self._values([key], pod)[0] for pod in counted) for key in keys]
        removed: list[Pod] = []
        place = {pod.metadata.name: index for index, pod in enumerate(candidates)}
        while buckets and len(removed) < wanted:
            values = min(buckets, key=lambda one: (not _improves(one, counts), place[buckets[one][-1].metadata.name]))
            removed.append(buckets[values].pop())
            if not buckets[values]:
                del buckets[values]
            for value, count in zip(values, counts, strict=True):
                count[value] -= 1
        return removed

    def _values(self, keys: list[str], pod: Pod) -> tuple[str | None, ...]:
        node = self.nodes.get(pod.spec.node_name)
        labels = node.metadata.labels if node is not None else {}
        return tuple(pod.spec.node_name if key == NODE_NAME else labels.get(key) for key in keys)


def to_exchange(pod: Pod) -> bool:
    """Whether people want another pod in place of this one."""
    return LABEL_EXCHANGE in pod.metadata.labels


def _chosen(pod: Pod) -> bool:
    return LABEL_REMOVE_FIRST in pod.metadata.labels or to_exchange(pod)


def _progress(pod: Pod) -> int:
    """How far a pod has come: 0 not started, 1 starting, 2 ready."""
    if pod.ready:
        return 2
    return 1 if pod.status.phase == "Running" else 0


def _improves(values: tuple[str | None, ...], counts: list[Counter[str | None]]) -> bool:
    """Whether one pod less on these values makes a spread more even: it is on a fullest value, and others have less."""
    return any(
        count[value] == max(count.values()) > min(number for number in count.values())
        for value, count in zip(values, counts, strict=True)
    )

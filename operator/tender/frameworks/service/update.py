"""The arithmetic of exchanging pods: how many must be ready, how many there may be, and which go now.

It is Marathon's (`TaskReplaceActor.scala`), in integers: of n replicas at least ceil(n * minimumHealth) stay ready and
at most floor(n * (1 + maximumOver)) exist. Where both bounds meet there is no room to exchange anything, and one pod
more may exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tender.api.core import Pod
from tender.api.names import LABEL_EXCHANGE
from tender.api.service import UpdateStrategy
from tender.frameworks.sdk.model import Stop
from tender.frameworks.service.selection import Selection, to_exchange


@dataclass(frozen=True, slots=True)
class Bounds:
    """How few pods may be ready, and how many may exist."""

    least_ready: int
    most: int


def bounds_of(replicas: int, strategy: UpdateStrategy) -> Bounds:
    """The bounds for so many replicas."""
    least_ready = min(replicas, _part(replicas, strategy.minimum_health, round_up=True))
    most = replicas + _part(replicas, strategy.maximum_over, round_up=False)
    return Bounds(least_ready, most + 1 if least_ready == most else most)


def wanted_new(replicas: int, old: int, bounds: Bounds) -> int:
    """How many pods of the newest version may exist beside so many old ones."""
    return max(0, min(replicas, bounds.most - old)) if old else replicas


def exchanged(new: Sequence[Pod], old: Sequence[Pod], replicas: int, bounds: Bounds, by: Selection) -> list[Stop]:
    """The pods that go now: new ones beyond the replicas, old ones that are not ready, and as many ready old ones as
    the others can do without.
    """
    stops = surplus(new, len(new) - replicas, by)
    gone = {stop.uid for stop in stops}
    ready = [pod for pod in (*new, *old) if pod.ready and pod.metadata.uid not in gone]
    spare = len(ready) - bounds.least_ready
    replaced = [pod for pod in old if not pod.ready]
    replaced += by.first([pod for pod in old if pod.ready], spare)
    return stops + [Stop(pod.metadata.name, pod.metadata.uid, _why(pod)) for pod in replaced]


def surplus(pods: Sequence[Pod], beyond: int, by: Selection) -> list[Stop]:
    """The `beyond` pods that are too many."""
    return [Stop(pod.metadata.name, pod.metadata.uid, "scaled down") for pod in by.first(pods, beyond)]


def _part(replicas: int, share: str, *, round_up: bool) -> int:
    """A share of the replicas: a number as it is, a percentage rounded."""
    if not share.endswith("%"):
        return int(share)
    hundredfold = replicas * int(share[:-1])
    return -(-hundredfold // 100) if round_up else hundredfold // 100


def _why(pod: Pod) -> str:
    return f"exchanged, as label {LABEL_EXCHANGE} asks" if to_exchange(pod) else "replaced by a newer revision"

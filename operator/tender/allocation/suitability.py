"""Which nodes a framework can use at all: availability, taints, node selectors and scarce resources.

Taints and selectors are read as Kubernetes reads them. A node with a scarce resource is for those who ask for it.
"""

from collections.abc import Iterable, Mapping

from tender.allocation.model import Demand, Framework, Taint, Toleration

BLOCKING_EFFECTS = frozenset({"NoSchedule", "NoExecute"})


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether one toleration covers one taint (k8s.io/component-helpers, scheduling/corev1 ToleratesTaint)."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return toleration.key in {"", taint.key}
    return toleration.key == taint.key and toleration.value == taint.value


def untolerated_taint(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> Taint | None:
    """The first taint that keeps new pods away and that no toleration covers."""
    tolerations = tuple(tolerations)
    for taint in taints:
        if taint.effect in BLOCKING_EFFECTS and not any(tolerates(one, taint) for one in tolerations):
            return taint
    return None


def _written(taint: Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"


def asks_for(framework: Framework, scarce: frozenset[str]) -> frozenset[str]:
    """The scarce resources that a framework asks for, by its demand or its capabilities."""
    demanded = {
        resource
        for entry in framework.demand or ()
        for resource, amount in entry.requests.items()
        if amount > 0 and resource in scarce
    }
    return frozenset(demanded | (framework.capabilities & scarce))


class Wants:
    """What a framework, or one entry of its demand, requires of a node; equal ones have the same `key`.

    `unasked` are the scarce resources that keep it off the nodes that have them.
    """

    def __init__(
        self,
        node_selector: Mapping[str, str],
        tolerations: tuple[Toleration, ...],
        asked: frozenset[str],
        scarce: frozenset[str],
    ) -> None:
        self.node_selector = node_selector
        self.unasked = scarce - asked
        self.key = (frozenset(node_selector.items()), tolerations, self.unasked)
        self._tolerations = tolerations
        self._taints: dict[tuple[Taint, ...], str | None] = {(): None}

    def taint_in_the_way(self, taints: tuple[Taint, ...]) -> str | None:
        """The first taint that is not tolerated, in words."""
        if taints not in self._taints:
            taint = untolerated_taint(taints, self._tolerations)
            self._taints[taints] = None if taint is None else f"taint {_written(taint)} is not tolerated"
        return self._taints[taints]


def wants_of(framework: Framework, scarce: frozenset[str]) -> Wants:
    """What a framework requires of a node, whatever its demand."""
    return Wants(framework.node_selector, framework.tolerations, asks_for(framework, scarce), scarce)


def wants_of_task(framework: Framework, entry: Demand, scarce: frozenset[str]) -> Wants:
    """What one entry of a framework's demand requires of a node."""
    return Wants(
        {**framework.node_selector, **entry.node_selector},
        framework.tolerations + entry.tolerations,
        asks_for(framework, scarce),
        scarce,
    )


def wants_of_tasks(framework: Framework, scarce: frozenset[str]) -> list[Wants]:
    """What each entry of a framework's demand requires of a node; of one without demand, what it requires itself."""
    each = [wants_of_task(framework, entry, scarce) for entry in framework.demand or ()]
    return each or [wants_of(framework, scarce)]

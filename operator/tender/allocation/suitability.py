"""Which nodes a framework can use at all: availability, taints and node selectors, as Kubernetes reads them."""

from collections.abc import Iterable, Mapping

from tender.allocation.model import Node, Reason, Taint, Toleration

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


def obstacle(
    node: Node, node_selector: Mapping[str, str], tolerations: tuple[Toleration, ...]
) -> tuple[Reason, str] | None:
    """Why a node cannot be offered whatever is free on it: the reason and what stands in the way; None if it can."""
    if node.unavailable:
        return Reason.UNAVAILABLE, node.unavailable
    for label, value in node_selector.items():
        if node.labels.get(label) != value:
            return Reason.UNSUITABLE, f"label {label}={value} is missing"
    taint = untolerated_taint(node.taints, tolerations)
    if taint is not None:
        return Reason.TAINTED, f"taint {taint.key}={taint.value}:{taint.effect} is not tolerated"
    return None

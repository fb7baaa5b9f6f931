"""From cluster objects to the ledger: nodes, pods, frameworks and roles in the first level's own terms.

A pod is charged to a framework by its controller ownerReference, never by a label alone: labels can be written by
anybody who may create a pod. Facts may come in any order; a pod that is seen before its framework is charged to it
when the framework comes.
"""

from collections.abc import Callable

from tender.allocation import Demand, Framework, Ledger, Node, Role, Taint, Toleration
from tender.allocation.model import Charge
from tender.api import core
from tender.api import framework as api
from tender.api.names import GROUP, LABEL_TASK
from tender.api.quantities import parse_resources
from tender.api.requests import pod_requests
from tender.api.role import FrameworkRole
from tender.master.registry import key_of

PODS = "pods"


class Intake:
    """Keeps the ledger up to date. `on_pod` is told of every change of a framework's pods."""

    def __init__(self, ledger: Ledger, on_pod: Callable[[str, core.Pod | None, core.Pod | None], None]) -> None:
        self._ledger = ledger
        self._on_pod = on_pod
        self._frameworks_by_uid: dict[str, str] = {}
        self._pods_by_owner: dict[str, dict[str, core.Pod]] = {}

    def node_changed(self, old: core.Node | None, new: core.Node | None) -> None:
        """A node came, changed or went."""
        if new is not None:
            self._ledger.put_node(read_node(new))
        elif old is not None:
            self._ledger.remove_node(old.metadata.name)

    def pod_changed(self, old: core.Pod | None, new: core.Pod | None) -> None:
        """A pod came, changed or went."""
        for pod in (old, new):
            owner = _framework_uid(pod)
            if pod is not None and owner is not None:
                pods = self._pods_by_owner.setdefault(owner, {})
                if pod is new:
                    pods[_pod_key(pod)] = pod
                else:
                    pods.pop(_pod_key(pod), None)
                if not pods:
                    del self._pods_by_owner[owner]
        if old is not None and (new is None or _pod_key(new) != _pod_key(old)):
            self._ledger.remove_charge((PODS, _pod_key(old)))
        if new is not None:
            self._charge(new)
        framework = self._framework_of(new or old)
        if framework is not None:
            self._on_pod(framework, old, new)

    def framework_changed(self, old: api.Framework | None, new: api.Framework | None) -> None:
        """A framework came, changed or went."""
        replaced = old is not None and (new is None or new.metadata.uid != old.metadata.uid)
        if old is not None and replaced:
            self._ledger.remove_framework(key_of(old))
            self._frameworks_by_uid.pop(old.metadata.uid or "", None)
            self._recharge(old.metadata.uid or "")
        if new is not None:
            self._ledger.put_framework(read_framework(new))
            uid = new.metadata.uid or ""
            if uid not in self._frameworks_by_uid:
                self._frameworks_by_uid[uid] = key_of(new)
                self._recharge(uid)

    def role_changed(self, old: FrameworkRole | None, new: FrameworkRole | None) -> None:
        """A role came, changed or went."""
        if new is not None:
            self._ledger.put_role(read_role(new))
        elif old is not None:
            self._ledger.remove_role(old.metadata.name)

    def _recharge(self, uid: str) -> None:
        for pod in self._pods_by_owner.get(uid, {}).values():
            self._charge(pod)
            framework = self._framework_of(pod)
            if framework is not None:
                self._on_pod(framework, None, pod)

    def _framework_of(self, pod: core.Pod | None) -> str | None:
        """The framework that owns a pod; an owner in another namespace is none."""
        owner = _framework_uid(pod)
        framework = self._frameworks_by_uid.get(owner) if owner else None
        if pod is None or framework is None or framework.partition("/")[0] != pod.metadata.namespace:
            return None
        return framework

    def _charge(self, pod: core.Pod) -> None:
        key = (PODS, _pod_key(pod))
        if not pod.spec.node_name or pod.terminated:
            self._ledger.remove_charge(key)
            return
        framework = self._framework_of(pod)
        task = pod.metadata.labels.get(LABEL_TASK)
        counts = framework is not None and task is not None and not pod.leaving
        self._ledger.put_charge(
            key,
            Charge(
                node=pod.spec.node_name,
                resources=pod_requests(pod.spec),
                framework=framework,
                tasks={task: 1} if counts and task is not None else {},
            ),
        )


def read_node(node: core.Node) -> Node:
    """A node as the first level sees it; `unavailable` says why nothing new may start there."""
    unavailable = ""
    if node.leaving:
        unavailable = "the node is leaving the cluster"
    elif node.spec.unschedulable:
        unavailable = "the node is cordoned"
    elif not node.ready:
        unavailable = "the node is not ready"
    return Node(
        name=node.metadata.name,
        allocatable=parse_resources(node.status.allocatable),
        labels=node.metadata.labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in node.spec.taints),
        unavailable=unavailable,
    )


def read_framework(framework: api.Framework) -> Framework:
    """A framework as the first level sees it. Each task of a demand counts as one pod of its node."""
    spec = framework.spec
    demand = framework.status.demand
    return Framework(
        name=key_of(framework),
        role=spec.role,
        demand=None if demand is None else tuple(_read_demand(entry) for entry in demand),
        minimum=spec.offers.minimum_amounts,
        node_selector=spec.node_selector,
        tolerations=tuple(_read_toleration(toleration) for toleration in spec.tolerations),
        inactive=_why_inactive(framework),
    )


def _why_inactive(framework: api.Framework) -> str:
    """Why a framework is offered nothing, whatever it demands; empty if it takes part.

    A demand that is not there means "everything" only where somebody else's controller may have chosen so; a built-in
    kind always declares one, and until then its controller has not looked at it yet.
    """
    if framework.metadata.deletion_timestamp is not None:
        return "the framework is being deleted"
    if framework.spec.external is None and framework.status.demand is None:
        return "its controller has not declared a demand yet; does the controller run?"
    return ""


def read_role(role: FrameworkRole) -> Role:
    """A role as the first level sees it."""
    return Role(
        name=role.metadata.name,
        parent=role.spec.parent,
        weight=role.spec.weight,
        guarantee=role.spec.quota.guarantee_amounts,
        limit=role.spec.quota.limit_amounts,
    )


def _read_demand(entry: api.DemandEntry) -> Demand:
    return Demand(
        name=entry.name,
        requests={PODS: 1, **entry.amounts},
        count=entry.count,
        node_selector=entry.node_selector,
        tolerations=tuple(_read_toleration(toleration) for toleration in entry.tolerations),
        max_per_node=entry.max_per_node,
    )


def _read_toleration(toleration: api.Toleration) -> Toleration:
    return Toleration(
        key=toleration.key or "",
        operator=toleration.operator or "Equal",
        value=toleration.value or "",
        effect=toleration.effect or "",
    )


def _framework_uid(pod: core.Pod | None) -> str | None:
    owner = pod.controller if pod is not None else None
    if owner is None or owner.kind != "Framework" or not owner.api_version.startswith(f"{GROUP}/"):
        return None
    return owner.uid


def _pod_key(pod: core.Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"

"""From cluster objects to the ledger: nodes, pods, frameworks, roles and reservations, as they come and go.

A pod is charged to a framework by its controller ownerReference, never by a label alone: labels can be written by
anybody who may create a pod. Facts may come in any order; a pod that is seen before its framework is charged to it
when the framework comes.
"""

from collections.abc import Callable

from tender import api
from tender.allocation import Charge, Ledger
from tender.api import core
from tender.api.names import GROUP, LABEL_TASK
from tender.api.requests import pod_requests
from tender.master.reading import read_framework, read_node, read_reservation, read_role
from tender.master.registry import key_of

PODS = "pods"


class Intake:
    """Keeps the ledger up to date. `on_pod` is told of every change of a framework's pods.

    The methods for nodes, pods and frameworks say whether the ledger is another one now: most of what is told of these
    (heartbeats, probes, figures in a status) changes nothing that an allocation could depend on.
    """

    def __init__(self, ledger: Ledger, on_pod: Callable[[str, core.Pod | None, core.Pod | None], None]) -> None:
        self._ledger = ledger
        self._on_pod = on_pod
        self._frameworks_by_uid: dict[str, str] = {}
        self._pods_by_owner: dict[str, dict[str, core.Pod]] = {}

    def node_changed(self, old: core.Node | None, new: core.Node | None) -> bool:
        """A node came, changed or went."""
        name = next(node.metadata.name for node in (new, old) if node is not None)
        before = self._ledger.nodes.get(name)
        if new is not None:
            self._ledger.put_node(read_node(new))
        elif old is not None:
            self._ledger.remove_node(name)
        return self._ledger.nodes.get(name) != before

    def pod_changed(self, old: core.Pod | None, new: core.Pod | None) -> bool:
        """A pod came, changed or went."""
        keys = [(PODS, _pod_key(pod)) for pod in (old, new) if pod is not None]
        before = [self._ledger.charge(key) for key in keys]
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
        return [self._ledger.charge(key) for key in keys] != before

    def framework_changed(self, old: api.Framework | None, new: api.Framework | None) -> bool:
        """A framework came, changed or went."""
        names = [key_of(framework) for framework in (old, new) if framework is not None]
        before = [self._ledger.frameworks.get(name) for name in names]
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
        return replaced or [self._ledger.frameworks.get(name) for name in names] != before

    def role_changed(self, old: api.FrameworkRole | None, new: api.FrameworkRole | None) -> None:
        """A role came, changed or went."""
        if new is not None:
            self._ledger.put_role(read_role(new))
        elif old is not None:
            self._ledger.remove_role(old.metadata.name)

    def reservation_changed(self, old: api.Reservation | None, new: api.Reservation | None) -> None:
        """A reservation came, changed or went."""
        if new is not None:
            self._ledger.put_reservation(key_of(new), read_reservation(new))
        elif old is not None:
            self._ledger.remove_reservation(key_of(old))

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


def _framework_uid(pod: core.Pod | None) -> str | None:
    owner = pod.controller if pod is not None else None
    if owner is None or owner.kind != "Framework" or not owner.api_version.startswith(f"{GROUP}/"):
        return None
    return owner.uid


def _pod_key(pod: core.Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"

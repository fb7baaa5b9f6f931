"""From cluster objects to the ledger: nodes, pods, frameworks, roles and reservations, as they come and go.

A pod is charged to a framework by its controller ownerReference, never by a label alone: labels can be written by
anybody who may create a pod. The reference counts when name and uid are those of one framework: who may make pods of
which is asked by name. Facts may come in any order; a pod that is seen before its framework is charged to it
when the framework comes.

Of a framework's roles, a pod is charged to that of the offer it was made from while the offer is there, as the claim
was whose place it takes. Offers do not outlast their launch, so afterwards, and for a master that starts later, the
pod's label says it. Who creates pods may write what they like into it, but can name no role except those that the
framework takes part in; any other name, or none, stands for the first.
"""

from collections.abc import Callable, Iterable

from tender import api
from tender.allocation import Charge, Ledger
from tender.api import core
from tender.api.names import GROUP, LABEL_OFFER, LABEL_ROLE, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.requests import pod_requests
from tender.master.reading import read_framework, read_node, read_reservation, read_role
from tender.master.registry import key_of
from tender.master.room import Room

PODS = "pods"
SeenOf = Callable[[ResourceOffer], Iterable[core.Pod]]
"""The pods that were seen of an offer, also such as are gone."""


class Intake:
    """Keeps the ledger up to date. `on_pod` is told of every change of a framework's pods, `room` of what takes room.

    The methods say whether the ledger is another one now: most of what is told (heartbeats, probes, figures in a
    status) changes nothing that an allocation could depend on.
    """

    def __init__(
        self, ledger: Ledger, on_pod: Callable[[str, core.Pod | None, core.Pod | None], None], room: Room
    ) -> None:
        self._ledger = ledger
        self._on_pod = on_pod
        self._room = room
        self._frameworks_by_uid: dict[str, str] = {}
        self._pods_by_owner: dict[str, dict[str, core.Pod]] = {}
        self._roles_by_offer: dict[str, tuple[str, str]] = {}

    def node_changed(self, old: core.Node | None, new: core.Node | None) -> bool:
        """A node came, changed or went."""
        name = next(node.metadata.name for node in (new, old) if node is not None)
        before = self._ledger.nodes.get(name)
        if new is not None:
            self._ledger.put_node(read_node(new))
        elif old is not None:
            self._ledger.remove_node(name)
        if self._ledger.nodes.get(name) == before:
            return False
        self._room.node_changed(name)
        return True

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
        name = next(key_of(framework) for framework in (new, old) if framework is not None)
        before = self._ledger.frameworks.get(name)
        replaced = old is not None and (new is None or new.metadata.uid != old.metadata.uid)
        if old is not None and replaced:
            self._ledger.remove_framework(name)
            self._frameworks_by_uid.pop(old.metadata.uid or "", None)
            self._recharge(old.metadata.uid or "")
        if new is not None:
            self._ledger.put_framework(read_framework(new))
            uid = new.metadata.uid or ""
            if uid not in self._frameworks_by_uid:
                self._frameworks_by_uid[uid] = name
                self._recharge(uid)
            elif old is not None and old.spec.all_roles != new.spec.all_roles:
                for pod in self._pods_by_owner.get(uid, {}).values():
                    self._charge(pod)
        after = self._ledger.frameworks.get(name)
        if after == before and not replaced:
            return False
        self._room.framework_changed(name)
        if before is None or after is None or replaced or before.roles != after.roles:
            self._room.roles_changed()
        return True

    def offer_changed(self, old: ResourceOffer | None, new: ResourceOffer | None, seen_of: SeenOf) -> None:
        """An offer came, changed or went: while it is there, it says the role of the pods made from it."""
        if new is not None:
            self._roles_by_offer[key_of(new)] = (new.framework_key, new.spec.role)
        elif old is not None:
            self._roles_by_offer.pop(key_of(old), None)
        offer = new or old
        if offer is not None and (old is None or new is None) and self._has_choice(offer.framework_key):
            for pod in seen_of(offer):
                present = self._pods_by_owner.get(_framework_uid(pod) or "", {}).get(_pod_key(pod))
                if present is not None:
                    self._charge(present)

    def role_changed(self, old: api.FrameworkRole | None, new: api.FrameworkRole | None) -> bool:
        """A role came, changed or went."""
        if new is not None:
            role = read_role(new)
            if self._ledger.roles.get(role.name) == role:
                return False
            self._ledger.put_role(role)
        elif old is not None:
            self._ledger.remove_role(old.metadata.name)
        self._room.roles_changed()
        return True

    def reservation_changed(self, old: api.Reservation | None, new: api.Reservation | None) -> bool:
        """A reservation came, changed or went."""
        if new is not None:
            kept = read_reservation(new)
            if old is not None and read_reservation(old) == kept:
                return False
            self._ledger.put_reservation(key_of(new), kept)
        elif old is not None:
            self._ledger.remove_reservation(key_of(old))
        for reservation in (old, new):
            if reservation is not None:
                self._room.node_changed(reservation.spec.node)
        return True

    def _recharge(self, uid: str) -> None:
        for pod in self._pods_by_owner.get(uid, {}).values():
            self._charge(pod)
            framework = self._framework_of(pod)
            if framework is not None:
                self._on_pod(framework, None, pod)

    def _framework_of(self, pod: core.Pod | None) -> str | None:
        """The framework that owns a pod; an owner in another namespace, or by another name, is none."""
        owner = pod.controller if pod is not None else None
        uid = _framework_uid(pod)
        framework = self._frameworks_by_uid.get(uid) if uid else None
        if pod is None or owner is None or framework != f"{pod.metadata.namespace}/{owner.name}":
            return None
        return framework

    def _role_of(self, framework: str | None, pod: core.Pod) -> str | None:
        """The role that a pod is charged to; None for its framework's first."""
        if framework is None or not self._has_choice(framework):
            return None
        labels = pod.metadata.labels
        owner, role = self._roles_by_offer.get(f"{pod.metadata.namespace}/{labels.get(LABEL_OFFER)}", ("", ""))
        if owner == framework:
            return role
        named = labels.get(LABEL_ROLE)
        return named if named in self._ledger.frameworks[framework].roles else None

    def _has_choice(self, framework: str) -> bool:
        """Whether a framework takes part in more than one role."""
        known = self._ledger.frameworks.get(framework)
        return known is not None and bool(known.further_roles)

    def _charge(self, pod: core.Pod) -> None:
        key = (PODS, _pod_key(pod))
        if not pod.spec.node_name or pod.terminated:
            self._ledger.remove_charge(key)
            return
        framework = self._framework_of(pod)
        task = pod.metadata.labels.get(LABEL_TASK)
        counts = framework is not None and task is not None and not pod.leaving
        charge = Charge(
            node=pod.spec.node_name,
            resources=pod_requests(pod.spec),
            framework=framework,
            tasks={task: 1} if counts and task is not None else {},
            role=self._role_of(framework, pod),
        )
        if charge != self._ledger.charge(key):
            self._ledger.put_charge(key, charge)
            self._room.node_changed(charge.node)


def _framework_uid(pod: core.Pod | None) -> str | None:
    owner = pod.controller if pod is not None else None
    if owner is None or owner.kind != "Framework" or not owner.api_version.startswith(f"{GROUP}/"):
        return None
    return owner.uid


def _pod_key(pod: core.Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"

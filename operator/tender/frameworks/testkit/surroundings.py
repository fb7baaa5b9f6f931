"""What is around the framework on a stage: nodes with their kubelets, and the master as far as it ends things.

It does what these parts do by themselves: pods that are deleted end where their node answers, pods that are pinned get
bound when they run, offers end with their claims, refusals and times, Reservations are found to hold.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tender.api.conditions import set_state
from tender.api.core import Pod
from tender.api.framework import Framework
from tender.api.names import API_VERSION
from tender.api.offer import OfferPhase, ResourceOffer
from tender.api.reservation import Reservation
from tender.api.timestamps import timestamp
from tender.frameworks.testkit.claims import LAUNCH_DEADLINE_SECONDS, Claims, node_of
from tender.frameworks.testkit.objects import Manifest, Objects

NODE_SIZE = {"cpu": "64", "memory": "256Gi", "pods": "110"}


class Surroundings:
    """Nodes, kubelets and master. With `linger` pods that are deleted stay until they are told to end."""

    def __init__(self, objects: Objects, claims: Claims, *, linger: bool) -> None:
        self._objects = objects
        self._claims = claims
        self._linger = linger
        self._offers = 0

    def offer(
        self, framework: Framework, slices: Iterable[Mapping[str, Any]], role: str | None, expires: float, now: float
    ) -> str:
        """Make an offer; its name."""
        self._offers += 1
        name = f"{framework.metadata.name}-o{self._offers}"
        parts = [dict(one) for one in slices]
        for part in parts:
            if self._objects.find("Node", part["node"]) is None:
                self.set_node(part["node"], now)
        owner = {"apiVersion": API_VERSION, "kind": "Framework", "name": framework.metadata.name}
        self._objects.create(
            {
                "apiVersion": API_VERSION,
                "kind": "ResourceOffer",
                "metadata": {
                    "name": name,
                    "namespace": framework.metadata.namespace,
                    "ownerReferences": [{**owner, "uid": framework.metadata.uid, "controller": True}],
                },
                "spec": {
                    "framework": framework.metadata.name,
                    "role": role or framework.spec.role,
                    "slices": parts,
                    "expiresAt": timestamp(expires),
                },
                "status": {"phase": "Offered"},
            },
            now,
        )
        return name

    def set_node(
        self, name: str, now: float, *, ready: str = "True", cordoned: bool = False, labels: Mapping[str, str] = {}
    ) -> None:
        """A node is there and says this of itself."""
        present = self._objects.find("Node", name)
        before = [] if present is None else present["status"]["conditions"]
        since = next((one["lastTransitionTime"] for one in before if one["status"] == ready), timestamp(int(now)))
        self._objects.apply(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": dict(labels)},
                "spec": {"unschedulable": cordoned},
                "status": {
                    "allocatable": dict(NODE_SIZE),
                    "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}],
                },
            },
            now,
        )

    def run(self, pod: Manifest, *, ready: bool) -> None:
        """The pod's kubelet has started its containers; its volumes are bound."""
        name = pod["metadata"]["name"]
        containers = [
            {"name": one["name"], "ready": ready, "restartCount": 0, "state": {}} for one in pod["spec"]["containers"]
        ]
        status = {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": containers,
        }
        self._objects.patch("Pod", name, {"spec": {"nodeName": node_of(pod)}, "status": status})
        for volume in pod["spec"].get("volumes") or ():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName", "")
            if self._objects.find("PersistentVolumeClaim", claim) is not None:
                bound = {"spec": {"volumeName": f"pv-{claim}"}, "status": {"phase": "Bound"}}
                self._objects.patch("PersistentVolumeClaim", claim, bound)

    def act(self, now: float) -> None:
        """Everybody does what is theirs to do by now."""
        for pod in self._objects.read("Pod"):
            if pod.leaving and not self._linger and self._answers(pod.spec.node_name):
                self._objects.remove("Pod", pod.metadata.name)
        for offer in self._objects.read("ResourceOffer"):
            if self._ended(offer, now):
                self._objects.remove("ResourceOffer", offer.metadata.name)
        for reservation in self._objects.read("Reservation"):
            self._confirm(reservation, now)

    def next_end(self, now: float) -> float | None:
        """When something ends by time alone, after now; None if nothing does."""
        ends = (_ends_at(offer) for offer in self._objects.read("ResourceOffer"))
        return min((end for end in ends if end is not None and end > now), default=None)

    def pods_on(self, node: str) -> list[Pod]:
        """The pods of a node, also those that are still to be bound to it."""
        names = (name for name in self._objects.names("Pod") if node_of(self._objects.find("Pod", name) or {}) == node)
        return [pod for name in names for pod in self._objects.read("Pod") if pod.metadata.name == name]

    def _answers(self, node: str) -> bool:
        return all(one.ready for one in self._objects.read("Node") if one.metadata.name == node)

    def _ended(self, offer: ResourceOffer, now: float) -> bool:
        match offer.status.phase:
            case OfferPhase.CLAIMED:
                return self._claims.ended(offer, now)
            case OfferPhase.OFFERED | OfferPhase.DECLINED:
                end = _ends_at(offer)
                return end is not None and now >= end
        return True

    def _confirm(self, reservation: Reservation, now: float) -> None:
        generation = reservation.metadata.generation
        if reservation.status.observed_generation == generation:
            return
        conditions = set_state(
            reservation.status.conditions,
            "Ready",
            reason="Kept",
            message="it is kept",
            generation=generation,
            now=datetime.fromtimestamp(int(now), UTC),
        )
        status = {"observedGeneration": generation, "conditions": [one.manifest() for one in conditions]}
        self._objects.set_status("Reservation", reservation.metadata.name, status)


def _ends_at(offer: ResourceOffer) -> float | None:
    answered = offer.status.answered_at
    match offer.status.phase:
        case OfferPhase.OFFERED:
            return offer.spec.expires_at.timestamp()
        case OfferPhase.DECLINED if answered is not None:
            return (answered + timedelta(seconds=offer.status.refuse_seconds or 0)).timestamp()
        case OfferPhase.CLAIMED if answered is not None:
            return (answered + timedelta(seconds=LAUNCH_DEADLINE_SECONDS)).timestamp()
    return None

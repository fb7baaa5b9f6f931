"""What can happen to a framework on a stage: offers, the fates of its pods and nodes, what people change."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from tender.api.framework import Framework
from tender.frameworks.testkit.executor import Executor
from tender.frameworks.testkit.objects import Manifest, Objects
from tender.frameworks.testkit.surroundings import Surroundings


class Happenings:
    """What a script sends. After each the framework takes its turns until nothing more happens."""

    now: float
    _objects: Objects
    _surroundings: Surroundings
    _executor: Executor
    _name: str

    @property
    def framework(self) -> Framework:
        """The framework as it is now."""
        return Framework.read(self._existing("Framework", self._name))

    # Offers

    def offer(
        self,
        *nodes: str,
        cpu: str = "4",
        memory: str = "8Gi",
        tasks: Mapping[str, int] | None = None,
        role: str | None = None,
        timeout: float = 60,
        **more: str,
    ) -> str:
        """The master offers this much of each of these nodes in one offer; its name. Further resources by keyword.

        `tasks` are those that the slices are made for, `timeout` is in seconds. Nodes that are not there yet come up.

        >>> stage.offer("node-1", "node-2", cpu="2", memory="4Gi")
        """
        resources = {"cpu": cpu, "memory": memory, "pods": "110", **more}
        made_for = {"tasks": dict(tasks)} if tasks else {}
        slices = [{"node": node, "resources": resources, **made_for} for node in nodes or ("node-1",)]
        with self._happening():
            return self._surroundings.offer(self.framework, slices, role, self.now + timeout, self.now)

    def offer_rescinded(self, offer: str) -> None:
        """The master takes an offer back that has no answer yet; one that has stays as it is.

        >>> with stage.at_once():
        ...     stage.offer_rescinded(stage.offer("node-1"))
        """
        with self._happening():
            manifest = self._existing("ResourceOffer", offer)
            if manifest["status"]["phase"] == "Offered":
                self._objects.set_status("ResourceOffer", offer, {"phase": "Rescinded"})

    # Pods

    def pods_run(self) -> None:
        """All pods that have not started yet run and are ready.

        >>> stage.pods_run()
        """
        with self._happening():
            for pod in self._objects.read("Pod"):
                if pod.status.phase == "Pending" and not pod.leaving:
                    self._surroundings.run(self._existing("Pod", pod.metadata.name), ready=True)

    def pod_runs(self, pod: str, *, ready: bool = True) -> None:
        """A pod runs, and is ready or not.

        >>> stage.pod_runs("workers-o1-0-0", ready=False)
        """
        with self._happening():
            self._surroundings.run(self._existing("Pod", pod), ready=ready)

    def pod_fails(self, pod: str, *, reason: str = "", message: str = "") -> None:
        """A pod comes to a bad end.

        >>> stage.pod_fails("workers-o1-0-0", reason="Evicted")
        """
        self._pod_ends(pod, {"phase": "Failed", "reason": reason, "message": message})

    def pod_succeeds(self, pod: str) -> None:
        """A pod has done what it was to do.

        >>> stage.pod_succeeds("workers-o1-0-0")
        """
        self._pod_ends(pod, {"phase": "Succeeded"})

    def pod_vanishes(self, pod: str) -> None:
        """A pod is gone without a trace: somebody has deleted it, or its grace period is over.

        >>> stage.pod_vanishes("workers-o1-0-0")
        """
        with self._happening():
            self._existing("Pod", pod)
            self._objects.remove("Pod", pod)

    def container_restarts(self, pod: str, container: str, *, exit_code: int = 1) -> None:
        """A container of a pod has ended and was started again by the kubelet.

        >>> stage.container_restarts("db-node-0", "server")
        """
        with self._happening():
            manifest = self._existing("Pod", pod)
            statuses = [
                {**one, "restartCount": one["restartCount"] + 1, "lastState": {"terminated": {"exitCode": exit_code}}}
                if one["name"] == container
                else one
                for one in manifest["status"]["containerStatuses"]
            ]
            self._objects.patch("Pod", pod, {"status": {"containerStatuses": statuses}})

    # Nodes

    def node(self, name: str, *, cordoned: bool = False, **labels: str) -> None:
        """A node comes up, or answers again; labels by keyword, or as `**{"topology.kubernetes.io/zone": "a"}`.

        >>> stage.node("node-1", zone="a")
        """
        with self._happening():
            self._surroundings.set_node(name, self.now, cordoned=cordoned, labels=labels)

    def node_silent(self, name: str) -> None:
        """A node does not answer: its pods stay as they were last heard of, and those that are deleted stay as well.

        >>> stage.node_silent("node-1")
        """
        with self._happening():
            self._existing("Node", name)
            self._surroundings.set_node(name, self.now, ready="Unknown")
            for pod in self._surroundings.pods_on(name):
                conditions = [{"type": "Ready", "status": "False"}]
                self._objects.patch("Pod", pod.metadata.name, {"status": {"conditions": conditions}})

    def node_lost(self, name: str) -> None:
        """A node is gone for good, and its pods with it.

        >>> stage.node_lost("node-1")
        """
        with self._happening():
            self._existing("Node", name)
            for pod in self._surroundings.pods_on(name):
                self._objects.remove("Pod", pod.metadata.name)
            self._objects.remove("Node", name)

    # People and other controllers

    def apply(self, spec: Mapping[str, Any]) -> None:
        """Somebody changes the framework's spec: a merge patch (None removes a field).

        >>> stage.apply({"service": {"replicas": 5}})
        """
        with self._happening():
            self._objects.patch("Framework", self._name, {"spec": spec})
            self._executor.memory.refused = None

    def put(self, manifest: Mapping[str, Any]) -> None:
        """Somebody makes or changes another object, such as a framework that this one depends on.

        >>> stage.put(framework("db", external={}).manifest())
        """
        with self._happening():
            self._objects.apply(manifest, self.now)

    def remove(self, kind: str, name: str) -> None:
        """Somebody removes an object.

        >>> stage.remove("Reservation", "db-node-0")
        """
        with self._happening():
            self._existing(kind, name)
            self._objects.remove(kind, name)

    # Within

    def _happening(self) -> AbstractContextManager[None]:
        """Something happens within it, and then the framework takes its turns."""
        raise NotImplementedError

    def _pod_ends(self, pod: str, status: Mapping[str, Any]) -> None:
        with self._happening():
            self._existing("Pod", pod)
            self._objects.patch(
                "Pod", pod, {"status": {**status, "conditions": [{"type": "Ready", "status": "False"}]}}
            )

    def _existing(self, kind: str, name: str) -> Manifest:
        manifest = self._objects.find(kind, name)
        if manifest is None:
            there = ", ".join(self._objects.names(kind)) or "none"
            raise LookupError(f"there is no {kind} {name}; there are: {there}")
        return manifest

"""A cluster of a few lines for stateful services: an API server, a master, kubelets and kube-scheduler, all in step.

Turns are taken by the real `take_turn`, and what they say is written one write after the other, so that a test can
have the controller die between any two. After each write `check` looks at what there is.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from tests.builders import NOON, owner_of, timestamp
from tests.builders import node as build_node

from tender.api import core
from tender.api.framework import Framework, FrameworkStatus
from tender.api.names import API_VERSION, LABEL_INSTANCE, LABEL_OFFER, LABEL_TASK
from tender.api.offer import ResourceOffer
from tender.api.quantities import format_resources, parse_resources
from tender.api.requests import pod_requests
from tender.api.reservation import Reservation
from tender.frameworks.sdk import Claim, Seen, Turn, take_turn
from tender.frameworks.sdk.model import Remove, Stop
from tender.frameworks.stateful import plan_stateful

NAMESPACE = "shop"
Manifest = dict[str, Any]
Check = Callable[["World"], None]


def template(image: str = "db:1", *, cpu: str = "500m", memory: str = "256Mi", **spec: Any) -> Manifest:
    """A pod template of one container."""
    requests = {"cpu": cpu, "memory": memory}
    container = {"name": "db", "image": image, "resources": {"requests": requests}}
    return {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container], **spec}}


def pod_set(name: str = "node", count: int = 3, **fields: Any) -> Manifest:
    """A set of pods with a volume each, unless it says otherwise."""
    volume = {"name": "data", "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    return {"name": name, "count": count, "template": template(), "volumeClaimTemplates": [volume], **fields}


def phase(pods: str = "node", task: str | None = None, **fields: Any) -> Manifest:
    """A phase of a plan, named after its set, or its task."""
    named = {"name": task or pods, "pods": pods, **fields}
    return {**named, "task": task} if task else named


def task(name: str, goal: str = "Finish", image: str = "task:1") -> Manifest:
    """A side task."""
    return {"name": name, "goal": goal, "template": template(image, cpu="100m", memory="64Mi")}


@dataclass
class World:
    """Frameworks by name, and what belongs to them; `check` is called after every change."""

    frameworks: dict[str, Framework] = field(default_factory=dict)
    nodes: dict[str, core.Node] = field(default_factory=dict)
    pods: dict[str, core.Pod] = field(default_factory=dict)
    offers: dict[str, ResourceOffer] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    volume_claims: dict[str, core.VolumeClaim] = field(default_factory=dict)
    config_maps: dict[str, core.ConfigMap] = field(default_factory=dict)
    revisions: dict[str, core.ControllerRevision] = field(default_factory=dict)
    services: dict[str, core.Child] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    now: float = NOON
    made: int = 0
    discipline: int = 0
    master: bool = True
    check: Check = lambda world: None
    turn_of: Turn | None = None
    log: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Images whose pods fail, each as soon as it runs."""
    slow: set[str] = field(default_factory=set)
    """Images whose pods never become ready."""
    unschedulable: set[str] = field(default_factory=set)
    """Nodes where kube-scheduler cannot bind pods."""
    left: set[str] = field(default_factory=set)
    """Tasks, as POD or IMAGE, that run until told to end."""

    # What people do

    def with_nodes(self, count: int = 4, *, cpu: str = "4", memory: str = "8Gi") -> "World":
        for number in range(1, count + 1):
            zone = {"topology.kubernetes.io/zone": f"zone-{number % 2}"}
            self.nodes[f"node-{number}"] = build_node(f"node-{number}", cpu=cpu, memory=memory, labels=zone)
        return self

    def apply(self, *pods: Manifest, name: str = "db", created: float = NOON, **spec: Any) -> None:
        """Create or change a service; `roles`, `dependsOn` and the like go beside `stateful`."""
        beside: Manifest = {key: spec.pop(key) for key in ("role", "dependsOn") if key in spec}
        wanted = {**beside, "stateful": {"pods": list(pods), **spec}}
        present = self.frameworks.get(name)
        generation = 1
        if present is not None:
            changed = Framework.read({"metadata": {}, "spec": wanted}).spec != present.spec
            generation = (present.metadata.generation or 1) + changed
        self.frameworks[name] = Framework.read(
            {
                "apiVersion": API_VERSION,
                "kind": "Framework",
                "metadata": {
                    "name": name,
                    "namespace": NAMESPACE,
                    "uid": f"uid-of-{name}",
                    "generation": generation,
                    "creationTimestamp": timestamp(created),
                },
                "spec": wanted,
                "status": present.status.manifest() if present is not None else {},
            }
        )

    def request(self, action: str, *, pod: str | None = None, plan: str | None = None, name: str = "db", **more: Any):
        """Ask something of a pod or a plan; returns the request's id."""
        framework = self.frameworks[name]
        stateful = framework.spec.manifest()["stateful"]
        self.made += 1
        one = {"id": f"request-{self.made}", "action": action, **more}
        if pod is not None:
            stateful.setdefault("podRequests", []).append({**one, "pod": pod})
        else:
            stateful.setdefault("planRequests", []).append({**one, "plan": plan})
        pods = stateful.pop("pods")
        beside = {key: value for key, value in framework.spec.manifest().items() if key in ("role", "dependsOn")}
        self.apply(*pods, name=name, **stateful, **beside)
        return one["id"]

    # The controller

    def seen(self, name: str = "db") -> Seen:
        def own(objects: Mapping[str, Any]) -> tuple[Any, ...]:
            return tuple(
                one
                for _, one in sorted(objects.items())
                if any(owner.uid == f"uid-of-{name}" for owner in one.metadata.owner_references)
            )

        return Seen(
            framework=self.frameworks[name],
            pods=own(self.pods),
            offers=own(self.offers),
            launched=frozenset(),
            now=self.now,
            nodes=dict(self.nodes),
            frameworks=dict(self.frameworks),
            reservations=own(self.reservations),
            volume_claims=own(self.volume_claims),
            config_maps=own(self.config_maps),
            revisions=own(self.revisions),
            services=own(self.services),
        )

    def turn(self, name: str = "db", *, writes: int | None = None) -> int:
        """Take a turn and do what it says, only the first so many `writes` of it; returns how many there were."""
        turn = self.turn_of = take_turn(partial(plan_stateful, reserve_discipline=self.discipline), self.seen(name))
        todo: list[Callable[[], None]] = [
            *(partial(self._keep, manifest) for manifest in turn.keep),
            *(partial(self._answer, answer) for answer in turn.answers),
            *(partial(self._launch, launch.pod) for launch in turn.launches),
            *(partial(self._stop, stop) for stop in turn.stops),
            *(partial(self._remove, remove) for remove in turn.remove),
        ]
        status = FrameworkStatus.model_validate(turn.status)
        if status.manifest() != self.frameworks[name].status.manifest():
            todo.append(partial(self._write_status, name, status))
        for write in todo if writes is None else todo[:writes]:
            write()
            self.check(self)
        return len(todo)

    # All of it

    def step(self, *names: str, seconds: float = 1.0) -> int:
        """Some time passes: everybody does what there is to do. Returns how many writes the controller had."""
        self.now += seconds
        self.serve()
        writes = sum(self.turn(name) for name in names or sorted(self.frameworks))
        self.run()
        return writes

    def settle(self, *names: str, steps: int = 250) -> None:
        """Go on until the controller has nothing to do any more, and nothing changes."""
        quiet = 0
        for _ in range(steps):
            before = self._all()
            wakes = self.turn_of.wake_at if self.turn_of is not None else None
            writes = self.step(*names, seconds=1.0)
            quiet = quiet + 1 if not writes and before == self._all() else 0
            if quiet >= 2:
                if wakes is not None and self.now < wakes <= self.now + 400:
                    self.now, quiet = wakes, 0
                    continue
                return
        raise AssertionError(f"not settled: {self.turn_of}")

    def until(self, holds: Callable[["World"], bool], *, steps: int = 200, seconds: float = 1.0) -> None:
        """Go on until something holds."""
        for _ in range(steps):
            if holds(self):
                return
            self.step(seconds=seconds)
        raise AssertionError(f"it never came about: {self.state()}, {self.words()}")

    def _all(self) -> tuple[Any, ...]:
        return tuple(
            dict(one)
            for one in (
                self.pods,
                self.reservations,
                self.volume_claims,
                self.config_maps,
                self.frameworks,
                self.offers,
            )
        )

    # What a test looks at

    @property
    def live(self) -> dict[str, core.Pod]:
        return {name: pod for name, pod in self.pods.items() if not pod.terminated}

    def node_of(self, pod: str) -> str:
        return self.pods[pod].spec.node_name

    def place(self, instance: str) -> Reservation:
        own = [one for one in self.reservations.values() if one.metadata.labels.get(LABEL_INSTANCE) == instance]
        return own[0]

    def image(self, pod: str) -> str:
        return str(self.manifests[self.pods[pod].metadata.uid]["spec"]["containers"][0]["image"])

    def images(self) -> dict[str, str]:
        return {name: self.image(name) for name in sorted(self.live)}

    def state(self, name: str = "db") -> tuple[str, str]:
        for condition in self.frameworks[name].status.conditions:
            if condition.status == "True":
                return condition.type, condition.reason
        return "", ""

    def message(self, name: str = "db") -> str:
        return next(one.message for one in self.frameworks[name].status.conditions if one.status == "True")

    def plan(self, plan: str, name: str = "db") -> str:
        status = self.frameworks[name].status.stateful
        return "" if status is None else next((one.status for one in status.plans if one.name == plan), "")

    def steps(self, plan: str, phase: str | None = None, name: str = "db") -> dict[str, str]:
        status = self.frameworks[name].status.stateful
        phases = next((one.phases for one in status.plans if one.name == plan), ()) if status is not None else ()
        return {step.name: step.status for one in phases if phase in (None, one.name) for step in one.steps}

    def words(self, name: str = "db") -> dict[str, str]:
        status = self.frameworks[name].status.stateful
        return {pod.name: f"{pod.status}: {pod.message}" for pod in status.pods} if status is not None else {}

    def result(self, request: str, name: str = "db") -> str:
        status = self.frameworks[name].status.stateful
        assert status is not None
        results = {one.id: one for one in (*status.plan_requests, *status.pod_requests)}
        one = results.get(request)
        return "" if one is None else one.message or one.result

    def events(self, *kinds: str) -> list[str]:
        return [line for line in self.log if line.split()[0] in kinds]

    # What befalls pods and nodes

    def fail(self, pod: str, reason: str = "Evicted") -> None:
        self._status(pod, phase="Failed", reason=reason, ready=False)

    def succeed(self, pod: str) -> None:
        self._status(pod, phase="Succeeded", ready=False)

    def lose_pod(self, pod: str) -> None:
        del self.pods[pod]

    def silence(self, node: str) -> None:
        """The node stops answering: its pods are not ready any more, and do not go."""
        self._ready_node(node, ready=False)
        for name, pod in self.pods.items():
            if pod.spec.node_name == node and not pod.terminated:
                self._status(name, phase=pod.status.phase, ready=False)

    def restore(self, node: str) -> None:
        self._ready_node(node, ready=True)

    def destroy(self, node: str) -> None:
        """The node is gone for good, and so are its pods."""
        del self.nodes[node]
        for name in [name for name, pod in self.pods.items() if pod.spec.node_name == node]:
            del self.pods[name]
        for name, one in self.reservations.items():
            if one.spec.node == node:
                status = {**one.status.manifest(), "nodeLostAt": timestamp(self.now)}
                self.reservations[name] = Reservation.read({**one.manifest(), "status": status})

    def cordon(self, node: str, *, off: bool = False) -> None:
        spec = msgspec.structs.replace(self.nodes[node].spec, unschedulable=not off)
        self.nodes[node] = msgspec.structs.replace(self.nodes[node], spec=spec)

    def end_container(self, pod: str, container: str) -> None:
        """The kubelet has started a container again that ended."""
        status = self.pods[pod].status
        names = [one["name"] for one in self.manifests[self.pods[pod].metadata.uid]["spec"]["containers"]]
        statuses = tuple(core.ContainerStatus(name, ready=True, restart_count=int(name == container)) for name in names)
        replaced = msgspec.structs.replace(status, container_statuses=statuses)
        self.pods[pod] = msgspec.structs.replace(self.pods[pod], status=replaced)

    # The master

    def serve(self) -> None:
        """Offers for what is declared, the state of Reservations, and claims that are over."""
        if not self.master:
            return
        self._end_offers()
        for name, one in list(self.reservations.items()):
            used = self._used(one)
            lacking = any(amount < 0 for amount in self._free(one.spec.node).values()) and self._unused(one)
            status = {
                **{k: v for k, v in one.status.manifest().items() if k == "nodeLostAt"},
                "observedGeneration": one.metadata.generation,
                "used": format_resources(used),
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "False" if lacking else "True",
                        "reason": "Lacking" if lacking else "Kept",
                        "message": "too little is free" if lacking else "",
                        "lastTransitionTime": timestamp(NOON),
                    }
                ],
            }
            self.reservations[name] = Reservation.read({**one.manifest(), "status": status})
        for framework in self.frameworks.values():
            self._offer_to(framework)

    def _end_offers(self) -> None:
        for name, offer in list(self.offers.items()):
            answered = offer.status.answered_at
            made = offer.metadata.creation_timestamp
            assert made is not None
            at = (answered or made).timestamp()
            kept = 60 if offer.status.phase == "Claimed" else 2
            holders: list[Any] = [*self.pods.values(), *self.reservations.values()]
            taken = {one.metadata.labels.get(LABEL_OFFER) for one in holders}
            if self.now > at + kept or (offer.status.phase == "Claimed" and name in taken):
                del self.offers[name]

    def _offer_to(self, framework: Framework) -> None:
        name = framework.metadata.name
        if any(offer.spec.framework == name and offer.status.phase != "Declined" for offer in self.offers.values()):
            return
        slices = []
        for entry in framework.status.demand or ():
            own = [one for one in self.pods.values() if one.metadata.owner_references[0].uid == f"uid-of-{name}"]
            there = [pod for pod in own if pod.metadata.labels.get(LABEL_TASK) == entry.name]
            if len([pod for pod in there if not pod.terminated]) >= entry.count:
                continue
            for node in self.nodes.values():
                free = self._free(node.metadata.name)
                # What the framework itself has reserved there and does not use is offered to it as well, and first.
                for one in self.reservations.values():
                    if one.spec.node == node.metadata.name and _owner(one) == f"uid-of-{name}":
                        free = {k: v + self._unused(one).get(k, 0) for k, v in free.items()}
                fits = all(free.get(resource, 0) >= amount for resource, amount in entry.amounts.items())
                if node.ready and not node.spec.unschedulable and fits:
                    resources = format_resources({**entry.amounts, "pods": 1})
                    slices.append({"node": node.metadata.name, "resources": resources, "tasks": {entry.name: 1}})
            if slices:
                break
        if slices:
            self.made += 1
            offer = f"{name}-offer{self.made}"
            self.offers[offer] = ResourceOffer.read(
                {
                    "metadata": {
                        "name": offer,
                        "namespace": NAMESPACE,
                        "uid": f"uid-of-{offer}",
                        "ownerReferences": [owner_of(name)],
                        "creationTimestamp": timestamp(self.now),
                    },
                    "spec": {
                        "framework": name,
                        "role": framework.spec.role,
                        "slices": slices[:128],
                        "expiresAt": timestamp(self.now + 60),
                    },
                    "status": {"phase": "Offered"},
                }
            )

    def _free(self, node: str) -> dict[str, int]:
        if node not in self.nodes:
            return {}
        free = parse_resources(self.nodes[node].status.allocatable)
        charges = [self._unused(one) for one in self.reservations.values() if one.spec.node == node]
        charges += [
            pod_requests(pod.spec) for pod in self.pods.values() if pod.spec.node_name == node and not pod.terminated
        ]
        for offer in self.offers.values():
            if offer.status.phase == "Claimed":
                for claim in offer.status.claims:
                    if offer.spec.slices[claim.slice].node == node:
                        charges.append(parse_resources(claim.resources))
        left = dict(free)
        for charge in charges:
            for resource, amount in charge.items():
                left[resource] = left.get(resource, 0) - amount
        return left

    def _used(self, one: Reservation) -> dict[str, int]:
        used: dict[str, int] = {}
        for pod in self.pods.values():
            own = pod.metadata.labels.get(LABEL_INSTANCE) == one.metadata.labels.get(LABEL_INSTANCE)
            same = pod.spec.node_name == one.spec.node and pod.metadata.owner_references[0].uid == _owner(one)
            if own and same and not pod.terminated:
                for resource, amount in pod_requests(pod.spec).items():
                    used[resource] = used.get(resource, 0) + amount
        return {k: min(v, one.spec.amounts.get(k, 0)) for k, v in used.items() if k in one.spec.amounts}

    def _unused(self, one: Reservation) -> dict[str, int]:
        used = self._used(one)
        return {k: v - used.get(k, 0) for k, v in one.spec.amounts.items() if v > used.get(k, 0)}

    # Kubelets and kube-scheduler

    def run(self) -> None:
        """Pods that leave go, pods that were made start, and those that started become ready."""
        for name, pod in list(self.pods.items()):
            node = self.nodes.get(pod.spec.node_name)
            if pod.leaving:
                if node is None or node.ready:
                    del self.pods[name]
                    self.log.append(f"gone {name}")
            elif not pod.spec.node_name:
                self._schedule(name)
            elif node is not None and node.ready and not pod.terminated:
                self._run_one(name, pod)
            self.check(self)
        for name, claim in list(self.volume_claims.items()):
            if claim.metadata.deletion_timestamp is not None and not any(
                name in self._claims_of(pod) for pod in self.pods.values()
            ):
                del self.volume_claims[name]

    def _run_one(self, name: str, pod: core.Pod) -> None:
        image = self.image(name)
        if pod.status.phase == "Pending":
            self._status(name, phase="Running", ready=False)
        elif image in self.broken:
            self._status(name, phase="Failed", reason="Error", ready=False)
        elif self.manifests[pod.metadata.uid]["spec"].get("restartPolicy") == "Never":
            if image not in self.left:
                self._status(name, phase="Succeeded", ready=False)
        elif image not in self.slow and not pod.ready:
            self._status(name, phase="Running", ready=True)

    def _schedule(self, name: str) -> None:
        pod = self.pods[name]
        spec = self.manifests[pod.metadata.uid]["spec"]
        required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        (node,) = required["nodeSelectorTerms"][0]["matchFields"][0]["values"]
        if node in self.unschedulable:
            known = next((one for one in pod.status.conditions if one.type == "PodScheduled"), None)
            since = known.last_transition_time if known is not None else timestamp(self.now)
            condition = core.Condition("PodScheduled", "False", "Unschedulable", "no volume to bind", since)
            status = msgspec.structs.replace(pod.status, conditions=(condition,))
            self.pods[name] = msgspec.structs.replace(pod, status=status)
            return
        if node not in self.nodes or not self.nodes[node].ready:
            return
        for claim in self._claims_of(pod):
            present = self.volume_claims[claim]
            self.volume_claims[claim] = msgspec.structs.replace(present, status=core.VolumeClaimStatus("Bound"))
        bound = msgspec.structs.replace(pod.spec, node_name=node)
        self.pods[name] = msgspec.structs.replace(pod, spec=bound, status=core.PodStatus(phase="Pending"))

    def _claims_of(self, pod: core.Pod) -> set[str]:
        volumes = self.manifests[pod.metadata.uid]["spec"].get("volumes") or ()
        return {one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}

    def _status(self, name: str, *, phase: str, reason: str = "", ready: bool) -> None:
        pod = self.pods[name]
        status = core.PodStatus(
            phase=phase,
            reason=reason,
            pod_ip=f"ip-of-{pod.metadata.uid}",
            conditions=(core.Condition("Ready", "True" if ready else "False"),),
        )
        self.pods[name] = msgspec.structs.replace(pod, status=status)

    def _ready_node(self, name: str, *, ready: bool) -> None:
        condition = core.Condition("Ready", "True" if ready else "Unknown", last_transition_time=timestamp(self.now))
        status = msgspec.structs.replace(self.nodes[name].status, conditions=(condition,))
        self.nodes[name] = msgspec.structs.replace(self.nodes[name], status=status)

    # The API server

    def _keep(self, manifest: Mapping[str, Any]) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        self.log.append(f"keep {kind} {name}")
        store = self._store(kind)
        present = store.get(name)
        metadata = {**manifest["metadata"], "uid": self._uid(kind, name, present)}
        whole = deepcopy({**manifest, "metadata": metadata})
        if kind == "Reservation":
            generation = 1
            if present is not None:
                changed = parse_resources(whole["spec"]["resources"]) != present.spec.amounts
                generation = present.metadata.generation + changed
                amounts = parse_resources(whole["spec"]["resources"])
                used = parse_resources(present.status.used)
                assert all(amounts.get(name, 0) >= amount for name, amount in used.items()), "less than what is in use"
                whole["status"] = present.status.manifest()
            made = (
                timestamp(self.now) if present is None else timestamp(present.metadata.creation_timestamp.timestamp())
            )
            whole["metadata"] |= {"generation": generation, "creationTimestamp": made}
            store[name] = Reservation.read(whole)
            return
        model = {
            "PersistentVolumeClaim": core.VolumeClaim,
            "ConfigMap": core.ConfigMap,
            "ControllerRevision": core.ControllerRevision,
            "Service": core.Child,
        }[kind]
        if kind == "PersistentVolumeClaim":
            whole["status"] = {"phase": present.status.phase if present is not None else "Pending"}
        store[name] = msgspec.convert(whole, model)

    def _answer(self, answer: Any) -> None:
        offer = self.offers.get(answer.offer)
        if offer is None or offer.status.phase != "Offered":
            return
        status: Manifest = {"phase": "Declined", "answeredAt": timestamp(self.now)}
        if isinstance(answer, Claim):
            status |= {"phase": "Claimed", "claims": [dict(one) for one in answer.claims]}
            self.log.append(f"claim {offer.metadata.name}")
        self.offers[answer.offer] = ResourceOffer.read({**offer.manifest(), "status": status})

    def _launch(self, manifest: Mapping[str, Any]) -> None:
        name = manifest["metadata"]["name"]
        if name in self.pods:
            return
        self.made += 1
        uid = f"pod-{self.made}"
        self.log.append(f"launch {name}")
        self.manifests[uid] = deepcopy(dict(manifest))
        metadata = {**manifest["metadata"], "uid": uid, "creationTimestamp": timestamp(self.now)}
        self.pods[name] = msgspec.convert(
            {"metadata": metadata, "spec": manifest["spec"], "status": {"phase": "Pending"}}, core.Pod
        )

    def _stop(self, stop: Stop) -> None:
        pod = self.pods.get(stop.pod)
        if pod is None or pod.metadata.uid != stop.uid:
            return
        self.log.append(f"stop {stop.pod}")
        if stop.grace_seconds == 0 or pod.terminated or not pod.spec.node_name:
            del self.pods[stop.pod]
            return
        if pod.metadata.deletion_timestamp is None:
            metadata = msgspec.structs.replace(pod.metadata, deletion_timestamp=timestamp(self.now))
            self.pods[stop.pod] = msgspec.structs.replace(pod, metadata=metadata)

    def _remove(self, remove: Remove) -> None:
        store = self._store(remove.kind)
        present = store.get(remove.name)
        if present is None or present.metadata.uid != remove.uid:
            return
        self.log.append(f"remove {remove.kind} {remove.name}")
        if remove.kind == "PersistentVolumeClaim":
            metadata = msgspec.structs.replace(present.metadata, deletion_timestamp=timestamp(self.now))
            store[remove.name] = msgspec.structs.replace(present, metadata=metadata)
        else:
            del store[remove.name]

    def _write_status(self, name: str, status: FrameworkStatus) -> None:
        framework = self.frameworks[name]
        self.frameworks[name] = framework.model_copy(update={"status": status})

    def _uid(self, kind: str, name: str, present: Any) -> str:
        if present is not None:
            return str(present.metadata.uid)
        self.made += 1
        return f"{kind}-{name}-{self.made}"

    def _store(self, kind: str) -> dict[str, Any]:
        stores: dict[str, dict[str, Any]] = {
            "Reservation": self.reservations,
            "PersistentVolumeClaim": self.volume_claims,
            "ConfigMap": self.config_maps,
            "ControllerRevision": self.revisions,
            "Service": self.services,
        }
        return stores[kind]


def _owner(one: Reservation) -> str:
    return one.metadata.owner_references[0].uid


def moved_at(world: World) -> float | None:
    """When (epoch seconds) a pod was last moved without request."""
    status = world.frameworks["db"].status.stateful
    return status.replaced_at.timestamp() if status is not None and status.replaced_at is not None else None


def deployed(*pods: Manifest, nodes: int = 4, **spec: Any) -> World:
    """A world with a service that has been deployed; by default of three pods."""
    world = World().with_nodes(nodes)
    world.apply(*(pods or (pod_set(),)), **spec)
    world.settle()
    assert world.state() == ("Ready", "AsSpecified"), world.message()
    world.log.clear()
    return world


def never_two_of_one(world: World) -> None:
    """No pod of the service is there twice: a pod is known by its name, so none under another name either."""
    tasks = [pod.metadata.labels[LABEL_TASK] for pod in world.live.values()]
    assert len(tasks) == len(set(tasks)), tasks

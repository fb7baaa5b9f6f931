"""A service and its pods in a world of a few lines: what a plan says is done at once, pods become ready when told."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from tests.builders import NOON, framework, node, pod, seen

from tender.api import core
from tender.api.conditions import set_state
from tender.api.framework import Framework
from tender.api.service import ServiceSpec
from tender.frameworks.sdk import Plan, Seen
from tender.frameworks.service import plan_service

Check = Callable[["ServiceWorld"], None]


@dataclass
class ServiceWorld:
    """Carries out plans of one service; a `check` looks at the pods after every single change of them.

    Without `nodes` all pods are on one that nothing is known of. With some, each new pod goes to the emptiest that
    answers, and with `per_node` to none that has so many.
    """

    service: Framework
    check: Check = lambda world: None
    pods: dict[str, core.Pod] = field(default_factory=dict)
    nodes: dict[str, core.Node] = field(default_factory=dict)
    frameworks: dict[str, Framework] = field(default_factory=dict)
    revisions: dict[str, core.ControllerRevision] = field(default_factory=dict)
    services: dict[str, core.Child] = field(default_factory=dict)
    per_node: int | None = None
    now: float = NOON
    made: int = 0
    acting: bool = False
    """Whether the service itself changes pods, and not somebody else."""

    @property
    def live(self) -> list[core.Pod]:
        return [one for one in self.pods.values() if not one.terminated and not one.leaving]

    @property
    def ready(self) -> int:
        return sum(one.ready for one in self.live)

    @property
    def revisions_of_pods(self) -> list[str]:
        return [one.metadata.labels["tender.dev/revision"] for one in self.live]

    @property
    def spec(self) -> ServiceSpec:
        assert self.service.spec.service is not None
        return self.service.spec.service

    @property
    def numbers(self) -> list[int]:
        """The numbers of the versions that are recorded."""
        return sorted(one.revision for one in self.revisions.values())

    def seen(self) -> Seen:
        return seen(
            self.service,
            *self.pods.values(),
            now=self.now,
            nodes=self.nodes,
            frameworks={**self.frameworks, self.service.metadata.name: self.service},
            revisions=tuple(self.revisions.values()),
            services=tuple(self.services.values()),
        )

    def plan(self) -> Plan:
        return plan_service(self.seen())

    def step(self) -> Plan:
        """Plan, record, stop and launch; the controller's part of the status is written."""
        plan = self.plan()
        for manifest in plan.keep:
            self._apply(dict(manifest))
        for remove in plan.remove:
            del (self.revisions if remove.kind == "ControllerRevision" else self.services)[remove.name]
        there_are = Counter(self.revisions_of_pods)
        self.acting = True
        for stop in plan.stops:
            del self.pods[stop.pod]
            self.check(self)
        for shape in plan.shapes if plan.hold_until <= self.now else ():
            for _ in range(shape.count - there_are[shape.revision]):
                self.launch(shape.revision)
        self.acting = False
        self._write_status(plan)
        return plan

    def launch(self, revision: str) -> None:
        place = self._place()
        if place is None:
            return
        self.made += 1
        name = f"web-{self.made}"
        self.pods[name] = pod(
            name, task=revision, revision=revision, created=self.now, ready=False, phase="Pending", node=place
        )
        self.check(self)

    def start_one(self) -> None:
        """The oldest pod that is not ready becomes so."""
        waiting = [one for one in self.live if not one.ready and self._answers(one)]
        if waiting:
            self.set_ready(waiting[0].metadata.name)

    def set_ready(self, name: str, ready: bool = True) -> None:
        condition = core.Condition("Ready", "True" if ready else "False")
        self._put(name, core.PodStatus(phase="Running", conditions=(condition,)))

    def set_unready(self, name: str) -> None:
        self.set_ready(name, ready=False)

    def fail(self, *names: str, reason: str = "Evicted") -> None:
        for name in names:
            self._put(name, core.PodStatus(phase="Failed", reason=reason))

    def vanish(self, name: str) -> None:
        """A pod is deleted by somebody else."""
        del self.pods[name]
        self.check(self)

    def silence(self, name: str) -> None:
        """A node ceases to answer; its pods are not ready any more, as Kubernetes says."""
        self.nodes[name] = node(name, ready="Unknown", since=self.now, labels=self.nodes[name].metadata.labels)
        for one in self.live:
            if one.spec.node_name == name and one.ready:
                self.set_ready(one.metadata.name, ready=False)

    def wake(self, name: str) -> None:
        """A node answers again."""
        self.nodes[name] = node(name, since=self.now, labels=self.nodes[name].metadata.labels)
        for one in self.live:
            if one.spec.node_name == name:
                self.set_ready(one.metadata.name)

    def mark(self, label: str, *names: str) -> None:
        """A person gives pods a label."""
        for name in names:
            metadata = self.pods[name].metadata
            labelled = msgspec.structs.replace(metadata, labels={**metadata.labels, label: ""})
            self.pods[name] = msgspec.structs.replace(self.pods[name], metadata=labelled)

    def change(self, *, template: dict[str, Any] | None = None, replicas: int | None = None, **fields: Any) -> None:
        """A person changes the service: fields of `spec.service`, or with None takes them away."""
        manifest = self.service.manifest()
        before = manifest["spec"]["service"]
        changed = {
            "template": before["template"] if template is None else template,
            "replicas": before["replicas"] if replicas is None else replicas,
            **{name: value for name, value in before.items() if name not in ("template", "replicas", *fields)},
            **{name: value for name, value in fields.items() if value is not None},
        }
        manifest["spec"]["service"] = changed
        if changed != before:
            manifest["metadata"]["generation"] += 1
        self.service = Framework.read(manifest)

    def depend_on(self, *names: str) -> None:
        """A person says what the service depends on."""
        manifest = self.service.manifest()
        manifest["spec"]["dependsOn"] = [{"name": name} for name in names]
        manifest["metadata"]["generation"] += 1
        self.service = Framework.read(manifest)

    def say(self, **status: Any) -> None:
        """Others write a part of the status."""
        manifest = self.service.manifest()
        manifest["status"] = {**manifest.get("status", {}), **status}
        self.service = Framework.read(manifest)

    def settle(self, steps: int = 60) -> Plan:
        """Step until nothing is done any more, one pod becoming ready each time."""
        for _ in range(steps):
            before = dict(self.pods)
            plan = self.step()
            self.start_one()
            self.now += 1
            if before == self.pods:
                return plan
        raise AssertionError(f"the service has not settled: {self.pods}")

    def _answers(self, one: core.Pod) -> bool:
        known = self.nodes.get(one.spec.node_name)
        return not self.nodes or (known is not None and known.ready)

    def _place(self) -> str | None:
        if not self.nodes:
            return "node-1"
        taken = Counter(one.spec.node_name for one in self.pods.values() if not one.terminated)
        free = [
            name
            for name, one in self.nodes.items()
            if one.ready and (self.per_node is None or taken[name] < self.per_node)
        ]
        return min(free, key=lambda name: (taken[name], name), default=None)

    def _apply(self, manifest: dict[str, Any]) -> None:
        manifest["metadata"] = {**manifest["metadata"], "uid": f"uid-of-{manifest['metadata']['name']}"}
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "ControllerRevision":
            present = self.revisions.get(name)
            assert present is None or present.data == manifest["data"], "what was recorded cannot be changed"
            self.revisions[name] = msgspec.convert(manifest, core.ControllerRevision)
        else:
            assert manifest["kind"] == "Service"
            self.services[name] = msgspec.convert(manifest, core.Child)

    def _write_status(self, plan: Plan) -> None:
        state, reason, message = plan.state
        manifest = self.service.manifest()
        others = {name: manifest.get("status", {}).get(name) for name in ("waiting", "allocation")}
        generation = self.service.metadata.generation
        now = datetime.fromtimestamp(int(self.now), UTC)
        conditions = set_state(
            self.service.status.conditions, state, reason=reason, message=message, generation=generation, now=now
        )
        manifest["status"] = {
            **plan.status,
            **{name: value for name, value in others.items() if value is not None},
            "observedGeneration": generation,
            "conditions": [one.manifest() for one in conditions],
        }
        self.service = Framework.read(manifest)

    def _put(self, name: str, status: core.PodStatus) -> None:
        self.pods[name] = msgspec.structs.replace(self.pods[name], status=status)
        self.check(self)


def running(replicas: int, service: dict[str, Any] | None = None, *, nodes: int = 0, **fields: Any) -> ServiceWorld:
    """A service of which all pods run and are ready, on so many nodes; `fields` of its spec."""
    world = ServiceWorld(framework(service=service, replicas=replicas))
    world.nodes = {f"node-{index}": node(f"node-{index}") for index in range(1, nodes + 1)}
    world.change(**fields)
    world.settle()
    assert world.ready == replicas
    return world

"""A service and its pods in a world of a few lines: what a plan says is done at once, pods become ready when told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from tests.builders import NOON, framework, pod, seen

from tender.api import core
from tender.api.framework import Framework
from tender.frameworks.sdk import Plan
from tender.frameworks.service import plan_service

Check = Callable[["ServiceWorld"], None]


@dataclass
class ServiceWorld:
    """Carries out plans of one service; a `check` looks at the pods after every single change of them."""

    service: Framework
    check: Check = lambda world: None
    pods: dict[str, core.Pod] = field(default_factory=dict)
    now: float = NOON
    made: int = 0

    @property
    def live(self) -> list[core.Pod]:
        return [one for one in self.pods.values() if not one.terminated]

    @property
    def ready(self) -> int:
        return sum(one.ready for one in self.live)

    @property
    def revisions(self) -> list[str]:
        return [one.metadata.labels["tender.dev/revision"] for one in self.live]

    def plan(self) -> Plan:
        return plan_service(seen(self.service, *self.pods.values(), now=self.now))

    def step(self) -> Plan:
        """Plan, stop and launch; the controller's part of the status is written."""
        plan = self.plan()
        for stop in plan.stops:
            del self.pods[stop.pod]
            self.check(self)
        (shape,) = plan.shapes
        if plan.hold_until <= self.now:
            for _ in range(shape.count - self.revisions.count(shape.revision)):
                self.launch(shape.revision)
        status = {**plan.status, "conditions": []}
        self.service = framework(service=self._template, replicas=self._replicas, status=status)
        return plan

    def launch(self, revision: str) -> None:
        self.made += 1
        name = f"web-{self.made}"
        self.pods[name] = pod(name, task=revision, revision=revision, created=self.now, ready=False, phase="Pending")
        self.check(self)

    def start_one(self) -> None:
        """The oldest pod that is not ready becomes so."""
        waiting = [one for one in self.live if not one.ready]
        if waiting:
            name = waiting[0].metadata.name
            ready = (core.Condition("Ready", "True"),)
            self._put(name, core.PodStatus(phase="Running", conditions=ready))

    def fail(self, *names: str, reason: str = "Evicted") -> None:
        for name in names:
            self._put(name, core.PodStatus(phase="Failed", reason=reason))

    def change(self, *, template: dict[str, object] | None = None, replicas: int | None = None) -> None:
        self.service = framework(
            service=template or self._template,
            replicas=self._replicas if replicas is None else replicas,
            status=self.service.status.manifest(),
        )

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

    def _put(self, name: str, status: core.PodStatus) -> None:
        self.pods[name] = msgspec.structs.replace(self.pods[name], status=status)
        self.check(self)

    @property
    def _template(self) -> dict[str, object]:
        assert self.service.spec.service is not None
        return self.service.spec.service.template

    @property
    def _replicas(self) -> int:
        assert self.service.spec.service is not None
        return self.service.spec.service.replicas

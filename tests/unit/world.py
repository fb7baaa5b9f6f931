"""A service in an API server in memory, with a master, kubelets and a controller that may end at any write.

The master grants the demand less what is live, claimed or on offer; the kubelets start every pod and end those that are
deleted. Each `second` all of them act once; the controller is the real view, turn and executor.
"""

from collections import Counter
from random import Random
from typing import Any, cast

from prometheus_client import CollectorRegistry
from tests.builders import NOON, framework, offer, slice_on
from tests.unit.memory import MemoryApi, MemoryClient, ProcessEnded, cache_of

from tender.api import core
from tender.api.framework import Framework
from tender.api.names import LABEL_OFFER, LABEL_REVISION, LABEL_TASK, MANAGER_SERVICE
from tender.api.offer import OfferPhase, ResourceOffer
from tender.cluster.client import Client
from tender.cluster.errors import ApiError
from tender.cluster.resources import FRAMEWORKS, PODS, RESOURCE_OFFERS, Resource
from tender.controller.executor import Executor
from tender.controller.metrics import ControllerMetrics
from tender.controller.view import View
from tender.frameworks.sdk import take_turn
from tender.frameworks.sdk.templates import template_revision
from tender.frameworks.service import plan_service

LAUNCH_DEADLINE = 60.0


class Process:
    """One life of the controller: it starts with nothing but what the API server tells it."""

    def __init__(self, world: "World", *, lifetime: int | None = None) -> None:
        self._world = world
        self.view = View(lambda _: None)
        self.cache = cache_of(self.view, world.api)
        self.cache.catch_up()
        self._executor = Executor(
            cast("Client", MemoryClient(world.api, lifetime=lifetime, rng=world.rng)),
            self.view,
            ControllerMetrics(CollectorRegistry()),
            manager=MANAGER_SERVICE,
            status_interval=0.0,
            clock=lambda: world.now,
        )

    async def turn(self) -> bool:
        """Take one turn; whether it answered offers, which another one should follow."""
        service = self.view.framework("shop/web")
        assert service is not None
        turn = take_turn(plan_service, self.view.seen(service, self._world.now))
        try:
            await self._executor.carry_out(service, turn)
        except ApiError as error:
            self._world.errors.append(error)
        return bool(turn.answers)


class World:
    """The whole of it.

    `lifetime` is how many writes the next lives of the controller have, None for any number; `rival` a second
    controller that acts at the same time, and knows no more than the first did before it acted.
    """

    def __init__(self, service: Framework, *, rng: Random | None = None) -> None:
        self.now = NOON
        self.rng = rng
        self.api = MemoryApi()
        self.api.put(FRAMEWORKS, service.manifest())
        self.errors: list[ApiError] = []
        self.process: Process | None = None
        self.rival: Process | None = None
        self.lifetime: int | None = None
        self.lives = 0
        self._sightings: dict[str, dict[str, core.Pod]] = {}
        self._claimed_at: dict[str, float] = {}
        self._offers_made = 0

    @property
    def service(self) -> Framework:
        (service,) = self.api.read(FRAMEWORKS).values()
        assert isinstance(service, Framework)
        return service

    @property
    def replicas(self) -> int:
        assert self.service.spec.service is not None
        return self.service.spec.service.replicas

    @property
    def live(self) -> list[core.Pod]:
        return [pod for pod in self.api.read(PODS).values() if not pod.leaving and not pod.terminated]

    @property
    def ready(self) -> int:
        return sum(pod.ready for pod in self.live)

    @property
    def as_specified(self) -> bool:
        assert self.service.spec.service is not None
        revision = template_revision(self.service.spec.service.template)
        return [pod.metadata.labels[LABEL_REVISION] for pod in self.live] == [revision] * self.replicas and len(
            self.api.objects[PODS]
        ) == self.replicas == self.ready

    def change(self, *, template: dict[str, Any] | None = None, replicas: int | None = None) -> None:
        """A person changes the service."""
        present = self.api.objects[FRAMEWORKS]["web"]
        spec = present["spec"]["service"]
        service = {
            "template": template or spec["template"],
            "replicas": spec["replicas"] if replicas is None else replicas,
        }
        self.api.put(FRAMEWORKS, {**present, "spec": {**present["spec"], "service": service}})

    def offer_unasked(self, count: int) -> None:
        """A master that does not look at what there is offers more."""
        for entry in self.service.status.demand or ():
            self._offer(entry.name, count)

    def fail(self, name: str) -> None:
        """A pod comes to its end."""
        manifest = self.api.objects[PODS][name]
        self.api.put(PODS, {**manifest, "status": {"phase": "Failed", "reason": "Evicted"}})

    async def second(self, *lagging: Resource) -> None:
        """Everybody acts once; the controller's caches of the lagging kinds hear of nothing."""
        await self.master()
        await self.controller(*lagging)
        self.kubelets()
        self.now += 1

    async def settle(self, seconds: int = 200) -> None:
        """Seconds pass until everything is as specified and stays so for a while."""
        quiet = 0
        for _ in range(seconds):
            await self.second()
            quiet = quiet + 1 if self.as_specified else 0
            if quiet > 5:
                return
        raise AssertionError(f"not as specified after {seconds} s: {self.api.objects[PODS]}")

    async def controller(self, *lagging: Resource) -> None:
        """The controller takes turns until it has no offer to answer, or ends with a write."""
        if self.process is None:
            self.process = Process(self, lifetime=self.lifetime)
            self.lives += 1
        processes = [self.process, *([self.rival] if self.rival else [])]
        for process in processes:
            process.cache.catch_up(*(kind for kind in process.cache.kinds if kind not in lagging))
        try:
            for process in processes:
                while await process.turn():
                    pass
        except ProcessEnded:
            self.process = None

    def kubelets(self) -> None:
        """Pods that were created start, and those that were deleted end."""
        for name, pod in self.api.read(PODS).items():
            if pod.leaving:
                self.api.remove(PODS, name)
            elif pod.status.phase == "Pending":
                status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
                self.api.put(PODS, {**self.api.objects[PODS][name], "status": status})

    async def master(self) -> None:
        """Offers end, and what is missing of the demand is offered."""
        for pod in self.api.read(PODS).values():
            self._sightings.setdefault(pod.metadata.labels[LABEL_OFFER], {})[pod.metadata.name] = pod
        held: Counter[str] = Counter(pod.metadata.labels[LABEL_TASK] for pod in self.live)
        for name, one in self.api.read(RESOURCE_OFFERS).items():
            outstanding = self._outstanding(one)
            if outstanding is None:
                self.api.remove(RESOURCE_OFFERS, name)
            else:
                held.update(outstanding)
        for entry in self.service.status.demand or ():
            missing = entry.count - held[entry.name]
            if missing > 0:
                self._offer(entry.name, missing)

    def _outstanding(self, one: ResourceOffer) -> Counter[str] | None:
        """The tasks that an offer still stands for; None when it has come to its end."""
        match one.status.phase:
            case OfferPhase.OFFERED if self.now <= one.spec.expires_at.timestamp():
                return sum((Counter(part.tasks) for part in one.spec.slices), Counter())
            case OfferPhase.CLAIMED:
                since = self._claimed_at.setdefault(one.metadata.name, self.now)
                seen = self._sightings.get(one.metadata.name, {}).values()
                left = sum((Counter(claim.tasks) for claim in one.status.claims), Counter())
                left.subtract(pod.metadata.labels[LABEL_TASK] for pod in seen)
                left = +left
                return left if left and self.now <= since + LAUNCH_DEADLINE else None
            case OfferPhase.DECLINED if one.status.answered_at is not None:
                until = one.status.answered_at.timestamp() + (one.status.refuse_seconds or 0)
                return Counter() if self.now < until else None
        return None

    def _offer(self, task: str, count: int) -> None:
        self._offers_made += 1
        halves: list[dict[str, Any]] = [{task: part} for part in (count - count // 2, count // 2) if part]
        slices = [slice_on(f"node-{index}", cpu="8", **tasks) for index, tasks in enumerate(halves)]
        made = offer(*slices, name=f"web-o{self._offers_made}", owner_uid="uid-of-web", expires=self.now + 60)
        self.api.put(RESOURCE_OFFERS, made.manifest())


def service(replicas: int, template: dict[str, Any]) -> Framework:
    """A service that nobody has looked at yet."""
    return framework("web", replicas=replicas, service=template)

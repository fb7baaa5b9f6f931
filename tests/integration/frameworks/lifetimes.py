"""A service with a controller that is killed and started again: one run of the tests of crashes."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.integration.frameworks.warm import Starter, kill
from tests.integration.running.kubelet import Kubelet
from tests.integration.running.meddling import Death, Meddling
from tests.integration.running.waiting import until
from tests.integration.running.world import SERVICE_ACCOUNTS, World, template

from tender.api.conditions import READY, find_condition
from tender.api.core import Pod
from tender.api.names import LABEL_REVISION
from tender.cluster.resources import NAMESPACES
from tender.frameworks.sdk.templates import template_revision

PATIENCE = 90.0
CPU = "100m"


@dataclass(frozen=True)
class Killing:
    """When a life of the controller ends: at which of its writes, and whether that one takes effect."""

    at_write: int
    takes_effect: bool


@dataclass
class Run:
    """A service in a namespace of its own, with its kubelet, and its controller behind a proxy."""

    world: World
    proxy: Meddling
    starter: Starter
    kubelet: Kubelet
    log: Path
    lives: int = 0
    _pid: asyncio.Task[int] | None = None
    _supervisor: asyncio.Task[None] | None = None

    async def start(self, *killings: Killing) -> None:
        """Start the controller; it is started again after each of these ends, and then left alone."""
        self._supervisor = asyncio.create_task(self._supervise(killings))

    async def _supervise(self, killings: Sequence[Killing]) -> None:
        for killing in killings:
            self.proxy.death = death = Death(killing.at_write, killing.takes_effect, self._kill)
            await self._live()
            await death.happened.wait()
        self.proxy.death = None
        await self._live()

    async def _live(self) -> None:
        self.lives += 1
        kubeconfig = self.proxy.kubeconfig_of(f"life-{self.lives}")
        arguments = ["controller", f"--namespace={self.world.namespace}", f"--kubeconfig={kubeconfig}"]
        start = self.starter.start(*arguments, "--host=127.0.0.1", "--port=0", log=self.log)
        self._pid = asyncio.create_task(start)
        await asyncio.shield(self._pid)

    async def _kill(self) -> None:
        if self._pid is not None:
            kill(await asyncio.shield(self._pid))

    async def stop(self) -> None:
        """The controller is killed for good."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._kill()

    async def is_as_wanted(self, replicas: int, image: str) -> bool:
        """Whether these and only these pods run, and the service says so."""
        framework = await self.world.framework("web")
        condition = find_condition(framework.status.conditions, READY)
        if condition is None or condition.status != "True":
            return False
        pods = await self.world.pods("web")
        revision = template_revision(template(CPU, image=image))
        return (
            condition.observed_generation == framework.metadata.generation
            and len(pods) == replicas
            and all(pod.ready and pod.metadata.labels[LABEL_REVISION] == revision for pod in pods)
        )

    async def settles(self, replicas: int, image: str) -> list[Pod]:
        """Wait until everything is as wanted; the pods."""
        try:
            await until(
                lambda: self.is_as_wanted(replicas, image), f"{replicas} pods of {image}", patience=PATIENCE, pause=0.2
            )
        except AssertionError:
            print(f"{self.world.namespace}, life {self.lives}:", *_end_of(self.log), sep="\n")
            raise
        return await self.world.pods("web")

    @property
    def doubled(self) -> list[str]:
        """Names under which more than one pod was ever born."""
        return [name for name, count in Counter(self.kubelet.born.values()).items() if count > 1]


@asynccontextmanager
async def run_in(world: World, starter: Starter, folder: Path, rng: Random) -> AsyncIterator[Run]:
    """A run in a new namespace, on the nodes of the test's world."""
    name = f"run-{secrets.token_hex(4)}"
    client = world.client
    await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = {"metadata": {"name": "default", "namespace": name}}
    await client.apply(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **account})
    (folder / name).mkdir()
    own = World(client, name, world.clock)
    async with (
        Meddling(client.access, folder / name, rng=rng) as proxy,
        Kubelet(client, name).running() as kubelet,
    ):
        run = Run(own, proxy, starter, kubelet, folder / name / "log")
        try:
            yield run
        finally:
            with contextlib.suppress(Exception):
                await run.stop()


def _end_of(log: Path) -> list[str]:
    return log.read_text().splitlines()[-20:] if log.exists() else []
